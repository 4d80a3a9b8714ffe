"""The review page over a real Label Studio: by keyboard alone, the next item by itself, and on a phone."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest

from catalog.models import PublishedCopy
from moderation.models.reviewers import Skip
from moderation.models.reviews import Decision, ReviewItem
from tests.browser.reviewing import Reviewer
from tests.chromium import barriers, needs_chromium
from tests.label_studio_server import REVIEWER
from tests.workers import wait_for

pytestmark = [
    pytest.mark.browser,
    pytest.mark.label_studio,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]


def _quick(times: list[float]) -> str:
    return f"median {statistics.median(times):.2f} s, slowest {max(times):.2f} s of {len(times)}"


def test_copy_is_decided_by_keyboard_alone_and_each_next_one_comes_by_itself(
    sits_down: Callable[..., Reviewer], capsys: Any
) -> None:
    n = 6
    reviewer = sits_down(drafts=n)
    reviewer.begin()
    assert ReviewItem.objects.get(pk=reviewer.item).assignee.email == REVIEWER.email
    times = []
    for number in range(n):
        if number < n - 1:
            reviewer.wait_for_one_ahead()
        if number == 2:
            reviewer.press("3", "w", "e")
        else:
            reviewer.press("1")
        reviewer.keep(f"review-{number}")
        times.append(reviewer.submit())
    served = time.monotonic()
    wait_for(lambda: Decision.objects.count() == n, what="the decisions")
    took = time.monotonic() - served
    assert PublishedCopy.objects.count() == n - 1
    assert Decision.objects.get(outcome="reject").reason_codes == ["wrong_fact", "tone"]
    reviewer.page.get_by_text("Nothing waits for you").wait_for()
    with capsys.disabled():
        print(f"\nSubmit → next: {_quick(times[:-1])}; the last decision {took:.1f} s after its answer")  # noqa: T201
    # On two idle cores 1 s is the aim; beside other tests this is a net for what waits for a beat or a reconcile.
    assert statistics.median(times[:-1]) <= 4.0, _quick(times)


def test_sentiments_are_labelled_by_keyboard_alone_on_a_phone(sits_down: Callable[..., Reviewer], capsys: Any) -> None:
    n = 5
    reviewer = sits_down(labels=n, width=390)
    reviewer.page.goto(f"{reviewer.console}/console/review/sentiment/")
    reviewer.wait_until_ready()
    times = []
    for number in range(n):
        if number < n - 1:
            reviewer.wait_for_one_ahead()
        reviewer.keep(f"phone-sentiment-{number}")
        wide = reviewer.page.evaluate("document.scrollingElement.scrollWidth")
        assert wide <= 390, f"{wide} pixels wide"
        reviewer.press("123"[number % 3])
        times.append(reviewer.submit())
    wait_for(lambda: Decision.objects.count() == n, what="the labels")
    assert {d.label for d in Decision.objects.all()} == {"positive", "neutral", "negative"}
    with capsys.disabled():
        print(f"\nSubmit → next on a phone: {_quick(times[:-1])}")  # noqa: T201


def test_an_open_warning_comes_back_is_ticked_by_its_key_and_goes_out(sits_down: Callable[..., Reviewer]) -> None:
    reviewer = sits_down(drafts=1, warned=True)
    reviewer.begin()
    item = reviewer.item
    reviewer.press("1", "1")
    reviewer.keep("warning-accept")
    assert reviewer.task.get_by_label("Accept").first.is_checked(), "a key that ticks does not un-tick"
    reviewer.press("Control+Enter")
    reviewer.toast("Once more, please")
    reviewer.page.locator("[data-again]", has_text="1 warning is still open").wait_for()
    reviewer.wait_until_ready()
    reviewer.keep("warning-again")
    reviewer.press("F1", "Control+Enter")
    wait_for(lambda: ReviewItem.objects.get(pk=item).status == "decided", what="the decision")
    reviewer.toast("Published: Harbour mug 1")
    finding = ReviewItem.objects.get(pk=item).candidate.findings.get()
    assert finding.verdict == "dismissed"
    reviewer.press("b")
    reviewer.page.locator("[data-own-answers]", has_text="Published: Harbour mug 1").wait_for()
    reviewer.keep("last-ten")
    reviewer.page.get_by_role("button", name="Correct").click()
    reviewer.wait_until_ready()
    assert not PublishedCopy.objects.filter(retired_at=None).exists()


def test_one_is_skipped_by_keyboard_and_a_pause_gives_everything_back(sits_down: Callable[..., Reviewer]) -> None:
    reviewer = sits_down(drafts=3)
    reviewer.begin()
    first = reviewer.item
    reviewer.press("s")
    reviewer.page.locator("dialog[open]").wait_for()
    reviewer.keep("skip")
    assert barriers(reviewer.page) == []
    reviewer.press("2")
    reviewer.page.wait_for_function(
        "first => ![first, ''].includes(document.querySelector('[data-review]').dataset.showing)", arg=first
    )
    assert Skip.objects.get().reason == "unsure"
    reviewer.wait_until_ready()
    assert barriers(reviewer.page) == []
    reviewer.press("?")
    reviewer.page.get_by_role("heading", name="Keys").wait_for()
    reviewer.keep("help")
    assert barriers(reviewer.page) == []
    reviewer.press("Escape")
    reviewer.page.get_by_role("button", name="Pause").click()
    reviewer.page.get_by_text("Nothing of this queue is reserved for you").wait_for()
    wait_for(lambda: not ReviewItem.objects.filter(status="dispatched").exists(), seconds=20, what="all of it")


def test_who_closes_the_page_gives_back_what_was_ahead(sits_down: Callable[..., Reviewer]) -> None:
    reviewer = sits_down(drafts=2)
    reviewer.begin()
    reviewer.wait_for_one_ahead()
    assert ReviewItem.objects.filter(status="dispatched").count() == 2
    reviewer.page.goto("about:blank")
    wait_for(lambda: ReviewItem.objects.filter(status="dispatched").count() == 1, seconds=20, what="the one ahead")


def test_with_the_webhook_cut_the_page_itself_says_that_it_was_answered(sits_down: Callable[..., Reviewer]) -> None:
    reviewer = sits_down(drafts=2, webhooks=False)
    reviewer.begin()
    assert barriers(reviewer.frame) == []
    reviewer.press("1")
    reviewer.submit()
    reviewer.toast("Published")
    assert PublishedCopy.objects.count() == 1
