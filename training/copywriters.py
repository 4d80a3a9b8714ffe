"""Make a copywriter from a snapshot: imitate what people let out, then prefer their fixes to the drafts they fixed.

Always from the pinned base, never from the champion: what was learnt once and is no longer believed must not stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from core.exceptions import PermanentError
from inference import artifacts, resolver
from inference.models import ModelVersion
from training import bases, search
from training.partition import LEARNT
from training.recipes import CopyRecipe
from training.splits import held_out
from training.trainers.contracts import Fitted
from training.work import Row, Tell, Work

BACKEND = "causal_lm"
IMITATION, PREFERENCE = "imitation", "preference"
STAGES = {
    IMITATION: "Learning from copy that people let out",
    PREFERENCE: "Learning from people's fixes",
    search.STAGE + IMITATION: "Looking for better numbers to learn from copy",
}
FEWEST_TEXTS = 40
FEWEST_VALIDATION = 8
# From so many fixes on they are preferred to the drafts that they fixed.
FEWEST_FIXES = 20
Rows = Sequence[Mapping[str, Any]]
Trainer = Callable[..., dict[str, Any]]


def base_of(recipe: CopyRecipe, *, champion: ModelVersion | None, pinned: str = "") -> bases.Base:
    """Return what `recipe` is fitted on: the artefact `pinned`, else what it names, else the base of the champion."""
    return bases.writer(pinned or recipe.base, champion)


def fit(work: Work, *, tell: Tell) -> Fitted:
    """Train on the snapshot of `work` and return the stored artefact.

    A stage that was finished before an interruption is kept.

    `work.settled` holds the stages of a run that is repeated, with what they came to: the same are gone through, and
    not searched again. `tell(stage, done, of, figures)` hears of progress. Raises `PermanentError` where there is too
    little to learn from.
    """
    from training.trainers import copywriter

    snapshot, recipe, base, settled = work.snapshot, work.recipe, work.base, work.settled
    assert isinstance(recipe, CopyRecipe)  # noqa: S101
    parts: dict[str, list[Row]] = {part: _writable(work.parts[part], base) for part in LEARNT}
    train, validation = held_out(parts["train"], parts["validation"], fewest=FEWEST_VALIDATION)
    if len(train) < FEWEST_TEXTS:
        raise PermanentError(
            f"{len(train)} texts that people let out are too few to train on: {FEWEST_TEXTS} at least",
            hint="Review more copy, in a language that the base writes.",
        )
    texts = {"train": _fields(train), "validation": _fields(validation)}
    figures: dict[str, Any] = {}
    made = work.folder / IMITATION / "model"
    stage = partial(_stage, tell=tell, report_to=work.report_to)
    known = CopyRecipe.model_validate(settled[IMITATION]) if settled else None
    figures[IMITATION] = stage(
        copywriter.imitate, texts, known or recipe, base.directory, work.folder / IMITATION, is_searched=not known
    )
    fixed = [[row for row in rows if row.fields.get("rejected")] for rows in parts.values()]
    fixes = held_out(*fixed, fewest=FEWEST_VALIDATION)
    pairs = {part: _pairs(rows) for part, rows in zip(parts, fixes, strict=True)}
    enough = len(pairs["train"]) >= FEWEST_FIXES
    if recipe.preferences and (PREFERENCE in settled if settled else enough):
        figures[PREFERENCE] = stage(copywriter.prefer, pairs, recipe, made, work.folder / PREFERENCE)
        made = work.folder / PREFERENCE / "model"
    artifact_hash = artifacts.store_directory(
        made, created_from={"snapshot": snapshot.artifact_hash, "base": base.artifact_hash}
    )
    locales = sorted(Counter(row.locale for row in train))
    method = "imitation and preferences" if PREFERENCE in figures else "imitation"
    return Fitted(artifact_hash, base.artifact_hash, method, figures, locales=locales, licence=base.licence)


def _stage(
    trainer: Trainer,
    rows: Mapping[str, Rows],
    recipe: CopyRecipe,
    base: Path,
    folder: Path,
    *,
    tell: Any,
    report_to: Sequence[str],
    is_searched: bool = False,
) -> dict[str, Any]:
    """Run the stage that `folder` is named after, unless it is done, and return its figures; where asked,
    look for better numbers first.
    """
    from training.trainers import launch

    name, run = folder.name, partial(launch.run, trainer, rows["train"], rows["validation"], base=base)

    def fit(model: Path) -> dict[str, Any]:
        best = recipe
        if is_searched and recipe.search_trials:
            best = search.tune(recipe, run, work=folder / "search", watch=partial(tell, search.STAGE + name))
        found = run(recipe=best, work=folder, into=model, watch=partial(tell, name), report_to=report_to)
        return {**found, "method": "LoRA" if name == IMITATION else "DPO", "recipe": best.model_dump()}

    return bases.memoised_step(folder, fit)


def _writable(rows: Sequence[Row], base: bases.Base) -> list[Row]:
    """Return the rows in a language that the base writes; it does not learn a new one from a few hundred texts."""
    if not base.locales:
        return list(rows)
    known = ModelVersion(locales=list(base.locales))
    return [row for row in rows if resolver.can_work_in(known, row.locale)]


def _fields(rows: Sequence[Row]) -> list[Mapping[str, Any]]:
    return [row.fields for row in rows]


def _pairs(rows: Sequence[Row]) -> list[Mapping[str, Any]]:
    """Return what is preferred to what in `rows` of fixes: what a person made of a draft to the draft."""
    return [
        {"prompt": row.fields["prompt"], "chosen": row.fields["completion"], "rejected": row.fields["rejected"]}
        for row in rows
    ]
