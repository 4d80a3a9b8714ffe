"""Make a classifier from a snapshot: a part for each script with enough labels, the champion's for the other."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from core import label_sets
from core.exceptions import PermanentError
from inference import artifacts
from inference.models import ModelVersion
from training import bases, kept_parts, recipes, search, unlabelled
from training.classifier_parts import READING, Part, fit_part
from training.kept_parts import CHINESE, OTHER
from training.partition import LEARNT
from training.recipes import Recipe
from training.splits import held_out
from training.trainers.contracts import Fitted, Labelled, Ticked
from training.work import Row, Tell, Work

BACKEND = kept_parts.BACKEND
STAGES = {
    CHINESE: "Training on Chinese texts",
    OTHER: "Training on English and other texts",
    READING + CHINESE: "Reading Chinese texts",
    READING + OTHER: "Reading English and other texts",
    search.STAGE + CHINESE: "Looking for better numbers on Chinese texts",
    search.STAGE + OTHER: "Looking for better numbers on English and other texts",
}
FEWEST_VALIDATION = 12


def base_of(recipe: Recipe, *, champion: ModelVersion | None, pinned: str = "") -> bases.Base:
    """Return what `recipe` is fitted on: the artefact `pinned`, else what it names, else the encoder of now."""
    return bases.encoder(pinned or recipe.base)


def fit(work: Work, *, tell: Tell) -> Fitted:
    """Train on the snapshot of `work` and return the stored artefact.

    A part that was finished before an interruption is kept.

    `work.settled` is what the parts of a run that is repeated came to, defaults and searches included; they are not
    asked again. `tell(stage, done, of, figures)` hears of progress in each of STAGES. Raises `PermanentError` where no
    script has enough labels.
    """
    from inference.backends.by_language import script_of

    snapshot, base, champion = work.snapshot, work.base, work.kept_from
    labels, is_several = snapshot.labels, snapshot.is_several
    rows = {part: _by_script(work.parts[part]) for part in LEARNT}
    spare: dict[str, list[str]] = {CHINESE: [], OTHER: []}
    for text in unlabelled.texts_for(work):
        spare[script_of(text)].append(text)
    figures: dict[str, Any] = {}
    made: dict[str, Path] = {}
    for script in (OTHER, CHINESE):
        parts = held_out(rows["train"][script], rows["validation"][script], fewest=FEWEST_VALIDATION)
        train, validation = (_as_labelled(part, labels, is_several=is_several) for part in parts)
        if len(train) >= recipes.FEWEST_LABELS and train.tells_apart:
            folder = work.folder / script
            start = kept_parts.start_of(champion, labels) if script == CHINESE and champion and not is_several else None
            part = Part(script, train, validation, labels, spare[script], start)
            figures[script] = bases.memoised_step(folder, partial(fit_part, part, work, tell))
            made[script] = folder / "model"
    if not made:
        raise PermanentError(
            _too_little(rows["train"]), hint="Label more, or bring labels in with `manage.py import_labels`."
        )
    if len(made) == 1 and champion is None:
        (only,) = made
        made = dict.fromkeys((OTHER, CHINESE), made[only])
    with tempfile.TemporaryDirectory(prefix="ecomsite-classifier-") as folder_name:
        assembled = Path(folder_name)
        _assemble(assembled, made, figures, champion)
        artifact_hash = artifacts.store_directory(assembled, created_from={"snapshot": snapshot.artifact_hash})
    methods = "+".join(sorted({str(part["method"]) for part in figures.values()}))
    locales = sorted({*snapshot.manifest["by_locale"]["train"], *(champion.locales if champion else ())})
    return Fitted(artifact_hash, base.artifact_hash, methods, figures, locales=locales, licence=base.licence)


def _as_labelled(rows: Sequence[Row], labels: Sequence[str], *, is_several: bool) -> Any:
    """Return `rows` as `Labelled`, or as `Ticked` where several of `labels` may hold."""
    texts = [row.text for row in rows]
    if not is_several:
        return Labelled(texts, [labels.index(row.label) for row in rows])
    said = [set(label_sets.split(row.label)) for row in rows]
    return Ticked(texts, [tuple(int(label in one) for label in labels) for one in said])


def _too_little(rows: Mapping[str, Sequence[Row]]) -> str:
    """Return in words why no part can be trained on `rows` by script."""
    n, said = sum(map(len, rows.values())), sorted({row.label for part in rows.values() for row in part})
    if len(said) == 1:
        return (
            f"all of the {n} labelled texts to train on are {said[0]}: a model learns to tell two labels apart at least"
        )
    return (
        f"{n} labelled texts are too few to train on: {recipes.FEWEST_LABELS} of one language, of two labels at least"
    )


def _by_script(rows: Sequence[Row]) -> dict[str, list[Row]]:
    from inference.backends.by_language import script_of

    found: dict[str, list[Row]] = {CHINESE: [], OTHER: []}
    for row in rows:
        found[script_of(row.text)].append(row)
    return found


def _assemble(into: Path, made: Mapping[str, Path], figures: Mapping[str, Any], champion: ModelVersion | None) -> None:
    parts: dict[str, Any] = {}
    for script in (OTHER, CHINESE):
        if script in made:
            about = figures[script] if script in figures else next(iter(figures.values()))
            parts[script] = {"folder": script, "backend": about["backend"], "options": about["options"]}
            if not (into / script).exists():
                shutil.copytree(made[script], into / script)
        elif champion is not None:
            parts[script] = kept_parts.copy_part(into / script, script, champion)
    from inference.backends.by_language import PARTS

    (into / PARTS).write_text(json.dumps(parts, indent=1), encoding="utf-8")
