"""The pages of policies and of retro-scans: what they show, who may act, and the story of a recall in a browser."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from catalog.models import PublishedCopy
from moderation import policy_versions
from moderation.drafting import screening
from moderation.models.policies import PolicyVersion
from moderation.models.retro_scans import RetroScan
from tests import factories as make
from tests import people
from tests.chromium import needs_chromium
from tests.console.test_in_browser import Visitor, visitor
from tests.moderation.test_policies import changed
from tests.moderation.test_retro_scan import live, work

__all__ = ["visitor"]
pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def words(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_version_shows_rules_law_and_examples() -> None:
    page = words(signed_in(people.people("Auditor")).get(reverse("console:policy", args=[1])))
    assert "16 CFR 465.2" in page
    assert "最佳食用时间为开封后三天内。" in page
    assert "It cures arthritis." in page
    assert "no_battery_no_charging" in page


def test_a_version_shows_what_differs_from_the_one_before() -> None:
    kim = people.people("Administrator")
    second, _ = policy_versions.store_version(changed(), actor=kim)
    client = signed_in(kim)
    page = words(client.get(reverse("console:policy", args=[second.number])))
    assert "+ house_rules.house_word" in page
    overview = words(client.get(reverse("console:policies")))
    assert "Kept, never in force" in overview
    policy_versions.activate(second, actor=kim, reason="A word nobody likes.")
    overview = words(client.get(reverse("console:policies")))
    assert "A word nobody likes." in overview
    assert "that are not in force" in overview  # the files hold the older one


def test_a_finding_and_a_decision_lead_to_the_policy_they_were_made_under() -> None:
    draft = make.candidate("The best mug there is.", status="in_review")
    screening.save_findings(draft, screening.find_problems(screening.draft_of(draft)))
    item = make.review_item(draft, status="decided")
    robin = people.people("Reviewer")
    version = screening.policy_version()
    item.decisions.create(outcome="approve", decided_by="human_single", reviewer=robin, policy_version=version)
    client = signed_in(robin)
    page = words(client.get(reverse("console:candidate", args=[draft.pk])))
    assert f"{reverse('console:policy', args=[1])}?rule=substantiation#us_ftc.substantiation" in page
    link = reverse("console:policy_by_hash", args=[version])
    assert link in page
    assert "Policy 1" in words(client.get(link))
    assert client.get(reverse("console:policy_by_hash", args=["f" * 64])).status_code == 404


def test_who_may_not_see_policies_or_scans_is_refused() -> None:
    nobody, reviewer = signed_in(people.people(None)), signed_in(people.people("Reviewer"))
    assert nobody.get(reverse("console:policies")).status_code == 403
    assert reviewer.get(reverse("console:policies")).status_code == 200
    assert reviewer.get(reverse("console:retro_scans")).status_code == 403


def test_a_reviewer_starts_no_scan_by_hand() -> None:
    reviewer = signed_in(people.people("Reviewer"))
    answer = reviewer.post(reverse("console:start_retro_scan"), {"policy": 1, "reason": "why not", "severity": "block"})
    assert answer.status_code == 403
    assert not RetroScan.objects.exists()


@pytest.mark.browser
@needs_chromium
@pytest.mark.django_db(transaction=True)
def test_a_policy_is_tried_recalled_and_undone_by_clicking(visitor: Visitor) -> None:
    people.people("Administrator", email="admin@example.com")
    people.people("Senior reviewer", email="senior@example.com")
    kim = User.objects.get(email="admin@example.com")
    version, _ = policy_versions.store_version(changed(), actor=kim)
    for n in range(3):
        live(f"A snazzy mug, number {n}, for tea in the morning.")
    live("A plain mug for tea.")
    visitor.sign_in("admin@example.com")
    visitor.open(reverse("console:policies"))
    visitor.open(reverse("console:policy", args=[PolicyVersion.objects.get(pk=version.pk).number]))
    visitor.page.click("summary:has-text('Absolute') , summary:has-text('superlative')")
    visitor.open(reverse("console:retro_scans"))
    visitor.page.select_option("#policy", str(version.number))
    visitor.page.fill("#reason", "Before it comes into force.")
    visitor.page.click("text=Start the dry run")
    visitor.page.wait_for_load_state("networkidle")
    scan = RetroScan.objects.get()
    work(scan)
    here = reverse("console:retro_scan", args=[scan.pk])
    visitor.open(here)
    visitor.page.click("summary:has-text('Take down 3 texts')")
    visitor.page.fill("#why", "The word is not for this house.")
    visitor.page.click("text=Take them down")
    visitor.page.wait_for_load_state("networkidle")
    work(scan)
    assert PublishedCopy.objects.filter(retired_at=None).count() == 1
    visitor.page.context.clear_cookies()
    visitor.sign_in("senior@example.com")
    visitor.open(here + "?code=house_word")
    visitor.page.click("summary:has-text('Put them back')")
    visitor.page.fill("#why-back", "It is a good word after all.")
    visitor.page.click(".es-form >> text=Put them back")
    visitor.page.wait_for_load_state("networkidle")
    work(scan)
    assert PublishedCopy.objects.filter(retired_at=None).count() == 4
    visitor.open(here)
    assert "Put back" in visitor.page.inner_text("#main, main")
    assert not visitor.troubles
