"""How a model is made: the method and its numbers, checked, with the defaults that were measured (docs/benchmarks)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.exceptions import PermanentError
from labeling.question import question

Method = Literal["auto", "characters", "head", "contrastive", "full", "lora", "adalora", "prefix"]
# Below so many labels a language keeps the part of the model it has.
FEWEST_LABELS = 40


_SEARCH_TRIALS = Field(default=0, ge=0, le=200, description="trials of a search for better numbers first; 0: none")
_SEARCH_MINUTES = Field(default=30, ge=1, description="the search ends after so long")


class Recipe(BaseModel):
    """What was asked of a run. Zero or `auto` means: the measured default for this task and number of examples."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    method: Method = "auto"
    base: str = Field(default="", description="artefact, directory or hub id to start from; empty: the one that ships")
    seed: int = 0
    epochs: float = Field(default=0, ge=0, le=100)
    learning_rate: float = Field(default=0, ge=0, le=1)
    batch_size: int = Field(default=16, ge=1, le=1024)
    accumulate: int = Field(default=1, ge=1, le=256, description="batches to a step of the optimiser")
    max_tokens: int = Field(default=128, ge=16, le=4096)
    weight_decay: float = Field(default=0.01, ge=0, le=1)
    dropout: float = Field(default=-1, ge=-1, lt=1, description="-1: as the base has it")
    warmup: float = Field(default=0.1, ge=0, le=1, description="share of the steps")
    patience: int = Field(default=3, ge=1, description="evaluations without gain before it stops early")
    class_weights: bool = Field(default=False, description="errors on rare labels cost more")
    augment: float = Field(default=0, ge=0, le=1, description="share of training rows to add a changed copy of")
    pseudo_labels: float = Field(
        default=0,
        ge=0,
        lt=1,
        description="learn unlabelled texts too that a first model is surer of than this; 0: none",
    )
    pretrain_steps: int = Field(
        default=0, ge=0, le=20_000, description="steps of guessing masked words of unlabelled texts first; 0: none"
    )
    lora_rank: int = Field(default=16, ge=1, le=256)
    prefix_tokens: int = Field(default=16, ge=1, le=256)
    search_trials: int = _SEARCH_TRIALS
    search_minutes: int = _SEARCH_MINUTES


class ValidityRecipe(Recipe):
    """What was asked of a run for the judge of drafts.

    It reads the facts behind the draft: what is cut is cut from them.
    """

    # A description of 76 words with nine facts is 149 tokens of the encoder that ships.
    max_tokens: int = Field(default=256, ge=16, le=4096)


class CopyRecipe(BaseModel):
    """What was asked of a run for copy: imitation of what people let out, then preference of their fixes."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    base: str = Field(
        "", description="artefact, directory or hub id to start from; empty: what the champion was made from"
    )
    seed: int = 0
    epochs: float = Field(2, gt=0, le=100)
    learning_rate: float = Field(1e-3, gt=0, le=1)
    batch_size: int = Field(4, ge=1, le=1024)
    accumulate: int = Field(1, ge=1, le=256, description="batches to a step of the optimiser")
    max_tokens: int = Field(2048, ge=16, le=65536, description="prompt and text together; what is longer is left out")
    packing: bool = Field(False, description="short examples in a row up to max_tokens, without padding")
    weight_decay: float = Field(0.01, ge=0, le=1)
    warmup: float = Field(0.1, ge=0, le=1, description="share of the steps")
    patience: int = Field(3, ge=1, description="evaluations without gain before it stops early")
    lora_rank: int = Field(16, ge=1, le=256)
    lora_dropout: float = Field(0.05, ge=0, lt=1)
    preferences: bool = Field(True, description="learn from fixes afterwards, where there are enough")
    preference_epochs: float = Field(1, gt=0, le=100)
    preference_rate: float = Field(1e-4, gt=0, le=1, description="learning rate: a fix teaches more than an approval")
    beta: float = Field(0.1, gt=0, le=10, description="how close preferences keep it to where imitation ended")
    search_trials: int = _SEARCH_TRIALS
    search_minutes: int = _SEARCH_MINUTES


# How much of an input a model reads unless its question says more.
SHORT = 128


def recipe_of(task: str) -> type[Recipe] | type[CopyRecipe]:
    """Return what a recipe for `task` can say: that of copy, or of a question,
    by how much of an input a model reads.
    """
    return CopyRecipe if task == "copy" else Recipe if question(task).reads_tokens <= SHORT else ValidityRecipe


def parse(values: dict[str, Any], task: str = "sentiment") -> Recipe | CopyRecipe:
    """Return the recipe for `task` in `values`. Raises `PermanentError` that names what is wrong with which of them."""
    known = recipe_of(task)
    try:
        recipe = known.model_validate(values)
    except ValidationError as exc:
        wrong = "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in exc.errors())
        raise PermanentError(
            f"this recipe cannot be followed: {wrong}", hint=f"Known: {', '.join(known.model_fields)}."
        ) from exc
    if isinstance(recipe, Recipe) and question(task).is_multiple:
        _require_several(recipe, task)
    return recipe


def _require_several(recipe: Recipe, task: str) -> None:
    """Raise `PermanentError` where `recipe` asks for what works by one label a text alone."""
    if recipe.method == "contrastive":
        raise PermanentError(
            f"method: contrastive learns from pairs of one label, and several answers to {task} may hold",
            hint="Take head, characters, full, lora, adalora or prefix.",
        )
    if recipe.pseudo_labels:
        raise PermanentError(
            f"pseudo_labels: a text is guessed to have one label, and several answers to {task} may hold",
            hint="Leave pseudo_labels at 0; pretrain_steps reads texts without labels, too.",
        )


def resolve_defaults(
    recipe: Recipe, *, n_train: int, is_chinese: bool, base_reads_chinese: bool = False, is_several: bool = False
) -> Recipe:
    """Return `recipe` with what it left open filled in for a classifier of `n_train` examples in one language.

    Characters where the base does not know the language; else what was best at that number of labels, and of several
    answers (`is_several`) the frozen encoder, which is fitted in seconds.
    """
    method: Method = recipe.method
    if is_chinese and not base_reads_chinese:
        method = "characters"
    elif method == "auto" and is_several:
        method = "head"
    elif method == "auto":
        method = "lora" if n_train < LORA_BELOW else "full"
    epochs, rate = _NUMBERS.get(method, (0.0, 0.0))
    if method in {"full", "lora"}:
        # Few examples are seen more often: about as many steps in all.
        epochs = max(epochs, min(12.0, 2400 / max(n_train, 1)))
    return recipe.model_copy(
        update={"method": method, "epochs": recipe.epochs or epochs, "learning_rate": recipe.learning_rate or rate}
    )


# Measured: better than all weights at 200 and at 1,680 labels, level at 1,000; at 2,240 it hangs more on the seed
# (docs/benchmarks/sentiment-training.md).
LORA_BELOW = 2000
_NUMBERS: dict[str, tuple[float, float]] = {
    "contrastive": (10, 1e-4),
    "full": (3, 1e-4),
    "lora": (3, 1e-3),
    "adalora": (6, 2e-3),
    "prefix": (12, 1e-2),
}
