"""Forty decisions at the review page by keyboard alone, at a desk and on a phone, and how long each lets a person wait.

The bars are for two cores with nothing else running; `test_review_page` is the short form.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from moderation.models.reviews import Decision, ReviewItem
from tests.browser.reviewing import Reviewer
from tests.chromium import needs_chromium
from tests.workers import wait_for

N = 20
pytestmark = [
    pytest.mark.long,
    pytest.mark.browser,
    pytest.mark.label_studio,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]


def _p95(times: list[float]) -> float:
    return sorted(times)[round(0.95 * (len(times) - 1))]


def _served(reviewer: Reviewer, sku: str, pressed: float) -> float:
    """Wait until the API serves a text for `sku`; returns the seconds since `pressed`."""
    address = f"{reviewer.console}/api/v1/copy/{sku}"
    wait_for(lambda: httpx.get(address).status_code == 200, seconds=30, what=f"the text of {sku}")
    return time.monotonic() - pressed


@pytest.mark.parametrize("width", [1280, 390])
def test_forty_decisions_by_keyboard_alone(sits_down: Callable[..., Reviewer], width: int, capsys: Any) -> None:
    reviewer = sits_down(drafts=N, labels=N, width=width)
    reviewer.begin()
    next_in, served_in = [], []
    for number in range(N):
        candidate = ReviewItem.objects.select_related("candidate__product").get(pk=reviewer.item).candidate
        if number < N - 1:
            reviewer.wait_for_one_ahead()
        if number % 5 == 4:
            reviewer.press("3", "w")
            next_in.append(reviewer.submit())
        else:
            reviewer.press("1")
            pressed = time.monotonic()
            next_in.append(reviewer.submit())
            served_in.append(_served(reviewer, candidate.product.sku, pressed))
    reviewer.page.goto(f"{reviewer.console}/console/review/sentiment/")
    reviewer.wait_until_ready()
    for number in range(N):
        if number < N - 1:
            reviewer.wait_for_one_ahead()
        reviewer.press("123"[number % 3])
        next_in.append(reviewer.submit())
    wait_for(lambda: Decision.objects.count() == 2 * N, what="the decisions")
    found = (
        f"{width} px: Submit → next median {statistics.median(next_in):.2f} s, p95 {_p95(next_in):.2f};"
        f" Submit → served median {statistics.median(served_in):.2f} s, slowest {max(served_in):.2f}"
    )
    with capsys.disabled():
        print(f"\n{found}")  # noqa: T201
    assert statistics.median(next_in) <= 1.0, found
    assert _p95(next_in) <= 2.0, found
    assert max(served_in) <= 3.0, found
