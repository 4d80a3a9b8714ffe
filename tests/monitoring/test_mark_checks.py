"""Does the shop's page still carry the AI mark? Real pages from a real server on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from catalog.models import PublishedCopy
from core.exceptions import PermanentError
from moderation.live import content_credentials, marking
from monitoring import health, mark_checks, page_marks
from monitoring.models import MarkCheck
from tests import factories as make

pytestmark = pytest.mark.django_db
Outcome = MarkCheck.Outcome


@pytest.fixture
def live() -> PublishedCopy:
    candidate = make.candidate(status="published", text="A café mug <for> two, & more.")
    return make.published_copy(candidate, text=candidate.text, ai_mark=marking.mark_for(candidate))


def _page(copy: PublishedCopy, *, label: bool = True, head: str = "", text: str | None = None) -> str:
    shown = escape(copy.text if text is None else text)
    words = f"<p><small>{escape(copy.ai_mark['label'])}</small></p>" if label else ""
    return f"<html><head><title>x</title>{head}</head><body><h1>Mug</h1><p>{shown}</p>{words}</body></html>"


def _meta(copy: PublishedCopy) -> str:
    return f'<meta name="AIGC" content="{escape(marking.for_page(copy)["meta"]["AIGC"])}">'


def _json_ld(copy: PublishedCopy) -> str:
    return f'<script type="application/ld+json">{json.dumps(marking.for_page(copy)["json_ld"])}</script>'


def test_each_machine_readable_mark_is_enough_beside_the_label(live: PublishedCopy) -> None:
    manifest = marking.with_manifest(live)
    assert manifest is not None
    for page in (_page(live, head=_meta(live)), _page(live, head=_json_ld(live)), _page(live, text=manifest)):
        reading = page_marks.read(page, live)
        assert reading.carries_mark, reading


def test_a_label_alone_or_a_record_alone_is_no_mark(live: PublishedCopy) -> None:
    assert not page_marks.read(_page(live), live).carries_mark
    reading = page_marks.read(_page(live, label=False, head=_meta(live)), live)
    assert (reading.text, reading.record, reading.carries_mark) == (True, True, False)


def test_a_record_about_another_text_does_not_count(live: PublishedCopy) -> None:
    other = make.candidate(status="published", text="Another text altogether.")
    theirs = make.published_copy(other, text=other.text, ai_mark=marking.mark_for(other))
    reading = page_marks.read(_page(live, head=_meta(theirs) + _json_ld(theirs)), live)
    assert (reading.record, reading.json_ld) == (False, False)
    forged = {**live.ai_mark["AIGC"], "ProduceID": "somebody-else"}
    head = f'<meta name="AIGC" content="{escape(json.dumps(forged))}">'
    assert not page_marks.read(_page(live, head=head), live).record


def test_a_manifest_whose_text_was_changed_is_told_from_none(live: PublishedCopy) -> None:
    manifest = live.ai_mark["c2pa"]
    assert content_credentials.state_of(content_credentials.marked(live.text, manifest)) == "valid"
    assert content_credentials.state_of(live.text.replace("two", "ten") + manifest) == "invalid"
    assert content_credentials.state_of(live.text) == "unmarked"


@pytest.mark.parametrize(
    "html", ["", "<", "<script type='application/ld+json'>{" + "[" * 5000, "<meta name=AIGC>", "\x00<p>"]
)
def test_a_broken_page_carries_nothing_and_harms_nobody(live: PublishedCopy, html: str) -> None:
    reading = page_marks.read(html, live)
    assert not reading.text
    assert not reading.carries_mark


@pytest.fixture
def shop(settings: Any) -> Iterator[dict[str, tuple[int, str]]]:
    """A shop: path → status and page."""
    pages: dict[str, tuple[int, str]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = pages.get(urlsplit(self.path).path, (404, ""))
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            if status == 302:
                self.send_header("Location", body)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/p/{{sku}}?lang={{locale}}"
    settings.AI_MARK = replace(settings.AI_MARK, page_url=url)
    yield pages
    server.shutdown()
    server.server_close()


def test_pages_are_read_and_a_stripped_mark_is_told(
    live: PublishedCopy, shop: dict[str, tuple[int, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    path = f"/p/{live.product.sku}"
    shop[path] = (200, _page(live, head=_meta(live)))
    assert mark_checks.check(live).outcome == Outcome.CARRIED
    assert health.check_marks().state == "ok"
    shop[path] = (200, _page(live, label=False))
    with pytest.raises(SystemExit):
        call_command("check_marks", sku=live.product.sku)
    assert "without the mark" in capsys.readouterr().out
    assert MarkCheck.objects.get(copy=live).outcome == Outcome.STRIPPED
    assert health.check_marks().state == "busy"
    shop[path] = (200, "<p>Sold out.</p>")
    assert mark_checks.check(live).outcome == Outcome.NO_TEXT
    for status, why in ((500, "answers 500"), (302, "leads to")):
        shop[path] = (status, "/login")
        found = mark_checks.check(live)
        assert (found.outcome, why in found.details["why"]) == (Outcome.UNREACHABLE, True)


def test_the_page_unread_for_longest_comes_first(live: PublishedCopy, shop: dict[str, tuple[int, str]]) -> None:
    old = make.published_copy(make.candidate(status="published"))
    MarkCheck.objects.create(copy=live, at=timezone.now(), url="x", outcome=Outcome.CARRIED)
    assert [check.copy for check in mark_checks.check_some(1)] == [old]
    assert len(list(mark_checks.check_some())) == 2


def test_nothing_is_read_and_the_command_says_why_when_nobody_said_where(live: PublishedCopy) -> None:
    assert list(mark_checks.check_some()) == []
    with pytest.raises(PermanentError, match="Nobody said"):
        mark_checks.check(live)
    with pytest.raises(CommandError, match="SHOP_PAGE_URL"):
        call_command("check_marks")
