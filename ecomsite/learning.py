"""Settings of what learns from people: the search for wrong labels, and training."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecomsite import env
from ecomsite.env import VAR_DIR


@dataclass(frozen=True)
class LabelChecks:
    """How good labels are: the search for those that look wrong (training/label_checks.py), and raters of files."""

    # Up to so many labels an encoder is fine-tuned on each fold as well: minutes on a CPU, and it finds more.
    fine_tune_up_to: int
    # How far raters of a file agree with our own people at least, beyond chance, before anybody can answer for them
    # (moderation/label_exchange/agreement.py). 0.4: where Landis and Koch (1977, Biometrics 33, 159) have moderate
    # begin.
    min_rater_kappa: float


LABEL_CHECKS = LabelChecks(
    fine_tune_up_to=env.integer("LABEL_CHECK_FINE_TUNE_UP_TO", 0),
    min_rater_kappa=env.integer("RATER_MIN_KAPPA_PERCENT", 40) / 100,
)


@dataclass(frozen=True)
class LabelFiles:
    """Files of labels that the console brings in and takes out (moderation/label_exchange/jobs.py)."""

    # For so long a finished export can be downloaded.
    keep_exports: dt.timedelta


LABEL_FILES = LabelFiles(keep_exports=dt.timedelta(days=env.integer("LABEL_EXPORT_KEEP_DAYS", 7, minimum=1)))


# --- The learning loop (training/) --------------------------------------------------------------------------------
@dataclass(frozen=True)
class Training:
    """The learning loop."""

    # Checkpoints, and what trackers write: a folder for each run.
    runs: Path
    # Reported to, by the names transformers knows: tensorboard, wandb, mlflow. Their packages have to be installed.
    trackers: Sequence[str]
    # When a run starts by itself (training/triggers.py).
    min_labels: int
    new_labels: int
    every_days: int
    budget_minutes: int
    longest_run_minutes: int
    # Among which a batch is shared; 0: one for each GPU, one without any (training/trainers/launch.py).
    processes: int
    # Feeds, by the names of their files, whose licence does not allow to train on what came with them.
    barred_feeds: Sequence[str]
    # Changes to copies of training rows, where a recipe asks for any.
    augmenters: Sequence[str]
    # What a new model has to show before it serves: fields of training.evaluation.gate.Rules, each of which a question
    # may have a value of its own for.
    gate: Mapping[str, Any]
    # Roles whose champion is rolled back by itself when people agree with it less than before, beyond chance
    # (training/drift.py). Elsewhere there is an alert.
    roll_back_on_drift: Sequence[str]
    # How many people have to agree as well, by role; 0: a model that passes serves at once.
    approvers: Mapping[str, int]


TRAINING = Training(
    runs=VAR_DIR / "training",
    trackers=env.words("TRAINING_TRACKERS", "tensorboard"),
    min_labels=env.integer("TRAINING_MIN_LABELS", 200, minimum=40),
    new_labels=env.integer("TRAINING_NEW_LABELS", 200, minimum=1),
    every_days=env.integer("TRAINING_EVERY_DAYS", 7, minimum=1),
    budget_minutes=env.integer("TRAINING_BUDGET_MINUTES", 240, minimum=1),
    longest_run_minutes=env.integer("TRAINING_LONGEST_RUN_MINUTES", 360, minimum=1),
    processes=env.integer("TRAINING_PROCESSES", 0),
    barred_feeds=env.words("TRAINING_BARRED_FEEDS"),
    augmenters=["training.augmentation.drop_words", "training.augmentation.replace_synonyms"],
    gate={
        "min_test": env.integer("GATE_MIN_TEST", 100, minimum=20),
        "gain": env.integer("GATE_GAIN_POINTS", 0, minimum=-50) / 100,
        "slice_loss": env.integer("GATE_SLICE_LOSS_POINTS", 0) / 100,
        # Of each label; by name where it has its own, e.g. negative=5.
        "label_margin": env.integer("GATE_LABEL_MARGIN_POINTS", 10, minimum=1) / 100,
        "label_margins": {
            label: points / 100 for label, points in env.numbers("GATE_LABEL_MARGINS", minimum=1, maximum=100).items()
        },
        # What it costs to miss a text of a label, by name: 1 where nothing is said.
        "label_costs": env.numbers("GATE_LABEL_COSTS"),
        # Under changed texts, and of texts that name a group of people (training/evaluation/stress.py).
        "perturbed_loss": env.integer("GATE_PERTURBED_LOSS_POINTS", 5) / 100,
        "identity_loss": env.integer("GATE_IDENTITY_LOSS_POINTS", 5) / 100,
        "identity_required": env.boolean("GATE_IDENTITY_REQUIRED", default=False),
    },
    roll_back_on_drift=env.words("TRAINING_ROLL_BACK_ON_DRIFT"),
    approvers={
        "sentiment": env.integer("TRAINING_SENTIMENT_APPROVERS", 0),
        "copywriter": env.integer("TRAINING_COPYWRITER_APPROVERS", 2),
        # It ranks drafts of one product, and nothing else.
        "validity": 0,
        # It orders drafts that wait for people, and nothing else.
        "policy_claims": 0,
    },
)
