"""Measure a version that gives several answers on the test part of a snapshot, beside the champion, for the gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from core import label_sets
from inference.models import ModelVersion
from training.evaluation import runner, several_gate, several_metrics
from training.evaluation.gate import Verdict
from training.evaluation.metrics import Ints
from training.evaluation.runner import Measured, Way
from training.evaluation.several_gate import GATE_VERSION
from training.evaluation.several_metrics import SeveralAnswers
from training.work import Counted, Row, Work

__all__ = ["GATE_VERSION", "Measured", "judge", "measure"]


def measure(work: Work, version: ModelVersion, *, tell: Counted = lambda done, of: None) -> Measured[SeveralAnswers]:
    """Let `version` and the champion of `work` answer the test part, as `runner.measure`. Nothing is written."""
    return runner.measure_by(SEVERAL, work, version, tell=tell)


def judge(measured: Measured[SeveralAnswers]) -> tuple[Verdict, dict[str, Any]]:
    """Return what the gate says of `measured`, and the figures for the report."""
    return runner.judge_by(SEVERAL, measured)


def _answers(
    version: ModelVersion, rows: Sequence[Row], labels: Sequence[str], *, tell: Callable[[int], None]
) -> SeveralAnswers:
    from training.answering import classify_several

    true = [set(label_sets.split(row.label)) for row in rows]
    truth = np.array([[label in one for label in labels] for one in true], dtype=bool).reshape(len(rows), len(labels))
    found, said = classify_several(version, [row.text for row in rows], labels, tell=tell)
    runner.require_numbers(version, found)
    return SeveralAnswers(found, said, truth, runner.products_of(rows))


def _says(version: ModelVersion, labels: Sequence[str], texts: Sequence[str]) -> Ints:
    from training.answering import classify_several

    return several_metrics.coded(classify_several(version, texts, labels)[1])


# A changed text is answered rightly where all its answers are, and its answer is another where one of them is.
SEVERAL = Way(
    _answers,
    _says,
    whole=SeveralAnswers.whole,
    sliced=SeveralAnswers.right_or_wrong,
    judge=several_gate.judge,
    describe=several_metrics.describe,
)
