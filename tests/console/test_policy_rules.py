"""The pages of rules and of proposals: what they show, who may answer, and the story of one in a browser."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from moderation import policy_versions
from moderation.live import rule_proposals
from moderation.models.policies import PolicyActivation
from moderation.models.retro_scans import RetroScan
from moderation.models.rule_proposals import RuleProposal
from tests import people
from tests.chromium import barriers, needs_chromium
from tests.console.test_in_browser import Visitor, visitor
from tests.console.test_policies import signed_in, words
from tests.moderation.test_policy_record import asked, in_force
from tests.moderation.test_retro_scan import live, work
from tests.moderation.test_rule_proposals import proposed, tried

__all__ = ["visitor"]
pytestmark = pytest.mark.django_db
ACTS = ("try_rule_proposal", "accept_rule_proposal", "decline_rule_proposal")


@pytest.fixture
def kim() -> User:
    return people.people("Administrator", email="admin@example.com")


def test_where_nobody_was_asked_the_page_says_so() -> None:
    page = words(signed_in(people.people("Reviewer")).get(reverse("console:policy_rules")))
    assert "No rule has asked a person anything in the last 90 days." in page
    assert "us_ftc.substantiation" in page


def test_each_rule_stands_there_with_its_share_its_floor_and_its_locales(kim: User) -> None:
    version = in_force(kim)
    asked(version, 12, "dismissed")
    asked(version, 12, "confirmed", locale="zh-Hans")
    page = words(signed_in(kim).get(reverse("console:policy_rules")))
    assert "50%" in page
    assert "(31% to 69%)" in page
    assert "zh-Hans: 12 confirmed, 0 dismissed of 12" in page
    assert "floor 20%" in page


def test_few_answers_make_no_share(kim: User) -> None:
    asked(in_force(kim), 3, "dismissed")
    assert "3 answers: too few for a share" in words(signed_in(kim).get(reverse("console:policy_rules")))


@pytest.mark.parametrize("by", ["share", "rule", "confirmed", "dismissed", "drafts", "'; nonsense"])
def test_the_table_is_sorted_by_what_is_asked_for(kim: User, by: str) -> None:
    version = in_force(kim)
    asked(version, 3, "dismissed")
    assert "house_rules.house_word" in words(signed_in(kim).get(reverse("console:policy_rules"), {"by": by}))


def test_who_may_not_see_policies_sees_neither_page(kim: User) -> None:
    proposal, nobody = proposed(kim), signed_in(people.people(None))
    for path in (reverse("console:policy_rules"), reverse("console:rule_proposal", args=[proposal.pk])):
        assert nobody.get(path).status_code == 403


def test_a_reviewer_sees_a_proposal_and_no_buttons(kim: User) -> None:
    proposal = proposed(kim)
    tried(proposal, kim)
    page = words(signed_in(people.people("Reviewer")).get(reverse("console:rule_proposal", args=[proposal.pk])))
    assert "None of 0 live texts would be found otherwise." in page
    assert "Your answer" not in page
    assert "Try it on live copy" not in page


@pytest.mark.parametrize("name", ACTS)
def test_a_forged_answer_changes_nothing(kim: User, name: str) -> None:
    proposal = proposed(kim)
    tried(proposal, kim)
    path, n = reverse(f"console:{name}", args=[proposal.pk]), PolicyActivation.objects.count()
    assert signed_in(people.people("Reviewer")).post(path, {"reason": "mine"}).status_code == 403
    assert signed_in(kim).get(path, {"reason": "mine"}).status_code == 405
    elsewhere = Client(enforce_csrf_checks=True)
    elsewhere.force_login(kim)
    assert elsewhere.post(path, {"reason": "mine"}).status_code == 403
    assert signed_in(kim).post(reverse(f"console:{name}", args=[proposal.pk + 1]), {"reason": "x"}).status_code == 404
    proposal.refresh_from_db()
    assert (proposal.status, PolicyActivation.objects.count()) == ("open", n)
    assert RetroScan.objects.count() == 1


def test_what_cannot_be_accepted_is_told_in_words(kim: User) -> None:
    proposal = proposed(kim)
    path = reverse("console:accept_rule_proposal", args=[proposal.pk])
    page = words(signed_in(kim).post(path, {"reason": "Fine."}, follow=True))
    assert "What it would change on live copy is not known yet." in page


@pytest.mark.slow("a browser, a trial on live copy, and axe on two pages")
@pytest.mark.browser
@needs_chromium
@pytest.mark.django_db(transaction=True)
def test_a_rule_is_made_softer_by_clicking_on_a_phone(visitor: Visitor, kim: User) -> None:
    live("A snazzy mug for tea, and it has a handle.")
    version = in_force(kim)
    asked(version, 30, "dismissed")
    asked(version, 20, "dismissed", locale="zh-Hans")
    asked(version, 1, "confirmed", findings=2)
    rule_proposals.propose()
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    visitor.sign_in("admin@example.com")
    visitor.open(reverse("console:policies"))
    visitor.page.click("text=What people say to each rule")
    visitor.page.wait_for_load_state("networkidle")
    visitor.keep("policies-rules")
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert barriers(visitor.page) == []
    visitor.page.click("table a:has-text('house_rules.house_word') >> nth=0")
    visitor.page.wait_for_load_state("networkidle")
    visitor.page.click("button:has-text('Try it on live copy')")
    visitor.page.wait_for_load_state("networkidle")
    work(RetroScan.objects.get())
    visitor.open(reverse("console:rule_proposal", args=[RuleProposal.objects.get().pk]))
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert barriers(visitor.page) == []
    assert "In 1 of 1 live texts" in visitor.page.inner_text("#main, main")
    visitor.page.click("summary:has-text('Make it softer')")
    visitor.page.fill("#why", "Readers like the word.")
    visitor.page.click("text=Put it in force")
    visitor.page.wait_for_load_state("networkidle")
    rules = policy_versions.policy_in_force().version.content["packs"]
    assert [one["severity"] for pack in rules if pack["pack"] == "house_rules" for one in pack["rules"]] == ["info"]
    assert not visitor.troubles
