"""The console in a real browser: nothing from elsewhere, no script error, and drafts that appear by themselves."""

from __future__ import annotations

import datetime as dt
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser

from catalog.models import PublishedCopy
from moderation.models.candidates import GenerationRequest
from outbox.models import Delivery, Endpoint
from tests import factories as make
from tests import people
from tests.chromium import barriers, needs_chromium
from tests.console.test_label_quality import labelled_queue
from tests.console.test_training import finished
from tests.scenes import Scene, busy_desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]


class Visitor:
    """A browser tab that remembers everything that went wrong in it."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address, self.troubles = page, address, []
        page.on("console", lambda m: self.troubles.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("dialog", lambda dialog: (self.troubles.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.troubles.append(f"something from elsewhere: {url}")

    def sign_in(self, email: str) -> None:
        """Sign in through the login page."""
        self.page.goto(f"{self.address}/")
        self.page.fill("[name=username]", email)
        self.page.fill("[name=password]", people.PASSWORD)
        self.page.click("[type=submit]")
        self.page.wait_for_selector("[data-refresh]")

    def open(self, path: str) -> None:
        """Open a page of the console and wait until it is still; keep a picture where CONSOLE_SHOTS names a folder."""
        self.page.goto(f"{self.address}{path}")
        self.page.wait_for_load_state("networkidle")
        self.keep(path.split("?")[0].strip("/").replace("/", "-") or "desk")

    def keep(self, name: str) -> None:
        """Keep a picture of what is shown, where CONSOLE_SHOTS names a folder."""
        if folder := os.environ.get("CONSOLE_SHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@pytest.fixture
def scene(settings: Any, tmp_path: Path) -> Scene:
    settings.MEDIA_ROOT = tmp_path
    return busy_desk()


@pytest.fixture
def visitor(live_server: Any, chromium: Browser) -> Iterator[Visitor]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    tab = context.new_page()
    tab.set_default_timeout(90_000)
    yield Visitor(tab, live_server.url)
    context.close()


def _pages(scene: Scene, visitor: Visitor) -> list[str]:
    """Sign in as somebody who may open everything, and return the addresses of the console's pages."""
    admin = people.people("Administrator", email="admin@example.com")
    admin.groups.add(Group.objects.get(name="Reviewer"))
    run = finished()
    labelled_queue(60)
    visitor.sign_in("admin@example.com")
    return [
        reverse("admin:index"),
        reverse("console:candidate", args=[scene.in_review.pk]),
        reverse("console:candidate", args=[scene.published.pk]),
        reverse("console:candidate", args=[scene.hostile.pk]),
        reverse("console:request", args=[scene.in_review.request_id]),
        reverse("console:request_copy"),
        reverse("console:verify_ledger"),
        reverse("console:system"),
        reverse("console:queue_policy", args=["copy_verdict"]),
        reverse("console:quarantine"),
        reverse("console:policies"),
        reverse("console:policy_rules"),
        reverse("console:rule_proposal", args=[make.rule_proposal().pk]),
        reverse("console:questions"),
        reverse("console:policy", args=[1]),
        reverse("console:retro_scans"),
        reverse("admin:moderation_candidate_changelist"),
        reverse("admin:catalog_product_change", args=[scene.in_review.product_id]),
        reverse("console:facts", args=[scene.in_review.product_id]),
        reverse("admin:audit_ledgerentry_changelist"),
        reverse("admin:outbox_endpoint_changelist"),
        reverse("admin:outbox_delivery_changelist"),
        reverse("console:add_webhook"),
        reverse("console:webhook", args=[Endpoint.objects.get().pk]),
        reverse("console:delivery", args=[Delivery.objects.get(status="dead").pk]),
        reverse("console:label_quality", args=["sentiment"]),
        reverse("console:my_work"),
        reverse("console:raters"),
        reverse("console:training"),
        reverse("console:training_run", args=[run.pk]),
        reverse("console:auditor"),
        reverse("admin:monitoring_alert_changelist"),
        reverse("admin:monitoring_markcheck_changelist"),
        reverse("admin:monitoring_refusal_changelist"),
    ]


def test_every_page_works_without_a_script_error_or_a_request_to_elsewhere(scene: Scene, visitor: Visitor) -> None:
    for path in _pages(scene, visitor):
        visitor.open(path)
        assert not visitor.troubles, path


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_grave_on_any_page(scene: Scene, visitor: Visitor, width: int) -> None:
    pages, grave = _pages(scene, visitor), list[str]()
    visitor.page.set_viewport_size({"width": width, "height": 844})
    for path in pages:
        visitor.open(path)
        grave += [f"{path}: {trouble}" for trouble in barriers(visitor.page)]
    assert not grave, "\n".join(grave)


def test_drafts_appear_while_one_watches(visitor: Visitor) -> None:
    people.people("Reviewer", email="robin@example.com")
    order = make.generation_request(status="generating", lease_expires_at=timezone.now() + dt.timedelta(minutes=5))
    visitor.sign_in("robin@example.com")
    visitor.open(reverse("console:request", args=[order.pk]))
    assert "The model is writing" in visitor.page.inner_text("main, #main")
    make.candidate("Here is the draft.", request=order)
    GenerationRequest.objects.filter(pk=order.pk).update(status="completed")
    visitor.page.wait_for_selector("text=Here is the draft.", timeout=60_000)
    assert not visitor.troubles


def test_an_auditor_answers_three_questions_by_clicking(scene: Scene, visitor: Visitor, tmp_path: Path) -> None:
    people.people("Auditor", email="alex@example.com")
    live = PublishedCopy.objects.filter(retired_at=None).select_related("product").first()
    assert live is not None
    visitor.sign_in("alex@example.com")
    page = visitor.page
    page.click("nav >> text=Auditor's questions")

    page.click("text=What did shoppers see of a product on a date")
    page.fill("[name=sku]", live.product.sku)
    page.click("button[name=ask]")
    page.wait_for_selector("text=unaltered: text, ledger and signed mark agree")
    assert live.text in page.inner_text(".es-table")
    visitor.keep("auditor-1")

    page.click("text=All questions")
    page.click("text=What did a person let out unchanged in less than so many seconds?")
    page.fill("[name=seconds]", "3600")
    page.click("button[name=ask]")
    page.wait_for_selector("text=were let out unchanged in less than 3600 s")
    visitor.keep("auditor-6")

    page.click("text=All questions")
    page.click("text=Is the record complete?")
    page.wait_for_selector("text=lines without a gap")
    visitor.keep("auditor-14")

    visitor.open(reverse("console:candidate", args=[scene.published.pk]))
    page.click("text=Evidence pack …")
    with page.expect_download() as download:
        page.click("button:has-text('Download')")
    with zipfile.ZipFile(download.value.path()) as archive:
        html = tmp_path / "evidence.html"
        html.write_bytes(archive.read("evidence.html"))
    assert not visitor.troubles
    page.goto(html.as_uri())
    assert "What shoppers saw of" in page.inner_text("h1")
    visitor.keep("evidence")
