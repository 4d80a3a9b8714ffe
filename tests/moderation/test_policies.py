"""Versions of the policy: stored once, never changed, put in force by a person, run again at any age."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.utils import timezone

from audit import sealing
from audit.models import LedgerEntry
from core.actors import SystemActor
from core.exceptions import PermanentError
from core.hashing import hash_json
from moderation import policy_versions
from moderation.apps import _have_a_policy
from moderation.drafting import screening
from moderation.models.policies import PolicyActivation, PolicyVersion
from moderation.policy import base
from moderation.policy.base import Draft
from moderation.policy.facts_graph import load_graph
from moderation.policy.packs import load_packs, parse_pack
from tests import factories
from tests.people import people as member

pytestmark = pytest.mark.django_db
SYSTEM = SystemActor("tests")
RULE = {
    "id": "house_word",
    "code": "house_word",
    "severity": "block",
    "locales": ["en"],
    "message": "Not in this house.",
    "sources": [{"law": "House"}],
    "terms": ["snazzy"],
    "bad": ["a snazzy mug"],
    "good": ["a mug"],
}
DRAFT = Draft("A snazzy mug for tea.", "description", "en", "Mug")


@pytest.fixture
def administrator() -> User:
    return member("Administrator")


def changed(**rule: Any) -> dict[str, Any]:
    """The policy of the files with one rule of the house more."""
    pack = {
        "pack": "house_rules",
        "title": "House",
        "jurisdiction": "house",
        "valid_from": "2026-01-01",
        "rules": [RULE | rule],
    }
    return policy_versions.content_of([*load_packs(), parse_pack(pack, name="house_rules")], load_graph())


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE moderation_policyversion CASCADE")


def test_the_desk_has_a_policy_from_its_first_start_on() -> None:
    empty()
    _have_a_policy()
    version = policy_versions.policy_in_force().version
    assert (version.number, version.content_hash) == (1, hash_json(policy_versions.content_now()))
    assert [entry.action for entry in LedgerEntry.objects.order_by("seq")] == [
        "moderation.policy.stored",
        "moderation.policy.activated",
    ]
    _have_a_policy()
    assert PolicyActivation.objects.count() == 1


def test_what_is_read_back_has_the_hash_it_is_named_by() -> None:
    version = PolicyVersion.objects.get()
    assert hash_json(version.content) == version.content_hash


def test_findings_and_decisions_name_the_version_in_force() -> None:
    draft = factories.candidate("The best mug there is.")
    findings = screening.find_problems(screening.draft_of(draft))
    screening.save_findings(draft, findings)
    version = policy_versions.policy_in_force().version
    assert {finding.policy_version for finding in draft.findings.all()} == {version}
    assert policy_versions.find_version(screening.policy_version()) == version


def test_the_same_content_is_the_same_version(administrator: User) -> None:
    first, is_new = policy_versions.store_version(changed(), actor=administrator)
    again, is_new_again = policy_versions.store_version(changed(), actor=administrator)
    assert (is_new, is_new_again, again) == (True, False, first)
    assert first.number == 2


def test_a_stored_version_changes_nothing_until_it_is_put_in_force(administrator: User) -> None:
    version, _ = policy_versions.store_version(changed(), actor=administrator)
    assert "house_word" not in {finding.code for finding in screening.find_problems(DRAFT)}
    policy_versions.activate(version, actor=administrator, reason="A word nobody likes.")
    assert "house_word" in {finding.code for finding in screening.find_problems(DRAFT)}
    line = LedgerEntry.objects.get(action="moderation.policy.activated")
    assert line.actor == f"user:{administrator.pk}"
    assert sealing.opened([line.payload], reader=administrator) == [
        {"number": 2, "content_hash": version.content_hash, "reason": "A word nobody likes.", "replaces": 1}
    ]


def test_only_who_may_puts_a_policy_in_force() -> None:
    version, _ = policy_versions.store_version(changed(), actor=SYSTEM)
    for role in ("Reviewer", "Senior reviewer", "Auditor"):
        with pytest.raises(PermissionDenied):
            policy_versions.activate(version, actor=member(role), reason="why not")
        with pytest.raises(PermissionDenied):
            policy_versions.store_version(changed(message="m"), actor=member(role))


def test_a_change_of_policy_needs_a_reason(administrator: User) -> None:
    version, _ = policy_versions.store_version(changed(), actor=administrator)
    with pytest.raises(PermanentError, match="reason"):
        policy_versions.activate(version, actor=administrator, reason="  ")


def test_an_older_version_can_be_put_in_force_again(administrator: User) -> None:
    first = policy_versions.policy_in_force().version
    second, _ = policy_versions.store_version(changed(), actor=administrator)
    policy_versions.activate(second, actor=administrator, reason="try")
    between = timezone.now()
    policy_versions.activate(first, actor=administrator, reason="back")
    assert policy_versions.policy_in_force().version == first
    assert policy_versions.in_force(between) == second
    with pytest.raises(PermanentError, match="in force already"):
        policy_versions.activate(first, actor=administrator, reason="twice")


def test_before_the_first_activation_nothing_was_in_force() -> None:
    with pytest.raises(PermanentError, match="No policy was in force"):
        policy_versions.in_force(timezone.now() - dt.timedelta(days=365))


def test_an_old_version_runs_again_as_it_was(administrator: User) -> None:
    old = policy_versions.policy_in_force().version
    new, _ = policy_versions.store_version(changed(), actor=administrator)

    def codes(version: PolicyVersion) -> set[str]:
        checks = policy_versions.checks_of(version)
        return {hit.code for result in base.run_checks(DRAFT, checks) for hit in result.hits}

    assert codes(new) - codes(old) == {"house_word"}


def test_a_rule_that_begins_later_rests_until_then(administrator: User) -> None:
    version, _ = policy_versions.store_version(changed(valid_from="2030-01-01"), actor=administrator)

    def finds(on: dt.date) -> bool:
        results = base.run_checks(DRAFT, policy_versions.checks_of(version, on=on))
        return "house_word" in {hit.code for result in results for hit in result.hits}

    assert (finds(dt.date(2029, 12, 31)), finds(dt.date(2030, 1, 1))) == (False, True)


def test_new_software_goes_on_with_the_same_rules_as_a_version_of_its_own(settings: Any, administrator: User) -> None:
    version, _ = policy_versions.store_version(changed(), actor=administrator)
    policy_versions.activate(version, actor=administrator, reason="try")
    settings.POLICY_CHECKS = settings.POLICY_CHECKS[1:]
    after = policy_versions.policy_in_force()
    assert after.version.number == 3
    assert after.version.content["packs"] == version.content["packs"]
    assert "length" not in after.version.content["checks"]
    assert PolicyActivation.objects.first().reason == policy_versions.UPDATED
    # The version before can be run still, and it is said which checks are not as they were.
    settings.POLICY_CHECKS = settings.POLICY_CHECKS[1:3]
    assert policy_versions.policy_of(version).drifted == ()


@pytest.mark.parametrize("table", ["moderation_policyversion", "moderation_policyactivation"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET id = id"])
def test_what_was_in_force_cannot_be_changed_in_sql(table: str, statement: str) -> None:
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table))


def test_a_difference_is_told_rule_by_rule() -> None:
    old, new = policy_versions.content_now(), changed()
    assert policy_versions.difference(old, new)[1:] == ("+ house_rules", "+ house_rules.house_word")
    assert policy_versions.difference(new, old)[1:] == ("- house_rules", "- house_rules.house_word")
    other = changed(message="Other words.")
    assert policy_versions.difference(new, other) == (
        "~ check policy_rules: version",
        "~ house_rules.house_word: message",
    )


def test_the_packs_of_the_files_survive_being_stored(tmp_path: Path) -> None:
    version = PolicyVersion.objects.get()
    (check,) = [check for check in policy_versions.checks_of(version) if check.name == "policy_rules"]
    (now,) = [check for check in base.load_checks() if check.name == "policy_rules"]
    assert check.version == now.version
