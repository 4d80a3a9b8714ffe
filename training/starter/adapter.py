"""The starter adapter: train it from the starter pairs as copywriters are trained here, and merge it into its base."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.exceptions import PermanentError
from inference import prompts
from training.recipes import CopyRecipe
from training.starter import pairs
from training.starter.pairs import Pair
from training.trainers.contracts import Watch, unwatched

FOLDER = Path(__file__).parent / "weights"
WEIGHTS = "adapter_model.safetensors"
# Of the weights that ship: trained on one thread of an AMD EPYC in bfloat16. Other processors round otherwise.
SHA256 = "dc9c31da2dc8728ec01bf669db4e5cafe1eea964fdcc5a6b9cf715b7b36483cb"
# 41 steps, 164 of the pairs. Twice as many steps were begun and not finished: whether they gain is not known.
RECIPE = CopyRecipe.model_validate(
    {
        "seed": 17,
        "epochs": 0.083,
        "batch_size": 4,
        "learning_rate": 1.5e-3,
        "lora_rank": 8,
        "max_tokens": 512,
        "preferences": False,
        "patience": 6,
    }
)
VALIDATION = 8


def rows_of(chosen: Sequence[Pair]) -> list[dict[str, Any]]:
    """Return pairs as the trainer takes them: the prompt without examples as turns, and the copy."""
    return [
        {
            "prompt": [
                {"role": turn.role, "content": turn.content}
                for turn in prompts.render(pair.brief, version=prompts.SHORT_PROMPT_VERSION)
            ],
            "completion": pair.text,
        }
        for pair in chosen
    ]


def parts() -> dict[str, list[Pair]]:
    """Return the pairs of each part in an order that mixes categories and channels, the same each time."""
    found: dict[str, list[Pair]] = {pairs.TRAIN: [], pairs.DEVELOPMENT: [], pairs.TEST: []}
    for pair in pairs.compose():
        found[pair.part].append(pair)
    for chosen in found.values():
        random.Random(pairs.SEED).shuffle(chosen)  # noqa: S311  (no secret)
    return found


def train(
    base: Path, *, work: Path, into: Path, recipe: CopyRecipe = RECIPE, watch: Watch = unwatched
) -> dict[str, Any]:
    """Train the adapter on `base`, by the imitation of `training.trainers.copywriter`; write it to `into` in half
    precision and return what was measured on the way.

    `work` holds the checkpoints: a run that was interrupted goes on. `watch` hears of each step.
    """
    from training.trainers import copywriter, starter_weights

    known = parts()
    figures = copywriter.imitate(
        rows_of(known[pairs.TRAIN]),
        rows_of(known[pairs.DEVELOPMENT][:VALIDATION]),
        recipe=recipe,
        base=base,
        work=work / "checkpoints",
        into=work / "merged",
        adapter=work / "adapter",
        watch=watch,
    )
    starter_weights.halve(work / "adapter", into)
    return {**figures, "sha256": hash_of(into)}


def hash_of(folder: Path) -> str:
    """Return the SHA-256 of the weights in `folder`."""
    return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()


def require_whole() -> None:
    """Raise `PermanentError` unless the weights that ship are here, with the pinned hash."""
    if not (FOLDER / WEIGHTS).is_file() or hash_of(FOLDER) != SHA256:
        raise PermanentError(
            "the starter adapter is not what was shipped", hint="Restore training/starter/weights from the repository."
        )


def merge_into(directory: Path) -> None:
    """Merge the adapter that ships into the model in `directory`. Raises `PermanentError` where it is damaged."""
    from training.trainers import starter_weights

    require_whole()
    starter_weights.merge(directory, FOLDER)
