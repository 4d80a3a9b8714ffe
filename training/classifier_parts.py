"""The part of a classifier for one script: its recipe settled, its texts prepared, fitted by the method asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic

from training import augmentation, recipes, search, unlabelled
from training.bases import Base
from training.kept_parts import CHINESE
from training.recipes import Recipe
from training.trainers.contracts import Labelled, Rows, Ticked, Watch
from training.work import Tell, Work

if TYPE_CHECKING:
    from training.trainers.linear_heads import Start

# Before the name of a part: its texts become vectors, which takes longer than what is fitted to them.
READING = "reading "


@dataclass(frozen=True)
class Part(Generic[Rows]):
    """The texts of one script, in both parts and without a label, and what the part that learns them starts from."""

    script: str
    train: Rows
    validation: Rows
    labels: Sequence[str]
    spare: Sequence[str]
    start: Start | None


@dataclass(frozen=True)
class _Lesson(Generic[Rows]):
    """What a method fits: a part with all that it learns from, a recipe that leaves nothing open, and where to."""

    part: Part[Rows]
    recipe: Recipe
    base: Base
    folder: Path
    tell: Tell
    report_to: Sequence[str]
    is_searched: bool

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def watch(self) -> Watch:
        return partial(self.tell, self.part.script)

    @property
    def reading(self) -> Watch:
        return partial(self.tell, READING + self.part.script)


# What came of it, and the recipe that it came of: a search may have changed its numbers.
_Made = tuple[dict[str, Any], Recipe]


def fit_part(part: Part[Rows], work: Work, tell: Tell, model: Path) -> dict[str, Any]:
    """Fit `part` into the folder `model`; return its figures, the settled recipe among them."""
    recipe, is_settled = _settled(part, work)
    backend, fit = _METHODS.get(recipe.method, ("sequence_classifier", _transformer))
    is_searched = recipe.search_trials > 0 and not is_settled and fit is _transformer
    begins = search.STAGE if is_searched else READING if recipe.method == "head" else ""
    # Loading a base takes a while, in which it would be said to do what it did before.
    tell(begins + part.script, 0, 1, {})
    folder, n_labelled, train = model.parent, len(part.train), part.train
    base = unlabelled.pretrained(part.spare, recipe, work.base, folder, partial(tell, part.script))
    if isinstance(train, Labelled):
        train = unlabelled.with_guesses(train, part.spare, part.labels, recipe, base, folder)
    n_guessed = len(train) - n_labelled
    train = augmentation.augment(train, share=recipe.augment, seed=recipe.seed)
    lesson = _Lesson(replace(part, train=train), recipe, base, folder, tell, work.report_to, is_searched)
    found, recipe = fit(lesson)
    return {
        **found,
        "method": recipe.method,
        "backend": backend,
        "options": {} if recipe.method == "characters" else {"max_tokens": recipe.max_tokens},
        "n_train": n_labelled,
        "n_guessed": n_guessed,
        "n_copies": len(train) - n_labelled - n_guessed,
        "n_validation": len(part.validation),
        "recipe": recipe.model_dump(),
    }


def _settled(part: Part[Rows], work: Work) -> tuple[Recipe, bool]:
    """Return the recipe for `part` with nothing left open, and whether that is what a run that is repeated came to."""
    asked, known = work.recipe, (work.settled or {}).get(part.script)
    assert isinstance(asked, Recipe)  # noqa: S101
    if known:
        recipe = type(asked).model_validate(known)
    else:
        recipe = recipes.resolve_defaults(
            asked,
            n_train=len(part.train),
            is_chinese=part.script == CHINESE,
            base_reads_chinese=bool(asked.base),
            is_several=isinstance(part.train, Ticked),
        )
    return recipe.model_copy(update={"max_tokens": min(recipe.max_tokens, work.base.longest)}), bool(known)


def _characters(lesson: _Lesson[Any]) -> _Made:
    from training.trainers.linear_heads import fit_character_head

    part = lesson.part
    found = fit_character_head(
        part.train,
        part.validation,
        labels=part.labels,
        recipe=lesson.recipe,
        into=lesson.model,
        start=part.start,
        watch=lesson.watch,
    )
    return found, lesson.recipe


def _head(lesson: _Lesson[Any]) -> _Made:
    from inference.backends.sentence_encoder import SentenceEncoder
    from training.trainers.linear_heads import fit_embedding_head

    part, directory = lesson.part, lesson.base.directory
    found = fit_embedding_head(
        part.train,
        part.validation,
        labels=part.labels,
        recipe=lesson.recipe,
        encoder=SentenceEncoder(directory=directory, options={"max_tokens": lesson.recipe.max_tokens}),
        encoder_directory=directory,
        into=lesson.model,
        watch=lesson.watch,
        reading=lesson.reading,
    )
    return found, lesson.recipe


def _contrastive(lesson: _Lesson[Any]) -> _Made:
    from training.trainers import contrastive

    part = lesson.part
    # recipes.parse refuses the method where several labels may hold.
    assert isinstance(part.train, Labelled) and isinstance(part.validation, Labelled)  # noqa: S101, PT018
    found = contrastive.fit(
        part.train,
        part.validation,
        labels=part.labels,
        recipe=lesson.recipe,
        base=lesson.base.directory,
        work=lesson.folder,
        into=lesson.model,
        watch=lesson.watch,
        reading=lesson.reading,
    )
    return found, lesson.recipe


def _transformer(lesson: _Lesson[Any]) -> _Made:
    from training.trainers import launch, transformer_classifier

    part, recipe = lesson.part, lesson.recipe
    run = partial(
        launch.run,
        transformer_classifier.fit,
        part.train,
        part.validation,
        labels=part.labels,
        base=lesson.base.directory,
    )
    if lesson.is_searched:
        searching = partial(lesson.tell, search.STAGE + part.script)
        recipe = search.tune(recipe, run, work=lesson.folder / "search", watch=searching)
    found = run(recipe=recipe, work=lesson.folder, into=lesson.model, watch=lesson.watch, report_to=lesson.report_to)
    return found, recipe


# Each method with the back end that its parts run on; every other one tunes the weights of a transformer.
_METHODS: dict[str, tuple[str, Callable[[_Lesson[Any]], _Made]]] = {
    "characters": ("character_head", _characters),
    "head": ("embedding_head", _head),
    "contrastive": ("embedding_head", _contrastive),
}
