"""Fit the judge of claims that works before anybody has judged a finding: a layer for each script, in seconds.

On the vectors of the bundled encoder for English and whatever else it reads, on characters for Chinese, which it does
not read. Learnt are the examples of the policy packs and sentences written for it; docs/benchmarks/policy-judge.md has
the figures.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from core import label_sets
from inference.backends.by_language import CHINESE, OTHER, PARTS, script_of
from inference.contracts import TextEncoder
from training.recipes import Recipe
from training.trainers.contracts import Ticked
from training.trainers.linear_heads import fit_character_head, fit_embedding_head

# Of each kind there are few among many: without weights it would be said of nothing.
RECIPE = Recipe(class_weights=True)


def fit(
    directory: Path,
    rows: Sequence[tuple[str, str]],
    *,
    labels: Sequence[str],
    encoder: TextEncoder,
    encoder_directory: Path,
) -> None:
    """Write an artefact for the back end `by_language` into the empty folder `directory`: `rows` are (text, label)."""
    chinese, other = (_ticked(rows, labels, script) for script in (CHINESE, OTHER))
    fit_character_head(chinese, _NONE, labels=labels, recipe=RECIPE, into=directory / CHINESE)
    fit_embedding_head(
        other,
        _NONE,
        labels=labels,
        recipe=RECIPE,
        encoder=encoder,
        encoder_directory=encoder_directory,
        into=directory / OTHER,
    )
    parts = {
        CHINESE: {"folder": CHINESE, "backend": "character_head", "options": {}},
        OTHER: {"folder": OTHER, "backend": "embedding_head", "options": {"max_tokens": RECIPE.max_tokens}},
    }
    (directory / PARTS).write_text(json.dumps(parts, indent=1), encoding="utf-8")


_NONE = Ticked([], [])


def _ticked(rows: Sequence[tuple[str, str]], labels: Sequence[str], script: str) -> Ticked:
    said = [(text, set(label_sets.split(label))) for text, label in rows if script_of(text) == script]
    return Ticked([text for text, _ in said], [tuple(int(label in one) for label in labels) for _, one in said])
