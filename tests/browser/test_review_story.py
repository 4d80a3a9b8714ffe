"""The main story, as a reviewer lives it: Next in the console, the answer on the review page, the text in the API."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page

from core.actors import SystemActor
from labeling.accounts import sync_accounts
from moderation.drafting import ordering
from moderation.models.candidates import Candidate
from moderation.models.reviews import ReviewItem
from tests import factories, people
from tests.browser.reviewing import SUBMIT, Reviewer
from tests.chromium import needs_chromium
from tests.label_studio_server import REVIEWER, Desk
from tests.moderation.conftest import GOOD
from tests.workers import wait_for

FIXED = "Harbour mug by Tideway: sea green stoneware that holds 350 ml of whatever keeps you warm."
NOWHERE = "http://127.0.0.1:9"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.label_studio,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]


class Story:
    """A desk with one product, two drafts, workers, and a reviewer in front of it."""

    def __init__(self, page: Page, address: str, sku: str) -> None:
        self.page, self.address, self.sku = page, address, sku

    def press_next(self) -> None:
        """Sign in, press Next, and arrive at the task."""
        self.reviewer = Reviewer(self.page, self.address, REVIEWER.email)
        self.reviewer.begin()

    def choose(self, label: str) -> None:
        """Tick a choice of the labelling interface."""
        self.reviewer.task.locator("label").filter(has_text=re.compile(f"^{label}")).first.click()

    def rewrite(self, text: str) -> None:
        """Put `text` in place of the draft."""
        self.reviewer.task.locator("textarea:visible").first.fill(text)

    def submit(self) -> float:
        """Submit the answer; returns the moment (monotonic seconds)."""
        self.reviewer.task.locator(SUBMIT).first.click()
        return time.monotonic()

    def served(self) -> str | None:
        """The description that the API serves now."""
        answer = httpx.get(f"{self.address}/api/v1/copy/{self.sku}?channel=description&locale=en", timeout=30)
        return str(answer.json()["text"]) if answer.status_code == 200 else None


@pytest.fixture
def tell(
    label_studio: Desk, live_server: Any, open_door: str, start_worker: Callable[..., Any], settings: Any, page: Page
) -> Callable[..., Story]:
    """Return a function that sets the scene; `webhooks=False` has every webhook get lost."""

    def begin(*, webhooks: bool = True, text: str = GOOD) -> Story:
        reach = live_server.url if webhooks else NOWHERE
        settings.LABELING = replace(settings.LABELING, webhook_url=reach)
        people.people("Reviewer", email=REVIEWER.email)
        sync_accounts()
        factories.model_version(backend="scripted", artifact_hash="", options={"texts": [text, text + " It is yours."]})
        product = factories.product(title="Harbour mug 1")
        env = {
            "LABEL_STUDIO_URL": label_studio.url,
            "LABEL_STUDIO_TOKEN": settings.LABELING.token,
            "LABEL_STUDIO_WEBHOOK_URL": reach,
            "LABEL_STUDIO_WEBHOOK_SECRET": settings.LABELING.webhook_secret,
            "LABEL_STUDIO_DOOR_KEY": settings.LABELING.door_key,
            "LABEL_STUDIO_RECONCILE_SECONDS": "3600" if webhooks else "8",
            "SITE_URL": live_server.url,
        }
        start_worker("gpu", **env)
        start_worker("default,external", **env)
        start_worker("", beat=True, **env)
        ordering.request_copy(
            [product], channels=["description"], locales=["en"], actor=SystemActor("tests"), n_candidates=2
        )
        wait_for(
            lambda: ReviewItem.objects.filter(labeling_task__ls_task_id__isnull=False).exists(),
            seconds=90,
            what="the draft in Label Studio",
        )
        return Story(page, live_server.url, product.sku)

    return begin


def test_a_fix_made_in_label_studio_is_served_within_five_seconds(tell: Callable[..., Story]) -> None:
    story = tell()
    assert story.served() is None, "nothing is out before a person has looked"
    story.press_next()
    item = ReviewItem.objects.get()
    assert story.reviewer.item == str(item.pk), "Next leads to that very task"
    assert (item.status, item.assignee.email) == ("dispatched", REVIEWER.email)
    story.choose("Fix")
    story.rewrite(FIXED)
    story.choose("Off brand")
    submitted = story.submit()
    wait_for(lambda: story.served() == FIXED, what="the API to serve the fix")
    took = time.monotonic() - submitted
    assert took <= 10, f"it took {took:.1f} s"
    child = Candidate.objects.get(origin="human")
    assert (child.status, child.parent.status) == ("published", "superseded")


def test_what_the_checks_propose_is_taken_by_one_key(tell: Callable[..., Story]) -> None:
    story = tell(text=GOOD.replace("350 ml", "900 ml"))
    story.press_next()
    story.reviewer.task.get_by_text("Proposed:").first.wait_for(timeout=60_000)
    story.reviewer.press("4")
    story.reviewer.press("Control+Enter")
    wait_for(story.served, what="the API to serve the fix")
    assert str(story.served()).startswith(GOOD)
    child = Candidate.objects.get(origin="human")
    assert [fixup["text"] for fixup in child.params["fixups"]] == ["350 ml"]


def test_with_every_webhook_lost_the_next_reconcile_brings_the_answer(tell: Callable[..., Story]) -> None:
    story = tell(webhooks=False)
    story.press_next()
    story.choose("Accept")
    submitted = story.submit()
    wait_for(story.served, what="the reconcile")
    assert time.monotonic() - submitted <= 40, "within one reconcile (8 s) and the sweep behind it, on a busy machine"


def test_what_a_reviewer_rejects_is_never_served_and_the_next_draft_comes_up(tell: Callable[..., Story]) -> None:
    story = tell()
    first = ReviewItem.objects.get().candidate
    story.press_next()
    story.choose("Reject")
    story.submit()
    story.reviewer.task.get_by_text("Tick at least one reason.").first.wait_for(timeout=60_000)
    story.page.keyboard.press("Escape")
    story.choose("Wrong fact")
    story.submit()

    def is_rejected() -> bool:
        return Candidate.objects.get(pk=first.pk).status == "rejected"

    wait_for(is_rejected, what="the decision")
    assert story.served() is None
    wait_for(lambda: ReviewItem.objects.exclude(candidate=first).exists(), what="the next draft's item")
    assert story.served() is None
