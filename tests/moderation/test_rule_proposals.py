"""Rules that people dismiss are proposed for a softer severity: who may answer, what changes, and what does not."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management import call_command

from audit.models import LedgerEntry
from audit.sealing import ERASED
from catalog.models import PublishedCopy
from core.exceptions import PermanentError, StaleState
from core.refs import ref
from moderation import policy_versions
from moderation.erasure import forget_words
from moderation.live import retro_scan, rule_proposals
from moderation.models.policies import PolicyActivation, PolicyVersion
from moderation.models.retro_scans import RetroScan
from moderation.models.rule_proposals import RuleProposal
from moderation.policy_record import record_of
from tests import factories
from tests.at_once import at_once
from tests.moderation.test_policy_record import asked, in_force
from tests.moderation.test_retro_scan import live, work
from tests.people import people

pytestmark = pytest.mark.django_db


@pytest.fixture
def kim() -> User:
    return people("Administrator")


def proposed(actor: User, **rule: Any) -> RuleProposal:
    """The rule of the house, dismissed in 40 drafts, and proposed."""
    asked(in_force(actor, **rule), 40, "dismissed")
    (proposal,) = rule_proposals.propose()
    return proposal


def tried(proposal: RuleProposal, actor: User) -> RetroScan:
    scan = rule_proposals.try_on_live(proposal, actor=actor)
    work(scan)
    return scan


def ledger_of(proposal: RuleProposal) -> list[str]:
    entries = LedgerEntry.objects.filter(subject=ref(proposal)).order_by("seq")
    return [entry.action.removeprefix("moderation.ruleproposal.") for entry in entries]


def test_a_rule_under_its_floor_is_proposed_once_with_its_figures(kim: User) -> None:
    proposal = proposed(kim)
    assert (proposal.pack, proposal.rule, proposal.severity, proposal.softer) == (
        "house_rules",
        "house_word",
        "warn",
        "info",
    )
    assert (proposal.n_confirmed, proposal.n_dismissed, proposal.floor) == (0, 40, 0.2)
    assert rule_proposals.propose() == []
    assert ledger_of(proposal) == ["proposed"]


def test_a_rule_with_few_answers_or_that_is_mandatory_is_not_proposed(kim: User) -> None:
    asked(in_force(kim), 19, "dismissed")
    assert rule_proposals.propose() == []
    asked(in_force(kim, may_soften=False), 40, "dismissed")
    assert rule_proposals.propose() == []


def test_accepting_makes_a_version_that_differs_in_the_severity_alone(kim: User) -> None:
    proposal = proposed(kim)
    before = policy_versions.policy_in_force().version
    tried(proposal, kim)
    assert policy_versions.policy_in_force().version == before
    after = rule_proposals.accept(proposal, actor=kim, reason="Readers like the word.")
    assert policy_versions.policy_in_force().version == after
    assert policy_versions.difference(before.content, after.content) == (
        "~ check policy_rules: version",
        "~ house_rules.house_word: severity",
    )
    proposal.refresh_from_db()
    assert (proposal.status, proposal.answered_by, proposal.reason) == ("accepted", kim, "Readers like the word.")
    assert ledger_of(proposal) == ["proposed", "accepted"]
    assert PolicyActivation.objects.first().reason == "Readers like the word."
    assert rule_proposals.propose() == []  # answers to the rule as a warning say nothing of it as a note


def test_the_trial_says_which_live_texts_would_be_found_otherwise_and_takes_nothing_down(kim: User) -> None:
    proposal = proposed(kim)
    bad = live("A snazzy mug for tea, and it has a handle.")
    live("A plain mug for tea, and it has a handle.")
    scan = tried(proposal, kim)
    assert (scan.status, scan.n_seen, scan.counts) == ("scanned", 2, {"house_word": 1})
    (hit,) = scan.hits.all()
    assert (hit.published_copy, [(one["was"], one["becomes"]) for one in hit.findings]) == (bad, [("warn", "info")])
    with pytest.raises(PermanentError, match="takes nothing down"):
        retro_scan.recall(scan, actor=kim, reason="Why not.")
    assert PublishedCopy.objects.filter(retired_at=None).count() == 2


def test_nobody_accepts_what_was_not_tried_on_live_copy(kim: User) -> None:
    proposal = proposed(kim)
    with pytest.raises(PermanentError, match="not known yet"):
        rule_proposals.accept(proposal, actor=kim, reason="Fine.")
    rule_proposals.try_on_live(proposal, actor=kim)  # begun, not through
    with pytest.raises(PermanentError, match="not known yet"):
        rule_proposals.accept(proposal, actor=kim, reason="Fine.")


def test_a_policy_that_changed_after_the_trial_is_tried_again(kim: User) -> None:
    proposal = proposed(kim)
    tried(proposal, kim)
    in_force(kim, message="Not in this house, ever.")
    with pytest.raises(StaleState, match="try it on live copy again"):
        rule_proposals.accept(proposal, actor=kim, reason="Fine.")
    tried(proposal, kim)
    rule_proposals.accept(proposal, actor=kim, reason="Fine.")


def test_a_proposal_about_a_rule_that_was_changed_lapses(kim: User) -> None:
    proposal = proposed(kim)
    in_force(kim, terms=["snazzy", "jazzy"])
    with pytest.raises(StaleState, match="was changed"):
        rule_proposals.try_on_live(proposal, actor=kim)
    assert rule_proposals.propose() == []
    proposal.refresh_from_db()
    assert proposal.status == "lapsed"
    assert ledger_of(proposal) == ["proposed", "lapsed"]


def test_a_proposal_lapses_where_newer_answers_lift_the_rule(kim: User) -> None:
    proposal = proposed(kim)
    asked(proposal.version, 8, "confirmed")
    assert rule_proposals.propose() == []
    proposal.refresh_from_db()
    assert proposal.status == "lapsed"


def test_a_proposal_that_was_tried_waits_for_its_answer(kim: User) -> None:
    proposal = proposed(kim)
    tried(proposal, kim)
    asked(proposal.version, 8, "confirmed")
    assert rule_proposals.propose() == []
    rule_proposals.accept(proposal, actor=kim, reason="Fine.")


def test_what_was_declined_is_not_proposed_again_on_the_same_answers(kim: User) -> None:
    proposal = proposed(kim)
    rule_proposals.decline(proposal, actor=kim, reason="The brand forbids it.")
    proposal.refresh_from_db()
    assert (proposal.status, proposal.reason) == ("declined", "The brand forbids it.")
    assert rule_proposals.propose() == []
    for act in (rule_proposals.accept, rule_proposals.decline):
        with pytest.raises(StaleState, match="answered already"):
            act(proposal, actor=kim, reason="After all.")


@pytest.mark.parametrize("role", ["Reviewer", "Senior reviewer", "Auditor", "ML engineer", None])
def test_only_who_may_put_policies_in_force_answers(kim: User, role: str | None) -> None:
    proposal = proposed(kim)
    tried(proposal, kim)
    other, n_versions = people(role), PolicyVersion.objects.count()
    for act in (rule_proposals.accept, rule_proposals.decline):
        with pytest.raises(PermissionDenied):
            act(proposal, actor=other, reason="Mine.")
    with pytest.raises(PermissionDenied):
        rule_proposals.try_on_live(proposal, actor=other)
    proposal.refresh_from_db()
    assert (proposal.status, PolicyVersion.objects.count()) == ("open", n_versions)


@pytest.mark.parametrize("reason", ["", "   "])
def test_an_answer_without_a_reason_is_none(kim: User, reason: str) -> None:
    proposal = proposed(kim)
    tried(proposal, kim)
    for act in (rule_proposals.accept, rule_proposals.decline):
        with pytest.raises(PermanentError):
            act(proposal, actor=kim, reason=reason)
    proposal.refresh_from_db()
    assert proposal.status == "open"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_accept_at_once_one_does(kim: User) -> None:
    proposal, sam = proposed(kim), people("Administrator", email="sam@example.com")
    tried(proposal, kim)
    n = PolicyActivation.objects.count()
    answers = at_once(
        lambda: rule_proposals.accept(proposal, actor=kim, reason="Kim says so."),
        lambda: rule_proposals.accept(proposal, actor=sam, reason="Sam says so."),
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["PolicyVersion", "StaleState"]
    assert PolicyActivation.objects.count() == n + 1
    assert ledger_of(proposal) == ["proposed", "accepted"]


@pytest.mark.django_db(transaction=True)
def test_two_who_look_at_once_propose_a_rule_once(kim: User) -> None:
    asked(in_force(kim), 40, "dismissed")
    assert sorted(len(made) for made in at_once(rule_proposals.propose, rule_proposals.propose)) == [0, 1]
    assert RuleProposal.objects.count() == 1


def test_the_command_shows_the_record_and_proposes(kim: User, capsys: Any) -> None:
    call_command("policy_record")
    assert "No rule has asked a person anything." in capsys.readouterr().out
    asked(in_force(kim), 40, "dismissed")
    call_command("policy_record", "--propose")
    said = capsys.readouterr().out
    assert "1 new proposal." in said
    assert "0% (0% to 9%)" in said
    assert "Proposed: house_rules.house_word: warn → info (at most 9%, floor 20%)" in said
    call_command("policy_record", "--locale", "zh-Hans")
    assert "house_rules.house_word  " not in capsys.readouterr().out


def test_loading_the_files_says_that_it_would_take_a_softer_severity_back(kim: User, capsys: Any) -> None:
    version = policy_versions.policy_in_force().version
    (rule,) = (one for one in record_of(version) if one.name == "us_ftc.substantiation")
    proposal = factories.rule_proposal(rule_hash=rule.rule_hash)
    tried(proposal, kim)
    rule_proposals.accept(proposal, actor=kim, reason="Nobody minds.")
    call_command("load_policies", "--dry-run")
    said = capsys.readouterr().out
    assert "~ us_ftc.substantiation: severity" in said
    assert "us_ftc.substantiation was made info" in said


def test_who_is_erased_leaves_no_words_on_a_proposal(kim: User) -> None:
    proposal = proposed(kim)
    rule_proposals.decline(proposal, actor=kim, reason="Kim Jones says no.")
    forget_words(kim)
    proposal.refresh_from_db()
    assert proposal.reason == ERASED


def test_the_command_counts_over_any_number_of_days(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("policy_record", days=10**12)
    assert "drafts of the last 36500 days" in capsys.readouterr().out
