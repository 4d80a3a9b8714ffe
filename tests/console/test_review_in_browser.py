"""The review page and My work in a real browser, without a task in the frame: wide and on a phone, and for everybody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.urls import reverse

from moderation.decisions import settling
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out
from tests import factories as make
from tests import people
from tests.chromium import barriers, needs_chromium
from tests.console.test_in_browser import Visitor, visitor

__all__ = ["visitor"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), needs_chromium]
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def reviewer(settings: Any) -> Any:
    """A reviewer who has answered some, and has some before them."""
    rules = {"rereview_percent": 0}
    settings.MODERATION = replace(settings.MODERATION, queue={**settings.MODERATION.queue, **rules})
    person = people.people("Reviewer", email="robin@example.com")
    for said in ({"verdict": "accept"}, {"verdict": "reject", "reason_codes": ["tone"]}, {"verdict": "reject"}):
        item = make.review_item(make.candidate(status="in_review", rank=1))
        assert handing_out.next_item(person, question="copy_verdict") == item
        make.answer(item, person, **said)
        settling.settle_decisions()
    return person


@pytest.mark.usefixtures("reviewer")
def test_the_pages_of_a_reviewer_are_for_everybody_and_fit_a_phone(visitor: Visitor) -> None:
    page = visitor.page
    visitor.sign_in("robin@example.com")
    seen = {
        reverse("console:my_work"): "[data-own-answers]",
        f"{reverse('console:review', args=['copy_verdict'])}?paused": "text=Paused",
        reverse("console:review", args=["sentiment"]): "text=Nothing waits for you",
        reverse("console:review", args=["copy_verdict"]): "[data-again]:not([hidden])",
    }
    grave: list[str] = []
    for size, name in (({"width": 1280, "height": 800}, "wide"), (PHONE, "phone")):
        page.set_viewport_size(size)
        for number, (address, sign) in enumerate(seen.items()):
            page.goto(f"{visitor.address}{address}")
            page.wait_for_selector(sign)
            page.wait_for_timeout(300)
            visitor.keep(f"reviewing-{number}-{name}")
            wide = page.evaluate("document.scrollingElement.scrollWidth")
            grave += [f"{name} {address}: {wide} pixels wide"] if wide > size["width"] else []
            grave += [f"{name} {address}: {trouble}" for trouble in barriers(page)]
        for key, title in (("?", "Keys"), ("s", "Skip it, because …"), ("b", "Your last ten")):
            page.locator("h1").click()
            page.keyboard.press(key)
            page.get_by_role("heading", name=title).wait_for()
            page.wait_for_timeout(300)
            visitor.keep(f"reviewing-{title[:4].lower()}-{name}")
            grave += [f"{name} {title}: {trouble}" for trouble in barriers(page)]
            page.keyboard.press("Escape")
        bar = page.locator(".es-bar-top").bounding_box()
        grave += [f"{name}: a bar of {bar['height']} pixels"] if bar["height"] > (60 if name == "wide" else 130) else []
    assert not grave, "\n".join(grave)


def test_what_is_given_back_stands_above_the_task_and_what_became_of_an_answer_is_told(
    reviewer: Any, visitor: Visitor
) -> None:
    page = visitor.page
    visitor.sign_in("robin@example.com")
    page.goto(f"{visitor.address}{reverse('console:review', args=['copy_verdict'])}")
    page.locator("[data-again]", has_text="tick at least one reason").wait_for()
    (held,) = handing_out.held(reviewer)
    frame = page.locator("[data-frames] iframe:not(.is-ahead)")
    assert frame.get_attribute("src") == reverse("console:door", args=[held.labeling_task_id])
    make.answer(held, reviewer, verdict="reject", reason_codes=["tone"])
    page.wait_for_function("document.querySelectorAll('[data-frames] iframe').length === 0")
    settling.settle_decisions()
    page.locator("[data-toasts] p", has_text="Rejected · change it within ten minutes").wait_for()
    assert ReviewItem.objects.get(pk=held.pk).status == "decided"
