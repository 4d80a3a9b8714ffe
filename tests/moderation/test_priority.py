"""The arithmetic of urgency, for any numbers; and the same arithmetic where it is written in SQL."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation import priority
from moderation.priority import RISK, UNCERTAINTY, VALUE, Factors
from moderation.queues import rules
from tests import factories, people

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
factors = st.builds(Factors, st.floats(*RISK), st.floats(*UNCERTAINTY), st.floats(*VALUE))
moments = st.datetimes(dt.datetime(2025, 1, 1), dt.datetime(2027, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001
ageings = st.timedeltas(dt.timedelta(minutes=1), dt.timedelta(days=30))
# Beyond that an age in units of the ageing is a number too large for a float; the order by `urgent_from` goes on.
NEAR = 600


@given(factors, factors, moments, moments, moments, ageings)
def test_one_column_gives_the_order_of_the_scores_at_every_moment(
    one: Factors, other: Factors, opened: dt.datetime, opened_later: dt.datetime, at: dt.datetime, ageing: dt.timedelta
) -> None:
    if max(abs((at - opened) / ageing), abs((at - opened_later) / ageing)) > NEAR:
        return
    scores = [
        priority.score(at, created_at=created, factors=f, ageing=ageing)
        for f, created in ((one, opened), (other, opened_later))
    ]
    places = [priority.urgent_from(created, f, ageing=ageing) for f, created in ((one, opened), (other, opened_later))]
    if not math.isclose(*scores, rel_tol=1e-6):
        assert (scores[0] > scores[1]) == (places[0] < places[1])


@given(factors, factors, moments, ageings)
def test_nothing_opened_later_than_the_bound_goes_first(
    one: Factors, other: Factors, opened: dt.datetime, ageing: dt.timedelta
) -> None:
    later = opened + priority.longest_overtaking(ageing) + dt.timedelta(milliseconds=1)
    assert priority.urgent_from(opened, one, ageing=ageing) < priority.urgent_from(later, other, ageing=ageing)


@given(
    st.sampled_from(["description", "recommendation", "ad_slogan", "a new one"]),
    st.lists(st.sampled_from(["info", "warn", "block", "a new one"]), max_size=30),
    st.none() | st.floats(-1, 2),
    st.none() | st.decimals(-10, 10**10, places=2),
)
def test_every_factor_stays_within_its_range_whatever_is_known(
    channel: str, severities: list[str], grounding: float | None, price: Decimal | None
) -> None:
    found = priority.factors_of_copy(channel=channel, severities=severities, grounding=grounding, price=price)
    label = priority.factors_of_label(confidence=grounding, n_labels=len(severities), price=price)
    for each in (found, label):
        for number, (low, high) in zip(
            (each.risk, each.uncertainty, each.value), (RISK, UNCERTAINTY, VALUE), strict=True
        ):
            assert low <= number <= high


def test_findings_and_slogans_add_risk_and_what_is_unknown_is_uncertain() -> None:
    plain = priority.factors_of_copy(channel="description", severities=["info"], grounding=1, price=None)
    warned = priority.factors_of_copy(channel="description", severities=["warn", "warn"], grounding=1, price=None)
    slogan = priority.factors_of_copy(channel="ad_slogan", severities=["block"], grounding=None, price=Decimal(99))
    assert (plain.risk, plain.uncertainty, plain.value) == (0.2, 0.1, 1.0)
    assert warned.risk == pytest.approx(0.5)
    assert (slogan.risk, slogan.uncertainty, slogan.value) == (0.8, 1.0, 2.0)
    assert slogan.in_words() == "high risk, high uncertainty, middling value"
    guess = priority.factors_of_label(confidence=1 / 3, n_labels=3, price=Decimal("9999"))
    assert (guess.risk, guess.uncertainty, guess.value) == (0.1, 1.0, 3.0)


@pytest.mark.django_db
def test_a_new_ageing_orders_what_is_open_as_the_arithmetic_says() -> None:
    items = [
        factories.review_item(risk=r, uncertainty=u, value=v, age=dt.timedelta(hours=h))
        for r, u, v, h in ((0.1, 0.1, 1, 9), (1, 1, 3, 0), (0.55, 0.26, 1.64, 2))
    ]
    rules.set_policy("copy_verdict", actor=people.administrator(), ageing_minutes=37)
    for item in items:
        before = priority.urgent_from(item.created_at, item.factors, ageing=dt.timedelta(minutes=37))
        item.refresh_from_db()
        assert abs(item.urgent_from - before) < dt.timedelta(milliseconds=1)


# Where the scores of reviews stood on the day of that migration.
AS_IT_WAS = """
CREATE TEMPORARY VIEW moderation_sentiment AS
SELECT split_part(subject, ':', 2)::uuid AS review_id, probabilities, confidence, created_at
FROM moderation_prediction WHERE subject LIKE 'catalog.customerreview:%'"""
