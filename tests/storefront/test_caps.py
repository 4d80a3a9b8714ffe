"""Revenue is cut where few buyers are, by what was bought before the start."""

from __future__ import annotations

import pytest
from django.db import connection

from storefront.experiments import caps, planning
from storefront.experiments.metrics import METRICS
from storefront.models import Experiment
from tests import people
from tests.storefront.test_experiment_lifecycle import plan

pytestmark = pytest.mark.django_db
REVENUE = next(name for name, metric in METRICS.items() if metric.above == "revenue")
BOUGHT = """
INSERT INTO storefront_event (id, at, received_at, kind, session, value, currency, is_bot)
SELECT gen_random_uuid(), now() - interval '1 hour', now(), 'purchase', lpad(n::text, 16, '0'), n, %s, %s
FROM generate_series(1, %s) AS n
"""


def bought(buyers: int, *, currency: str = "EUR", is_bot: bool = False) -> None:
    """`buyers` bought an hour ago, the n-th for n."""
    with connection.cursor() as cursor:
        cursor.execute(BOUGHT, [currency, is_bot, buyers])


def drafted() -> Experiment:
    return planning.draft(plan(secondary=(REVENUE,), currency="EUR"), actor=people.ml_engineer())


def test_revenue_is_cut_at_the_tail_of_what_buyers_spent() -> None:
    bought(200)
    bought(5_000, currency="USD")
    bought(5_000, is_bot=True)
    made = drafted()
    assert caps.cap_for(made) == pytest.approx(1 + made.tail * 199)


def test_few_buyers_say_nothing_of_the_tail() -> None:
    bought(caps.FEWEST - 1)
    assert caps.cap_for(drafted()) is None


def test_nothing_is_cut_where_revenue_is_not_looked_at() -> None:
    bought(200)
    assert caps.cap_for(planning.draft(plan(), actor=people.ml_engineer())) is None
