"""What became of each rule's findings: counted by draft and locale, for the rule as it is in force."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from moderation import policy_versions
from moderation.models.candidates import Candidate, Finding
from moderation.models.policies import PolicyVersion
from moderation.policy_record import RuleRecord, Tally, record_of
from tests import factories
from tests.moderation.test_policies import changed
from tests.people import people

pytestmark = pytest.mark.django_db


@pytest.fixture
def kim() -> User:
    return people("Administrator")


def in_force(actor: User, **rule: Any) -> PolicyVersion:
    """A policy with one rule of the house more, in force."""
    version, _ = policy_versions.store_version(changed(**{"severity": "warn", **rule}), actor=actor)
    policy_versions.activate(version, actor=actor, reason="A word nobody likes.")
    return version


def asked(version: PolicyVersion, n: int, verdict: str = "", *, findings: int = 1, **fields: Any) -> None:
    """`n` drafts in which the rule of the house asked, and what was said to it."""
    where = {"severity": fields.pop("severity", "warn"), "rule": fields.pop("rule", "house_word")}
    request = factories.generation_request(**fields)
    drafts = Candidate.objects.bulk_create(
        Candidate(
            request=request,
            ordinal=n,
            product=request.product,
            channel=request.channel,
            locale=request.locale,
            text="A snazzy, snazzy mug.",
            status="in_review",
            facts_hash="",
            screened_at=timezone.now(),
        )
        for n in range(n)
    )
    Finding.objects.bulk_create(
        Finding(
            candidate=draft,
            check_name="policy_rules",
            check_version="3",
            policy_version=version,
            code="house_word",
            severity=where["severity"],
            message="Not in this house.",
            start=2,
            end=8,
            evidence={"pack": "house_rules", "rule": where["rule"]},
            verdict=verdict,
        )
        for draft in drafts
        for _ in range(findings)
    )


def house_word(version: PolicyVersion, **options: Any) -> RuleRecord:
    return next(one for one in record_of(version, **options) if one.name == "house_rules.house_word")


def test_every_rule_of_the_version_is_there_and_nothing_is_known_of_it_at_first() -> None:
    version = policy_versions.policy_in_force().version
    rules = record_of(version)
    n_rules = sum(len(pack["rules"]) for pack in version.content["packs"])
    assert len(rules) == n_rules + len(version.content["facts_graph"]["rules"])
    assert {one.total for one in rules} == {Tally()}
    assert not any(one.is_under_floor for one in rules)


def test_a_draft_counts_once_and_findings_that_ask_nothing_do_not(kim: User) -> None:
    version = in_force(kim)
    asked(version, 3, "dismissed", findings=2)
    asked(version, 2, "confirmed", locale="zh-Hans")
    asked(version, 4)
    asked(version, 5, "dismissed", severity="info")
    record = house_word(version)
    assert record.total == Tally(findings=12, drafts=9, confirmed=2, dismissed=3)
    assert record.locales == {"en": Tally(10, 7, 0, 3), "zh-Hans": Tally(2, 2, 2, 0)}


def test_a_draft_in_which_one_finding_is_right_counts_as_confirmed(kim: User) -> None:
    version = in_force(kim)
    asked(version, 1, "dismissed", findings=3)
    Finding.objects.filter(pk=Finding.objects.earliest("pk").pk).update(verdict="confirmed")
    assert house_word(version).total == Tally(3, 1, 1, 0)


def test_an_interval_is_given_from_twenty_answers_on(kim: User) -> None:
    version = in_force(kim)
    asked(version, 19, "dismissed")
    assert house_word(version).total.share.high is None
    asked(version, 1, "dismissed")
    share = house_word(version).total.share
    assert (share.n, share.value, share.low) == (20, 0.0, 0.0)
    assert share.high == pytest.approx(0.1611, abs=1e-4)  # Wilson, 0 of 20


def test_what_is_older_than_the_window_does_not_count(kim: User) -> None:
    version = in_force(kim)
    asked(version, 2, "dismissed")
    Candidate.objects.update(screened_at=timezone.now() - dt.timedelta(days=91))
    assert house_word(version).total == Tally()
    assert house_word(version, days=92).total.dismissed == 2


def test_answers_to_another_wording_or_severity_of_the_rule_do_not_count(kim: User) -> None:
    first = in_force(kim)
    asked(first, 3, "dismissed")
    same = in_force(kim, message="Not in this house, ever.")
    assert house_word(same).total.dismissed == 3
    for other in ({"terms": ["snazzy", "jazzy"]}, {"severity": "block"}, {"channels": ["slogan"]}):
        assert house_word(in_force(kim, **other)).total == Tally()


def test_a_rule_under_its_floor_is_told_from_one_that_may_be_above(kim: User) -> None:
    version = in_force(kim)
    asked(version, 40, "dismissed")
    assert house_word(version).is_under_floor
    asked(version, 8, "confirmed")  # 8 of 48: under a fifth, but up to 30 % by the interval
    assert not house_word(version).is_under_floor


def test_a_floor_of_the_rules_own_counts_in_place_of_the_setting(kim: User) -> None:
    version = in_force(kim, floor=0.05)
    asked(version, 40, "dismissed")
    record = house_word(version)
    assert (record.floor, record.is_under_floor) == (0.05, False)


def test_what_the_law_forbids_outright_is_never_softened_unless_its_file_says_so(kim: User) -> None:
    rules = {one.name: one for one in record_of(in_force(kim, severity="block"))}
    assert rules["us_ftc.medical_claim"].severity == "block"
    assert rules["us_ftc.medical_claim"].softer == ""
    assert rules["us_ftc.substantiation"].softer == "info"
    assert rules["house_rules.house_word"].softer == "warn"
    assert rules["facts_graph.no_battery_no_charging"].softer == ""
    assert house_word(in_force(kim, may_soften=False)).softer == ""
