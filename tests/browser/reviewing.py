"""A person at the review page, in a real browser: by keyboard, with what they see and how long it takes."""

from __future__ import annotations

import os
import time
from pathlib import Path

from playwright.sync_api import Frame, FrameLocator, Page

from tests import people

SHOWN = "[data-frames] iframe:not(.is-ahead)"
SUBMIT = "[data-testid=bottombar-submit-button], [data-testid=bottombar-update-button]"


class Reviewer:
    """A tab, signed in to the console once, as one person."""

    def __init__(self, page: Page, console: str, email: str) -> None:
        self.page, self.console = page, console
        page.goto(f"{console}/")
        page.fill("[name=username]", email)
        page.fill("[name=password]", people.PASSWORD)
        page.click("[type=submit]")
        page.wait_for_selector("[data-refresh]")

    def begin(self, question: str = "copy_verdict") -> None:
        """Press Next on the desk, and wait until a task can be answered."""
        self.page.locator(f"main a[href*='/review/{question}/'], #main a[href*='/review/{question}/']").first.click()
        self.wait_until_ready()

    @property
    def item(self) -> str:
        """The key of the item that is shown."""
        return str(self.page.locator("[data-review]").get_attribute("data-showing"))

    @property
    def task(self) -> FrameLocator:
        """The frame of the task that is shown."""
        return self.page.frame_locator(SHOWN)

    @property
    def frame(self) -> Frame:
        """The same, for axe."""
        handle = self.page.locator(SHOWN).element_handle()
        frame = handle.content_frame()
        assert frame is not None
        return frame

    def wait_until_ready(self) -> None:
        """Wait until the task that is shown can be read and answered."""
        self.task.locator(SUBMIT).first.wait_for(timeout=90_000)

    def wait_for_one_ahead(self) -> None:
        """Wait until the next task is loaded behind the one that is shown: people read for longer than that takes."""
        self.page.frame_locator("[data-frames] iframe.is-ahead").locator(SUBMIT).first.wait_for(
            state="attached", timeout=90_000
        )

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        for key in keys:
            self.page.keyboard.press(key)

    def submit(self) -> float:
        """Submit by keyboard; returns the seconds until another task stands there, ready to read."""
        before, began = self.item, time.monotonic()
        self.press("Control+Enter")
        self.page.wait_for_function(
            "before => document.querySelector('[data-review]').dataset.showing !== before", arg=before, timeout=60_000
        )
        if self.item:
            self.wait_until_ready()
        return time.monotonic() - began

    def toast(self, words: str) -> None:
        """Wait for the page to say so."""
        self.page.locator("[data-toasts] p", has_text=words).first.wait_for(timeout=60_000)

    def keep(self, name: str) -> None:
        """Keep a picture, where CONSOLE_SHOTS names a folder."""
        if folder := os.environ.get("CONSOLE_SHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(Path(folder) / f"{name}.png"))
