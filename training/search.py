"""Better numbers for a recipe, within a budget of trials and minutes (Optuna's tree-structured Parzen estimator).

Akiba, T. et al. (2019), "Optuna", KDD. A study is kept on disk, so that an interrupted search goes on.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from training.recipes import CopyRecipe, Recipe
from training.trainers.contracts import Watch

# How the stage of a part's search is called: this, then the part.
STAGE = "search:"
AnyRecipe = TypeVar("AnyRecipe", Recipe, CopyRecipe)


def tune(recipe: AnyRecipe, fit: Callable[..., Mapping[str, Any]], *, work: Path, watch: Watch) -> AnyRecipe:
    """Return `recipe` with the learning rate, epochs, batch size, decay and warm-up that cost the validation part
    least.

    `fit(recipe=, work=, into=, watch=)` trains in folders that are removed afterwards, and returns the `best_eval_loss`
    it came to. The search ends after `search_trials` or `search_minutes` of the recipe, whichever is first.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    work.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(study_name="recipe", storage=f"sqlite:///{work / 'study.db'}", load_if_exists=True)
    if not study.trials:
        study.enqueue_trial({"learning_rate": recipe.learning_rate, "epochs": recipe.epochs})
    for trial in study.get_trials(states=[optuna.trial.TrialState.RUNNING]):  # its worker was killed: once more
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        study.enqueue_trial(trial.system_attrs.get("fixed_params") or trial.params)

    def cost(trial: Any) -> float:
        tried = _suggest(recipe, trial)
        folder, n_done = work / f"trial-{trial.number}", len(_finished(study))  # the numbers count what was killed, too
        try:
            found = fit(
                recipe=tried,
                work=folder,
                into=folder / "model",
                watch=lambda done, of, figures: watch(n_done, recipe.search_trials, {}),
            )
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return float(found["best_eval_loss"] or "inf")

    while (n := len(_finished(study))) < recipe.search_trials and _seconds(study) < 60 * recipe.search_minutes:
        # Seeded by how many are done, so that a search that was interrupted goes on as it would have.
        study.sampler = optuna.samplers.TPESampler(seed=recipe.seed + n)
        study.optimize(cost, n_trials=1)
    return _with(recipe, study.best_params) if _finished(study) else recipe


def _finished(study: Any) -> list[Any]:
    return [trial for trial in study.trials if trial.state.is_finished() and trial.value is not None]


def _seconds(study: Any) -> float:
    return float(sum(trial.duration.total_seconds() for trial in _finished(study)))


def _suggest(recipe: AnyRecipe, trial: Any) -> AnyRecipe:
    size = recipe.batch_size
    return _with(
        recipe,
        {
            "learning_rate": trial.suggest_float(
                "learning_rate", recipe.learning_rate / 5, recipe.learning_rate * 5, log=True
            ),
            "epochs": trial.suggest_float("epochs", 1, max(2.0, 2 * recipe.epochs)),
            "batch_size": trial.suggest_categorical("batch_size", sorted({max(1, size // 2), size, 2 * size})),
            "weight_decay": trial.suggest_float("weight_decay", 0.0, 0.2),
            "warmup": trial.suggest_float("warmup", 0.0, 0.3),
        },
    )


def _with(recipe: AnyRecipe, found: dict[str, Any]) -> AnyRecipe:
    return recipe.model_copy(update=found)
