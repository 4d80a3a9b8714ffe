"""HTML of ours around text of others, for Label Studio's pages.

Everything a product, a customer or a model wrote is data: it is escaped before it goes in.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from core.addresses import parts_of
from moderation.policy.fixups import read_fixup

SEVERITIES = {"block": "Blocking", "warn": "Warning", "info": "Note"}
# Colours are given here, not by a class: Label Studio's own styles stay outside of what it shows as HTML.
COLOURS = {"block": ("#fde2e1", "#b42318"), "warn": ("#fdf0d0", "#8a5a00"), "info": ("#e3edfd", "#1d4ed8")}

# A grey card that says so: Label Studio shows an error where there is no picture.
NO_PICTURE = (
    "data:image/svg+xml;charset=utf-8,%3Csvg xmlns='http://www.w3.org/2000/svg' width='360' height='120'%3E"
    "%3Crect width='360' height='120' rx='8' fill='%23eef0f4'/%3E%3Ctext x='180' y='66' text-anchor='middle' "
    "font-family='sans-serif' font-size='15' fill='%238a8f9c'%3ENo picture%3C/text%3E%3C/svg%3E"
)


def product_html(title: str, brand: str, category: str) -> str:
    """Return the heading: title, brand and category."""
    line = " · ".join(escape(part) for part in (brand, category) if part)
    return f'<h3 style="margin:0">{escape(title)}</h3><p style="margin:2px 0 10px;opacity:.7">{line}</p>'


def facts_html(facts: Iterable[tuple[str, str]], console_url: str) -> str:
    """Return the table of facts, (name, value) pairs as shown, and a link to the candidate in the console."""
    cell = "padding:4px 8px 4px 0;border-bottom:1px solid rgba(128,128,128,.25);vertical-align:top"
    rows = "".join(
        f'<tr><td style="{cell};opacity:.7">{escape(str(name))}</td><td style="{cell}">{escape(str(value))}</td></tr>'
        for name, value in facts
    )
    table = (
        f'<table style="width:100%;border-collapse:collapse">{rows}</table>' if rows else "<p>No facts are known.</p>"
    )
    return f'<h4 style="margin:14px 0 4px">Facts</h4>{table}{link_html(console_url)}'


def link_html(console_url: str) -> str:
    """Return the way to a page of the console, as a line of its own; nothing without a web address."""
    if parts_of(console_url).scheme not in ("http", "https"):
        return ""
    return f'<p><a href="{escape(console_url)}" target="_blank" rel="noopener">Open in the console</a></p>'


def product_card_html(
    *,
    title: str,
    brand: str,
    category: str,
    description: str,
    locale: str,
    image_url: str,
    facts: Iterable[tuple[str, str]],
    console_url: str,
) -> str:
    """Return a product as its merchant describes it: heading, picture, the merchant's own text, facts."""
    words = (
        f'<p style="margin:0;font-size:17px;line-height:1.65;white-space:pre-wrap" '
        f'lang="{escape(locale)}">{escape(description)}</p>'
        if description
        else ""
    )
    # Side by side where there is room, so that the answers stand on the first screen.
    picture = picture_html(image_url)
    said = f'<div style="flex:1 1 280px;min-width:0">{words}{facts_html(facts, console_url)}</div>'
    beside = f'<div style="display:flex;flex-wrap:wrap;gap:0 20px">{picture}{said}</div>' if picture else said
    return product_html(title, brand, category) + beside


def picture_html(image_url: str, *, height: int = 240) -> str:
    """Return the picture at `image_url`, at most `height` pixels high; its server is told nothing of who looks.

    Nothing without a web address.
    """
    if parts_of(image_url).scheme not in ("http", "https"):
        return ""
    style = f"max-width:100%;max-height:{height}px;object-fit:contain;border-radius:8px;margin:0 0 10px;display:block;"
    style += "align-self:flex-start"
    return f'<img src="{escape(image_url)}" alt="The picture" referrerpolicy="no-referrer" style="{style}">'


def draft_html(
    text: str, findings: Sequence[Mapping[str, Any]], *, channel: str, locale: str, grounding: float | None
) -> str:
    """Return the draft with what was found in it marked; `grounding` is from 0 to 1."""
    about = [escape(channel), escape(locale)]
    if grounding is not None:
        about.append(f"grounding {grounding:.0%}")
    found = "Tick below what is a false alarm." if findings else "Our checks found nothing."
    if any(read_fixup(finding) for finding in findings):
        found += " Fix as proposed (4) makes the changes proposed below."
    return (
        f'<p style="margin:0 0 8px;opacity:.7">{" · ".join(about)}</p>'
        f'<p style="margin:0 0 10px;font-size:18px;line-height:1.65;white-space:pre-wrap" '
        f'lang="{escape(locale)}">{_marked(text, findings)}</p>'
        f'<p style="margin:0;opacity:.7">{found}</p>'
    )


def _marked(text: str, findings: Sequence[Mapping[str, Any]]) -> str:
    """Return `text` as HTML with what each finding points at marked and numbered; overlapping findings share a mark."""
    spans = [
        (max(0, int(finding["start"])), min(len(text), int(finding["end"])), number, str(finding["severity"]))
        for number, finding in enumerate(findings, 1)
        if finding.get("start") is not None and finding.get("end") is not None
    ]
    spans = [span for span in spans if span[0] < span[1]]
    edges = sorted({0, len(text), *(edge for span in spans for edge in span[:2])})
    pieces = []
    for start, end in itertools.pairwise(edges):
        over = [span for span in spans if span[0] <= start and end <= span[1]]
        piece = escape(text[start:end])
        if over:
            severity = min((span[3] for span in over), key=list(SEVERITIES).index)
            numbers = "".join(_badge(span[2], span[3]) for span in over if span[1] == end)
            background, ink = COLOURS[severity]
            style = (
                f"background:{background};color:#1f2328;border-bottom:2px solid {ink};border-radius:3px;padding:1px 2px"
            )
            piece = f'<mark style="{style}">{piece}</mark>{numbers}'
        pieces.append(piece)
    return "".join(pieces)


def _badge(number: int, severity: str) -> str:
    style = (
        f"background:{COLOURS[severity][1]};color:#fff;border-radius:8px;padding:1px 6px;font-size:11px;margin:0 2px"
    )
    return f'<sup style="{style}">{number}</sup>'


def finding_html(number: int, finding: Mapping[str, Any], text: str = "") -> str:
    """Return one finding as a line, with the number that its mark in the text bears and what would mend `text`."""
    severity = str(finding["severity"])
    word = f'<b style="color:{COLOURS[severity][1]}">{SEVERITIES[severity]}</b>'
    return f"{_badge(number, severity)} {word} {escape(str(finding['message']))}{_proposal(finding, text)}"


def _proposal(finding: Mapping[str, Any], text: str) -> str:
    fixup = read_fixup(finding)
    if fixup is None or fixup.end > len(text):
        return ""
    before = f"<del>{escape(text[fixup.start : fixup.end].strip())}</del>"
    return f' <span style="opacity:.85">Proposed: {before} <b>{escape(fixup.text) or "(cut)"}</b></span>'


def review_html(title: str, text: str, product: str, rating: float | None, locale: str) -> str:
    """Return a customer review with its stars (`rating` from 1 to 5) and what it is about."""
    head = f'<h3 style="margin:0 0 6px">{escape(title)}</h3>' if title else ""
    stars = ""
    if rating is not None:
        full = max(0, min(5, round(rating)))
        stars = f'<span style="color:#b7791f" title="{rating:g} of 5">{"★" * full}{"☆" * (5 - full)}</span> '
    about = f'<p style="margin:0 0 8px;opacity:.8">{stars}{escape(product)}</p>' if stars or product else ""
    body = f'<p style="margin:0;font-size:17px;line-height:1.65;white-space:pre-wrap" lang="{escape(locale)}">'
    return f"{head}{about}{body}{escape(text)}</p>"


def note_html(note: str) -> str:
    """Return a note to who answers, as a box above what is asked; `note` is plain text."""
    style = "border-left:4px solid #b7791f;background:rgba(183,121,31,.12);padding:8px 12px;margin:0 0 12px"
    return f'<p style="{style};border-radius:4px;white-space:pre-wrap">{escape(note)}</p>'


def suggestion_html(words: str) -> str:
    """Return what a model or a check suggests, as a line below what is asked: it is shown,
    and nothing is ticked by it.
    """
    return f'<p style="margin:10px 0 0;opacity:.8">{escape(words)}</p>'


def with_suggestion(data: Mapping[str, Any], field: str, words: str) -> dict[str, Any]:
    """Return task data whose HTML field `field` ends with what is suggested; as it is where nothing is."""
    return {**data, field: f"{data.get(field, '')}{suggestion_html(words)}"} if words else dict(data)


def hints_html(text: str, reading: Mapping[str, Any]) -> str:
    """Return the hints about spelling and grammar of a draft, each with what it proposes; why there are none, if known.

    They change nothing: who takes one chooses Fix and writes it.
    """
    if not reading.get("hints"):
        note = str(reading.get("note") or "")
        return f'<p style="margin:8px 0 0;opacity:.7">{escape(note)}</p>' if note else ""
    items = "".join(f"<li>{_hint_html(text, hint)}</li>" for hint in reading["hints"])
    return (
        '<p style="margin:10px 0 2px"><b>Spelling and grammar</b> <span style="opacity:.7">hints; to take one, choose '
        f'Fix and write it</span></p><ul style="margin:0 0 0 18px;padding:0">{items}</ul>'
    )


def _hint_html(text: str, hint: Mapping[str, Any]) -> str:
    said = escape(text[int(hint["start"]) : int(hint["end"])])
    instead = f"<b>{escape(str(hint['instead']))}</b>" if hint["instead"] else "(cut)"
    return f'<del>{said}</del> → {instead} <span style="opacity:.7">{escape(str(hint["message"]))}</span>'
