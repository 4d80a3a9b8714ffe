"""How a classifier is run fastest where it runs: precision and batch, tried once for each version and kind of machine.

Which is faster depends on the processor: bfloat16 made 2.5 times the texts of float32 on one and fewer on another
(docs/benchmarks/scoring-speed.md). What is tried stands in `Calibration`; another kind of machine tries for itself.
"""

from __future__ import annotations

import itertools
import logging
import os
import platform
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version as release
from pathlib import Path
from typing import Any

from django.conf import settings

from inference.contracts import Backend, TextClassifier
from inference.models import Calibration, ModelVersion

log = logging.getLogger(__name__)
# Back ends that hold an encoder, whose precision and batch can be chosen.
CALIBRATED = {"sequence_classifier", "by_language", "embedding_head"}
# An option by which somebody chose already.
CHOSEN = {"dtype", "int8", "device", "batch_size"}
PRECISIONS: Sequence[Mapping[str, Any]] = ({}, {"dtype": "bfloat16"}, {"int8": True})
BATCHES = (4, 16, 32)
# Of how many answers in a hundred another label may come out, in each half of the texts.
MOST_POINTS = 0.5
ROUNDS, N_TEXTS = 3, 400
# A machine that takes so long for a quarter of the texts is busy, or slow: it is not kept busy for minutes more.
BUSY_S = 10.0
# What is no faster than this is not worth another precision.
WORTH = 1.05
FEATURES = (
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "avx_vnni",
    "amx_int8",
    "amx_bf16",
    "asimddp",
    "i8mm",
    "bf16",
)
OPENINGS = (
    "I bought this for my {}.",
    "We ordered it two weeks ago for the {}.",
    "It replaced an old one in my {}.",
    "",
)
PLACES = ("kitchen", "office", "sister", "camping trip", "bathroom", "children", "commute", "garden")
REMARKS = (
    "It works exactly as described and I would buy it again.",
    "Broke after three days, very disappointing.",
    "The colour is not quite what the picture shows.",
    "Great value, my whole family loves it.",
    "Delivery took a month and nobody answered my mails.",
    "Nothing special, but it does what it should.",
    "The handle came off the first time I used it.",
    "So comfortable that I forgot I was wearing it!",
    "Instructions are missing, so I had to guess how to put it together.",
    "I did not expect much and was pleasantly surprised.",
    "Smells of plastic even after washing it twice.",
    "The battery lasts about a day, which is fine for me.",
    "Not worth the money.",
    "Sturdy, well made and easy to clean.",
    "It is smaller than I thought but still useful.",
    "They sent the wrong size, and the exchange was quick.",
)


@dataclass(frozen=True)
class Trial:
    """What one way to run the model made: texts a second, and in how many of a hundred its label is another one."""

    options: Mapping[str, Any]
    texts_per_second: float
    points: float

    @property
    def is_true(self) -> bool:
        """Whether it says what the model says as it was brought."""
        return self.points <= MOST_POINTS


def machine() -> str:
    """Return the kind of this machine: its processor, what that can, how many cores we have, and torch's release."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    told = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    name = told.get("model name") or platform.processor() or platform.machine()
    can = set(told.get("flags", told.get("Features", "")).split())
    threads = settings.INFERENCE.threads or _n_cores()
    return f"{name}; {' '.join(f for f in FEATURES if f in can)}; {threads} cores; torch {release('torch')}"[:300]


def _n_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def texts() -> list[str]:
    """Return `N_TEXTS` different reviews of up to four sentences, always the same; written for this."""
    chance = random.Random(0)  # noqa: S311 - no secret
    made: dict[str, None] = {}
    while len(made) < N_TEXTS:
        opening = chance.choice(OPENINGS).format(chance.choice(PLACES))
        made[" ".join([opening, *chance.sample(REMARKS, chance.randint(1, 3))]).strip()] = None
    return list(made)


def fit(version: ModelVersion, build: Callable[[Mapping[str, Any]], Backend]) -> Backend:
    """Return the back end of `version` as it runs best here; `build` makes it with more options.

    Tried at the first load on a kind of machine, in a few seconds, and kept. As it was brought where an option chooses
    already, where it is no encoder, on a GPU, and with `INFERENCE_CALIBRATION` off.
    """
    is_open = settings.INFERENCE.calibrates and version.backend in CALIBRATED and not CHOSEN & set(version.options)
    if not is_open or version._state.adding:
        return build({})
    here = machine()
    known = Calibration.objects.filter(version=version, machine=here).first()
    if known is not None:
        return build(known.options)
    plain = build({})
    if not isinstance(plain, TextClassifier) or _is_on_gpu(plain):
        return plain
    began = time.perf_counter()
    plain.classify(texts()[: N_TEXTS // 4])
    if time.perf_counter() - began > BUSY_S:
        log.info("%s is not calibrated: this machine is busy, and the next start tries again", version)
        return plain
    trials = calibrate(plain, build)
    best = choose(trials)
    Calibration.objects.get_or_create(
        version=version,
        machine=here,
        defaults={"options": dict(best.options), "trials": [_as_json(trial) for trial in trials]},
    )
    log.info("%s runs with %s here: %.0f texts/s", version, best.options or "no change", best.texts_per_second)
    return build(best.options) if best.options else plain


def calibrate(plain: TextClassifier, build: Callable[[Mapping[str, Any]], Backend]) -> list[Trial]:
    """Return what each precision made, and of the fastest true one each batch; `plain` first. They take turns."""
    asked = texts()
    said = [answer.label for answer in plain.classify(asked)]
    first = _race(((options, build(options) if options else plain) for options in PRECISIONS), asked, said)
    best = choose(first).options
    sized = ({**best, "batch_size": size} for size in BATCHES)
    return [*first, *_race(((options, build(options)) for options in sized), asked, said)]


def choose(trials: Sequence[Trial]) -> Trial:
    """Return the fastest that says the same; the first where none is faster by a margin that is no chance."""
    best = max((trial for trial in trials if trial.is_true), key=lambda trial: trial.texts_per_second)
    return best if best.texts_per_second >= WORTH * trials[0].texts_per_second else trials[0]


def _race(
    runners: Iterable[tuple[Mapping[str, Any], Backend]], asked: Sequence[str], said: Sequence[str]
) -> list[Trial]:
    """Return a trial for each runner: the best of its rounds, which is the one that was disturbed least."""
    ready: list[tuple[Mapping[str, Any], TextClassifier, list[str]]] = []
    for options, model in runners:
        if isinstance(model, TextClassifier):
            try:
                ready.append((options, model, [answer.label for answer in model.classify(asked)]))
            except RuntimeError as exc:  # a precision that this processor's kernels do not have
                log.info("%s does not run here: %s", options, exc)
    seconds: dict[int, float] = {}
    for _, (place, (_, model, _)) in itertools.product(range(ROUNDS), enumerate(ready)):
        began = time.perf_counter()
        model.classify(asked[: N_TEXTS // 4])
        seconds[place] = min(seconds.get(place, float("inf")), time.perf_counter() - began)
    return [
        Trial(options, (N_TEXTS // 4) / seconds[place], _points(said, answers))
        for place, (options, _, answers) in enumerate(ready)
    ]


def _points(said: Sequence[str], answers: Sequence[str]) -> float:
    """Return the share of other labels in percent: of the half that has more of them, so that both halves hold."""
    others = [a != b for a, b in zip(said, answers, strict=True)]
    return max(100 * sum(half) / len(half) for half in (others[::2], others[1::2]))


def _is_on_gpu(model: Backend) -> bool:
    return getattr(getattr(model, "device", None), "type", "cpu") != "cpu"


def _as_json(trial: Trial) -> dict[str, Any]:
    return {
        "options": dict(trial.options),
        "texts_per_second": round(trial.texts_per_second, 1),
        "points": round(trial.points, 2),
    }
