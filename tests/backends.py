"""Stand-ins for model back ends, where a test is about the desk and not about what a model says."""

from __future__ import annotations

import math
import os
import signal
import time
import zlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from django.db import connection

from core.exceptions import PermanentError, TransientError
from inference.contracts import (
    Classification,
    Generation,
    GenerationParams,
    Message,
    TextClassifier,
    TextEncoder,
    TextGenerator,
    never,
)
from moderation.policy.claim_kinds import KINDS


class Scripted(TextGenerator):
    """Says `options["texts"]` in turn, after `options["seconds"]`.

    Fails as `options["fails"]` says, or when a prompt holds `options["poison"]`; dies of one that holds
    `options["deadly"]`. With `options["each_seconds"]` it takes so long for each text, and finishes one after the other.
    """

    def as_completed(
        self,
        prompts: Sequence[Sequence[Message]],
        params: GenerationParams,
        *,
        seeds: Sequence[int] | None = None,
        cancelled: Callable[[], bool] = never,
    ) -> Iterator[list[tuple[int, Generation]]]:
        if "each_seconds" not in self.options:
            yield from super().as_completed(prompts, params, seeds=seeds, cancelled=cancelled)
            return
        for place, generation in enumerate(self.generate(prompts, params, seeds=seeds)):
            until = time.monotonic() + self.options["each_seconds"]
            while time.monotonic() < until:
                if cancelled():
                    return
                time.sleep(0.02)
            if place == self.options.get("fails_at"):
                raise TransientError("the endpoint went away in between")
            yield [(place, generation)]

    def generate(
        self, prompts: Sequence[Sequence[Message]], params: GenerationParams, *, seeds: Sequence[int] | None = None
    ) -> list[Generation]:
        time.sleep(self.options.get("seconds", 0))
        if self.options.get("fails") == "transient":
            raise TransientError("the endpoint does not answer")
        if self.options.get("fails") == "bug":
            raise RuntimeError("the model has a bug")
        if self.options.get("fails") == "database":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        poison = self.options.get("poison")
        if poison and any(poison in prompt[-1].content for prompt in prompts):
            raise PermanentError("the model chokes on this")
        deadly = self.options.get("deadly")
        if deadly and any(deadly in prompt[-1].content for prompt in prompts):
            os.kill(os.getpid(), signal.SIGKILL)
        texts = self.options["texts"]
        return [
            Generation(texts[i % len(texts)], "stop", 100, 20, seed, 0.01, "script")
            for i, seed in enumerate(self.seeds_of(prompts, params, seeds))
        ]


class WordCount(TextClassifier):
    """Positive when the text says `good` more often than `bad`; unsure when it says neither. Chokes on `choke`."""

    labels = ("positive", "neutral", "negative")

    def classify(self, texts: Sequence[str]) -> list[Classification]:
        if any("choke" in text for text in texts):
            raise RuntimeError("the model chokes on this")
        return [self._judge(text.lower()) for text in texts]

    def _judge(self, text: str) -> Classification:
        good, bad = text.count("good"), text.count("bad")
        if good == bad:
            return Classification("neutral", {"positive": 0.3, "neutral": 0.4, "negative": 0.3})
        label = "positive" if good > bad else "negative"
        rest = [name for name in self.labels if name != label]
        return Classification(label, {label: 0.9, **dict.fromkeys(rest, 0.05)})


class Diverged(TextClassifier):
    """Gives no number for any text, as where weights are no numbers any more."""

    labels = ("positive", "neutral", "negative")

    def classify(self, texts: Sequence[str]) -> list[Classification]:
        return [Classification("positive", dict.fromkeys(self.labels, math.nan)) for _ in texts]


class Accuser(TextClassifier):
    """A judge of claims that sees `options["says"]` in each text, all kinds unless told; surely, or to `odds`.

    It takes `seconds` for it, and fails where `fails` is set.
    """

    labels = tuple(KINDS)

    def classify(self, texts: Sequence[str]) -> list[Classification]:
        time.sleep(self.options.get("seconds", 0))
        if self.options.get("fails"):
            raise RuntimeError("the judge has a bug")
        says, odds = self.options.get("says", self.labels), self.options.get("odds", 0.99)
        row = [odds if label in says else 0.01 for label in self.labels]
        return [Classification.of_several(self.labels, row) for _ in texts]


class Acceptable(TextClassifier):
    """Valid when the text says `welcome`."""

    labels = ("valid", "invalid")

    def classify(self, texts: Sequence[str]) -> list[Classification]:
        return [
            Classification(
                *(
                    ("valid", {"valid": 0.9, "invalid": 0.1})
                    if "welcome" in text
                    else ("invalid", {"valid": 0.2, "invalid": 0.8})
                )
            )
            for text in texts
        ]


class WordVectors(TextEncoder):
    """A vector of which words a text has, each at a place that its hash gives."""

    dimension = 64

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.split():
                vectors[row, zlib.crc32(word.encode()) % self.dimension] += 1
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
