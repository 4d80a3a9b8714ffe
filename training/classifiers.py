"""Make a classifier from a snapshot: a part for each script with enough labels, the champion's for the other."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic

from core import label_sets
from core.exceptions import PermanentError
from inference import artifacts
from inference.models import ModelVersion
from training import augmentation, bases, kept_parts, recipes, search, unlabelled
from training.kept_parts import CHINESE, OTHER
from training.partition import LEARNT
from training.recipes import Recipe
from training.splits import held_out
from training.trainers.contracts import Fitted, Labelled, Rows, Ticked
from training.work import Row, Tell, Work

if TYPE_CHECKING:
    from training.trainers.linear_heads import Start

BACKEND = kept_parts.BACKEND
# Before the name of a part: its texts become vectors, which takes longer than what is fitted to them.
READING = "reading "
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
            part = _Part(script, train, validation, labels, spare[script], start)
            figures[script] = bases.memoised_step(folder, partial(_fit_part, part, work, tell))
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


@dataclass(frozen=True)
class _Part(Generic[Rows]):
    """The texts of one script, in both parts and without a label, and what the part that learns them starts from."""

    script: str
    train: Rows
    validation: Rows
    labels: Sequence[str]
    spare: Sequence[str]
    start: Start | None


def _fit_part(part: _Part[Rows], work: Work, tell: Tell, model: Path) -> dict[str, Any]:
    """Fit `part` into the folder `model`; return its figures, the settled recipe among them."""
    asked, base, known = work.recipe, work.base, (work.settled or {}).get(part.script)
    assert isinstance(asked, Recipe)  # noqa: S101
    script, labels, train, validation = part.script, part.labels, part.train, part.validation
    recipe = (
        type(asked).model_validate(known)
        if known
        else recipes.resolve_defaults(
            asked,
            n_train=len(train),
            is_chinese=script == CHINESE,
            base_reads_chinese=bool(asked.base),
            is_several=isinstance(train, Ticked),
        )
    )
    recipe = recipe.model_copy(update={"max_tokens": min(recipe.max_tokens, base.longest)})
    folder, n_labelled = model.parent, len(train)
    watch, searching = partial(tell, script), partial(tell, search.STAGE + script)
    searches = recipe.search_trials > 0 and not known and recipe.method not in ("characters", "head", "contrastive")
    begins = search.STAGE if searches else READING if recipe.method == "head" else ""
    tell(begins + script, 0, 1, {})  # loading a base takes a while, in which it would be said to do what it did before
    base = unlabelled.pretrained(part.spare, recipe, base, folder, watch)
    if isinstance(train, Labelled):
        train = unlabelled.with_guesses(train, part.spare, labels, recipe, base, folder)
    n_guessed = len(train) - n_labelled
    train = augmentation.augment(train, share=recipe.augment, seed=recipe.seed)
    if recipe.method == "characters":
        from training.trainers.linear_heads import fit_character_head

        found = fit_character_head(
            train, validation, labels=labels, recipe=recipe, into=model, start=part.start, watch=watch
        )
        backend = "character_head"
    elif recipe.method == "head":
        from inference.backends.sentence_encoder import SentenceEncoder
        from training.trainers.linear_heads import fit_embedding_head

        encoder = SentenceEncoder(directory=base.directory, options={"max_tokens": recipe.max_tokens})
        found, backend = (
            fit_embedding_head(
                train,
                validation,
                labels=labels,
                recipe=recipe,
                encoder=encoder,
                encoder_directory=base.directory,
                into=model,
                watch=watch,
                reading=partial(tell, READING + script),
            ),
            "embedding_head",
        )
    elif recipe.method == "contrastive":
        from training.trainers import contrastive

        assert isinstance(train, Labelled) and isinstance(validation, Labelled)  # noqa: S101, PT018  (recipes.parse)
        found, backend = (
            contrastive.fit(
                train,
                validation,
                labels=labels,
                recipe=recipe,
                base=base.directory,
                work=folder,
                into=model,
                watch=watch,
                reading=partial(tell, READING + script),
            ),
            "embedding_head",
        )
    else:
        from training.trainers import launch, transformer_classifier

        run = partial(launch.run, transformer_classifier.fit, train, validation, labels=labels, base=base.directory)
        if searches:
            recipe = search.tune(recipe, run, work=folder / "search", watch=searching)
        found = run(recipe=recipe, work=folder, into=model, watch=watch, report_to=work.report_to)
        backend = "sequence_classifier"
    options = {} if recipe.method == "characters" else {"max_tokens": recipe.max_tokens}
    return {
        **found,
        "method": recipe.method,
        "backend": backend,
        "options": options,
        "n_train": n_labelled,
        "n_guessed": n_guessed,
        "n_copies": len(train) - n_labelled - n_guessed,
        "n_validation": len(validation),
        "recipe": recipe.model_dump(),
    }


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
