"""What the sentiment champion thinks of a review counts beside people's votes."""

from __future__ import annotations

import pytest

from core.refs import ref
from labeling.question import question
from tests import factories

pytestmark = pytest.mark.django_db


def test_the_champions_opinion_of_what_it_scored_is_told() -> None:
    review, other = factories.customer_review("Lovely."), factories.customer_review("Hm.")
    said = factories.sentiment(review)
    assert question("sentiment").opinions([ref(review), ref(other)]) == {ref(review): said.probabilities}
