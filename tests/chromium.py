"""The system's headless Chromium, for the tests that look at pages."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Frame, Page

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


def barriers(page: Page | Frame) -> list[str]:
    """What axe finds critical or serious for who cannot see or use a mouse, on a page without its frames or in one frame."""
    found: Any = Axe().run(page, options={"iframes": False})  # type: ignore[arg-type]
    grave = [v for v in found.response["violations"] if v["impact"] in ("critical", "serious")]
    return [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in grave]
