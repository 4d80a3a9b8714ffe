"""What a policy finds in a live text: beyond what a person has judged, or otherwise than another policy does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moderation.models.candidates import Finding
from moderation.policy import base, merging

GRAVITY = {"info": 0, "warn": 1, "block": 2}


def find_new(
    draft: base.Draft, checks: Sequence[base.Check], seen: Sequence[Finding], *, severity: str
) -> list[dict[str, Any]]:
    """Return what `checks` find in `draft` from `severity` on that is not among `seen`, which a person has judged."""
    judged = {(finding.code, finding.start, finding.end): GRAVITY[finding.severity] for finding in seen}
    return [
        found
        for found in _found(draft, checks)
        if GRAVITY[found["severity"]] >= GRAVITY[severity]
        and judged.get(_place(found), -1) < GRAVITY[found["severity"]]
    ]


def find_changed(draft: base.Draft, checks: Sequence[base.Check], before: Sequence[base.Check]) -> list[dict[str, Any]]:
    """Return what `checks` and `before` find differently in `draft`, each under the graver severity of the two.

    `was` and `becomes` are what each says of it, "" where it finds nothing there.
    """
    old, new = ({_place(found): found for found in _found(draft, by)} for by in (before, checks))
    changed = []
    for place in sorted(old.keys() | new.keys(), key=lambda place: (place[1] or 0, place[2] or 0, place[0])):
        was, becomes = (side[place]["severity"] if place in side else "" for side in (old, new))
        if was != becomes:
            graver = old if GRAVITY.get(was, -1) > GRAVITY.get(becomes, -1) else new
            changed.append({**graver[place], "was": was, "becomes": becomes})
    return changed


def _place(found: Mapping[str, Any]) -> tuple[str, int | None, int | None]:
    return found["code"], found["start"], found["end"]


def _found(draft: base.Draft, checks: Sequence[base.Check]) -> list[dict[str, Any]]:
    return [
        {
            "code": hit.code,
            "severity": str(hit.severity),
            "message": hit.message,
            "start": hit.start,
            "end": hit.end,
            "check": result.check_name,
            "rule": hit.evidence.get("rule", ""),
            "pack": hit.evidence.get("pack", ""),
        }
        for result in merging.merged(base.run_checks(draft, checks))
        for hit in result.hits
    ]
