"""Settings of the models that serve: where they lie, and the code that runs each kind (docs/models.md)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ecomsite import env
from ecomsite.env import VAR_DIR

# Threads of a matrix product that wait for each other sleep. As OpenMP has it they spin, and where a core is busy
# otherwise they keep the one that they wait for from working. Read when torch is loaded, which is later than this.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@dataclass(frozen=True)
class Inference:
    """Models that serve."""

    # The artefact store: a folder for each model, snapshot and recording.
    artifacts: Path
    # What a version names as its back end → the class that runs it.
    backends: Mapping[str, str]
    batch_size: int
    # Of one process; 0: as torch has it.
    threads: int
    # Whether a classifier is tried in several precisions where it runs (inference/calibration.py).
    calibrates: bool
    # Copy is written within limits made of its facts; off, it is what the model says.
    constrained: bool
    # How often a text is asked for at most until it has no fault; 0: as its back end is best with.
    tries: int


INFERENCE = Inference(
    artifacts=VAR_DIR / "artifacts",
    backends={
        "causal_lm": "inference.backends.causal_lm.CausalLM",
        "openai_compatible": "inference.backends.openai_compatible.OpenAICompatible",
        "sequence_classifier": "inference.backends.sequence_classifier.SequenceClassifier",
        "sentence_encoder": "inference.backends.sentence_encoder.SentenceEncoder",
        "cold_start": "inference.backends.cold_start.ColdStartSentiment",
        "safety_words": "questions.review_safety.first_scorer.WordListSafety",
        "embedding_head": "inference.backends.linear_heads.EmbeddingHead",
        "character_head": "inference.backends.linear_heads.CharacterHead",
        "by_language": "inference.backends.by_language.ByLanguage",
    },
    batch_size=env.integer("INFERENCE_BATCH_SIZE", 16, minimum=1),
    threads=env.integer("INFERENCE_THREADS", 0),
    calibrates=env.boolean("INFERENCE_CALIBRATION", default=True),
    constrained=env.boolean("INFERENCE_CONSTRAINED", default=True),
    tries=env.integer("INFERENCE_TRIES", 0, minimum=0),
)
