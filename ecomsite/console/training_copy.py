"""The page of a training run where the task is copy: figures of both sides, and texts to read before approving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Shares are shown in per cent, the others as they are.
FIGURES = (
    ("unsupported", "texts with a claim that no fact backs", True),
    ("unsupported_claims", "such claims in a text", False),
    ("blocked", "texts that the policy blocks", True),
    ("flagged", "texts with something to look at", True),
    ("grounding", "how well the facts back a text, 0 to 1", False),
    ("edit_distance", "share of a text to change to what a person wrote", True),
    ("rouge_l", "ROUGE-L against what a person wrote", False),
    ("bleu", "BLEU", False),
    ("chrf", "chrF", False),
    ("ter", "TER, 0 is equal", False),
    ("characters", "characters in a text", False),
)
TITLES = {
    "chinese": "Chinese",
    "other": "English and other",
    "imitation": "copy that people let out",
    "preference": "people's fixes, preferred to the drafts",
}


def title_of(part: str) -> str:
    """Return the name of a part of a model as people read it."""
    return TITLES.get(part, part)


def figures(found: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return rows of a table (title, new version, champion; empty without one) of the metrics of a report on copy."""
    if found.get("kind") != "copy":
        return []
    new, champion = found.get("new", {}), found.get("champion", {})
    rows = [
        (title, _cell(new.get(name), is_share), _cell(champion.get(name), is_share))
        for name, title, is_share in FIGURES
        if name in new or name in champion
    ]
    if new.get("n"):
        ours, theirs = (_cell(_plain(side.get("distinct_2")), False) for side in (new, champion))
        rows.append(("different word pairs among all", ours, theirs))
    return rows


def samples(found: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    """Return the texts of a report that people read before they approve."""
    kept: Sequence[Mapping[str, str]] = found.get("samples", [])
    return kept


def _plain(value: float | None) -> dict[str, float] | None:
    return None if value is None else {"value": value}


def _cell(figure: Mapping[str, float] | None, is_share: bool) -> str:
    if figure is None:
        return ""

    def written(value: float) -> str:
        return f"{value:.1%}" if is_share else f"{value:.0f}" if value >= 10 else f"{value:.2f}"

    ends = f" ({written(figure['low'])} to {written(figure['high'])})" if "low" in figure else ""
    return written(figure["value"]) + ends
