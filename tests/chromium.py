"""The system's headless Chromium, for the tests that look at pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

# Every process of the suite loads this module, and few look at pages.
if TYPE_CHECKING:
    from playwright.sync_api import Browser, Frame, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: `apt-get install chromium`")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for the tests of a module; each has a context in it, and so cookies and a cache, of its own."""
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as environment, sync_playwright() as driver:
        # The driver keeps an event loop in this thread, and the ORM is not used from inside of it.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def barriers(page: Page | Frame) -> list[str]:
    """What axe finds critical or serious for who cannot see or use a mouse, on a page without its frames or in one frame."""
    from axe_playwright_python.sync_playwright import Axe

    found: Any = Axe().run(page, options={"iframes": False})  # type: ignore[arg-type]
    grave = [v for v in found.response["violations"] if v["impact"] in ("critical", "serious")]
    return [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in grave]
