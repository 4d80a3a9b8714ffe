"""Settings of what learns from people: the search for wrong labels, and training."""

from __future__ import annotations

from typing import Any

from ecomsite import env
from ecomsite.env import VAR_DIR

# How good labels are: the search for those that look wrong (training/label_checks.py), and raters of files.
LABEL_CHECKS: dict[str, Any] = {
    # Up to so many labels an encoder is fine-tuned on each fold as well: minutes on a CPU, and it finds more.
    "FINE_TUNE_UP_TO": env.integer("LABEL_CHECK_FINE_TUNE_UP_TO", 0),
    # How far raters of a file agree with our own people at least, beyond chance, before anybody can answer for them
    # (moderation/label_exchange/agreement.py). 0.4: where Landis and Koch (1977, Biometrics 33, 159) have moderate
    # begin.
    "MIN_RATER_KAPPA": env.integer("RATER_MIN_KAPPA_PERCENT", 40) / 100,
}

# --- The learning loop (training/) --------------------------------------------------------------------------------
TRAINING: dict[str, Any] = {
    # Checkpoints, and what trackers write: a folder for each run.
    "RUNS": VAR_DIR / "training",
    # Reported to, by the names transformers knows: tensorboard, wandb, mlflow. Their packages have to be installed.
    "TRACKERS": env.words("TRAINING_TRACKERS", "tensorboard"),
    # When a run starts by itself (training/triggers.py).
    "MIN_LABELS": env.integer("TRAINING_MIN_LABELS", 200, minimum=40),
    "NEW_LABELS": env.integer("TRAINING_NEW_LABELS", 200, minimum=1),
    "EVERY_DAYS": env.integer("TRAINING_EVERY_DAYS", 7, minimum=1),
    "BUDGET_MINUTES": env.integer("TRAINING_BUDGET_MINUTES", 240, minimum=1),
    "LONGEST_RUN_MINUTES": env.integer("TRAINING_LONGEST_RUN_MINUTES", 360, minimum=1),
    # Among which a batch is shared; 0: one for each GPU, one without any (training/trainers/launch.py).
    "PROCESSES": env.integer("TRAINING_PROCESSES", 0),
    # Feeds, by the names of their files, whose licence does not allow to train on what came with them.
    "BARRED_FEEDS": env.words("TRAINING_BARRED_FEEDS"),
    # Changes to copies of training rows, where a recipe asks for any.
    "AUGMENTERS": ["training.augmentation.drop_words", "training.augmentation.replace_synonyms"],
    # What a new model has to show before it serves (training/evaluation/gate.py).
    "GATE": {
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
    # Roles whose champion is rolled back by itself when people agree with it less than before, beyond chance
    # (training/drift.py). Elsewhere there is an alert.
    "ROLL_BACK_ON_DRIFT": env.words("TRAINING_ROLL_BACK_ON_DRIFT"),
    # How many people have to agree as well; 0: a model that passes serves at once.
    "APPROVERS": {
        "sentiment": env.integer("TRAINING_SENTIMENT_APPROVERS", 0),
        "copywriter": env.integer("TRAINING_COPYWRITER_APPROVERS", 2),
        # It ranks drafts of one product, and nothing else.
        "validity": 0,
    },
}
