"""Fixtures of the stories in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from labeling.door.desk import Desk as DoorsDesk
from labeling.door.upstream import Forward
from tests import door
from tests.chromium import CHROMIUM, FLAGS
from tests.label_studio_server import Desk
from tests.model_store import prepared_models

__all__ = ["page", "prepared_models"]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """A tab of a fresh headless Chromium."""
    # Playwright's synchronous API runs an event loop in this thread, which Django takes for an async view.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page(viewport={"width": 1440, "height": 1000})
        tab.set_default_timeout(90_000)
        yield tab
        browser.close()


@pytest.fixture
def open_door(label_studio: Desk, live_server: Any, settings: Any) -> Iterator[str]:
    """The door before the session's Label Studio, for browsers, on one site with the console; gives the door's address."""
    settings.SITE_URL = live_server.url
    host = live_server.url.split("://")[1].split(":")[0]
    held: list[Any] = []
    with door.served(lambda environ, start_response: held[0](environ, start_response)) as url:
        url = url.replace("127.0.0.1", host)
        settings.LABELING = {**settings.LABELING, "DOOR_URL": url}
        desk = DoorsDesk(live_server.url, settings.LABELING["DOOR_KEY"])
        held.append(door.door_before(Forward(label_studio.url), desk=desk))
        yield url
