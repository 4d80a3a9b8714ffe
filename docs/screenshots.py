"""Take the pictures of docs/images from the running desk: `make run` in one terminal, `make screenshots` in another.

Works as the senior reviewer of the demo (var/logins.txt), in the system's headless Chromium. The review item it takes
to show Label Studio goes back into the queue when the lease ends.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("ECOMSITE_VAR", ROOT / "var"))
IMAGES = ROOT / "docs" / "images"
WHO = "senior@example.com"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]
SIZE: ViewportSize = {"width": 1360, "height": 900}


def password() -> str:
    """Return the password of `WHO`. Exits with the way out when the desk never ran here."""
    file = VAR / "logins.txt"
    if not file.exists():
        sys.exit(f"{file} is not there: start the desk with `make run` first.")
    lines = (line.split() for line in file.read_text().splitlines())
    return next(words[-1] for words in lines if words and words[0] == WHO)


def keep(page: Page, name: str) -> None:
    """Save what `page` shows as docs/images/`name`.png."""
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / f"{name}.png")
    sys.stdout.write(f"docs/images/{name}.png\n")


def console(page: Page, site: str, secret: str) -> None:
    """Take the pages of the console."""
    page.goto(site)
    page.fill("[name=username]", WHO)
    page.fill("[name=password]", secret)
    page.click("[type=submit]")
    keep(page, "dashboard")
    page.goto(f"{site}/console/moderation/reviewitem/?status__exact=waiting")
    keep(page, "queue")
    page.goto(f"{site}/console/moderation/candidate/?status__exact=in_review")
    drafts = page.locator("#result_list a[href*='/candidate'], table a[href*='/candidate']")
    for address in dict.fromkeys(drafts.evaluate_all("links => links.map(link => link.href)")):
        page.goto(address)
        if page.locator("mark").count():  # one with something found in it
            break
    keep(page, "candidate")
    page.goto(f"{site}/console/request-copy/")
    keep(page, "request-copy")


def label_studio(page: Page, site: str) -> None:
    """Take the review page with the next item, with the text open for a fix."""
    page.goto(f"{site}/console/review/copy_verdict/")
    task = page.frame_locator("[data-frames] iframe:not(.is-ahead)")
    task.locator("[data-testid=bottombar-submit-button]").wait_for()
    page.keyboard.press("2")
    page.wait_for_timeout(1500)
    keep(page, "label-studio")


def main() -> None:
    """Take them all."""
    if not (VAR / "stack.json").exists():
        sys.exit("The desk does not run: start it with `make run` first.")
    site = json.loads((VAR / "stack.json").read_text())["console"].removesuffix("/console/")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("There is no Chromium here. On Debian: apt-get install chromium")
    IMAGES.mkdir(exist_ok=True)
    secret = password()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport=SIZE)
        console(page, site, secret)
        label_studio(page, site)
        browser.close()


if __name__ == "__main__":
    main()
