"""Checkpoints that survive a kill: one that was not written to its end is as if it were not there."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME

from training.trainers import launch, trackers
from training.trainers.contracts import Watch

PREFIX = "checkpoint-"


def latest(folder: Path) -> str | None:
    """Return the newest whole checkpoint in `folder`, after removing those that are not; None when there is none."""
    whole = []
    for path in folder.glob(f"{PREFIX}*"):
        if _state(path) is None:
            shutil.rmtree(path, ignore_errors=True)
        else:
            whole.append(path)
    newest = max(whole, key=lambda path: int(path.name.removeprefix(PREFIX)), default=None)
    return str(newest) if newest else None


def _state(checkpoint: Path) -> TrainerState | None:
    """Return the state of a whole checkpoint: it is what transformers writes last.

    None where it was not written to its end.
    """
    try:
        return TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))
    except (OSError, ValueError, TypeError):
        return None


def arguments(recipe: Any, work: Path, *, n_steps: int, every: int, report_to: Sequence[str]) -> dict[str, Any]:
    """Return what every trainer asks of transformers: evaluate and save at each `every` steps, keep the best, go on
    alike.

    `recipe` is of either kind; `n_steps` is how many there will be in all; `work` is `RUN/parts/PART`, and what
    trackers call the run.
    """
    return {
        "output_dir": str(work),
        "run_name": f"{work.parent.parent.name} {work.name}",
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "per_device_train_batch_size": launch.share_of(recipe.batch_size),
        "gradient_accumulation_steps": recipe.accumulate,
        "weight_decay": recipe.weight_decay,
        "warmup_steps": math.ceil(recipe.warmup * n_steps),
        "eval_strategy": "steps",
        "eval_steps": every,
        "save_strategy": "steps",
        "save_steps": every,
        "save_total_limit": 2,
        "load_best_model_at_end": True,
        "metric_for_best_model": "eval_loss",
        "greater_is_better": False,
        "logging_steps": max(1, every // 4),
        "restore_callback_states_from_checkpoint": True,
        "report_to": list(report_to) or "none",
        "disable_tqdm": True,
    }


def train(trainer: Trainer, work: Path) -> None:
    """Train to the end, from the newest whole checkpoint in `work` where there is one.

    One that had stopped early is not trained further: transformers forgets, on going on, that it had stopped.
    """
    with trainer.args.main_process_first():  # what is not whole goes before another process sees it
        found = latest(work)
    state = _state(Path(found)) if found else None
    if state is not None and state.stateful_callbacks.get("TrainerControl", {}).get("args", {}).get(
        "should_training_stop"
    ):
        trainer.state = state
        trainer._load_best_model()
        return
    with trackers.runs_of_their_own(trainer.args.report_to):
        trainer.train(resume_from_checkpoint=found)


class Reporter(TrainerCallback):  # type: ignore[misc]
    """Tells `watch` of every step and of every figure."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Called after every step of the optimiser."""
        self.watch(state.global_step, state.max_steps, {})

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Called with losses and what evaluations measured."""
        figures = {name: float(value) for name, value in (logs or {}).items() if name in WATCHED}
        if figures:
            self.watch(state.global_step, state.max_steps, figures)


WATCHED = {"loss", "eval_loss", "eval_accuracy", "eval_macro_f1", "learning_rate", "eval_rewards/accuracies"}
