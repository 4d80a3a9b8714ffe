"""What is no probability is no answer: a model that is broken does not pass for one that is sure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from core.exceptions import PermanentError
from inference.contracts import Classification
from inference.models import ModelVersion
from moderation import scoring, shadow
from moderation.models.predictions import Prediction, Scoring, fields_of
from tests import factories
from tests.backends import WordCount

NONSENSE = [float("nan"), float("inf"), 1e308, -1.0, 2.0]


@pytest.mark.parametrize("p", NONSENSE)
def test_it_is_refused(p: float) -> None:
    for made in (Classification.of, Classification.of_several):
        with pytest.raises(PermanentError, match="no probability"):
            fields_of(made(("spam", "abuse"), (0.1, p)), ("spam", "abuse"))


def test_what_rounding_leaves_over_is_taken() -> None:
    assert fields_of(Classification.of(("yes", "no"), (1.0000001, -1e-8)), ())["label"] == "yes"


@pytest.mark.django_db
@pytest.mark.parametrize("p", NONSENSE)
def test_nothing_is_kept_of_it_and_nothing_acts_on_it(
    sentiment_champion: ModelVersion, monkeypatch: pytest.MonkeyPatch, p: float
) -> None:
    factories.customer_review("good")

    def broken(self: Any, texts: Sequence[str]) -> list[Classification]:
        return [Classification.of(("negative", "neutral", "positive"), (p, 0.1, 0.1)) for _ in texts]

    monkeypatch.setattr(WordCount, "classify", broken)
    assert (scoring.score(), shadow.score()) == (0, 0)
    assert not Prediction.objects.exists()
    assert "no probability" in Scoring.objects.get().last_error
