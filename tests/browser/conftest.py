"""Fixtures of the stories in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from labeling import sync
from labeling.accounts import sync_accounts
from labeling.door.desk import Desk as DoorsDesk
from labeling.door.upstream import Forward
from moderation.decisions import settling
from questions.sentiment.question import Sentiment
from tests import door, factories, people
from tests.browser.reviewing import Reviewer
from tests.label_studio_server import REVIEWER, Desk
from tests.model_store import prepared_models
from tests.moderation.conftest import GOOD

__all__ = ["page", "prepared_models"]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A tab of a headless Chromium that has been nowhere yet."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    tab = context.new_page()
    tab.set_default_timeout(90_000)
    yield tab
    context.close()


@pytest.fixture
def open_door(label_studio: Desk, live_server: Any, settings: Any) -> Iterator[str]:
    """The door before the session's Label Studio, for browsers, on one site with the console; gives the door's address."""
    settings.SITE_URL = live_server.url
    host = live_server.url.split("://")[1].split(":")[0]
    held: list[Any] = []
    with door.served(lambda environ, start_response: held[0](environ, start_response)) as url:
        url = url.replace("127.0.0.1", host)
        settings.LABELING = replace(settings.LABELING, door_url=url)
        desk = DoorsDesk(live_server.url, settings.LABELING.door_key)
        held.append(door.door_before(Forward(label_studio.url), desk=desk))
        yield url


@pytest.fixture
def sits_down(
    label_studio: Desk,
    live_server: Any,
    open_door: str,
    start_worker: Callable[..., Any],
    settings: Any,
    page: Page,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Reviewer]:
    """Return a function that opens work in Label Studio, starts workers, and has a reviewer sign in.

    Nothing is reconciled: what arrives was told by a webhook, or by the page.
    """

    def begin(
        *, drafts: int = 0, labels: int = 0, warned: bool = False, width: int = 1280, webhooks: bool = True
    ) -> Reviewer:
        hear_at = live_server.url if webhooks else "http://127.0.0.1:9"
        settings.LABELING = replace(settings.LABELING, webhook_url=hear_at)
        settings.MODERATION = replace(
            settings.MODERATION, queue=settings.MODERATION.queue | {"rereview_percent": 0, "blind_percent": 0}
        )
        monkeypatch.setattr(Sentiment, "ask_below", 1.01)
        people.people("Reviewer", email=REVIEWER.email)
        sync_accounts()
        for number in range(drafts):
            draft = factories.candidate(GOOD, status="in_review", rank=1)
            if warned and number == 0:
                factories.finding(draft, "sea green")
        for number in range(labels):
            factories.sentiment(factories.customer_review(f"Fine, number {number}."), confidence=0.6)
        while settling.open_reviews():
            pass
        assert sync.push_tasks() == drafts + labels
        env = {
            "LABEL_STUDIO_URL": label_studio.url,
            "LABEL_STUDIO_TOKEN": settings.LABELING.token,
            "LABEL_STUDIO_WEBHOOK_URL": hear_at,
            "LABEL_STUDIO_RECONCILE_SECONDS": "3600",
            "LABEL_STUDIO_WEBHOOK_SECRET": settings.LABELING.webhook_secret,
            "SITE_URL": live_server.url,
        }
        start_worker("external", **env)
        start_worker("default", **env)
        page.set_viewport_size({"width": width, "height": 844 if width < 500 else 900})
        return Reviewer(page, live_server.url, REVIEWER.email)

    return begin
