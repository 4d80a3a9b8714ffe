"""Measure a version that gives several answers on the test part of a snapshot, beside the champion, for the gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from core import label_sets
from inference.models import ModelVersion
from training import snapshots
from training.evaluation import comparison, gate, metrics, runner, several_gate, several_metrics, stress
from training.evaluation.gate import Verdict
from training.evaluation.metrics import Ints
from training.evaluation.several_gate import GATE_VERSION
from training.evaluation.several_metrics import SeveralAnswers
from training.evaluation.stress import Stressed
from training.models import DatasetSnapshot

__all__ = ["GATE_VERSION", "Measured", "judge", "measure"]


@dataclass(frozen=True)
class Measured:
    """What both models say of the test part, and what the gate has to know besides. `old` is None without a rival."""

    labels: Sequence[str]
    new: SeveralAnswers
    old: SeveralAnswers | None
    groups: Mapping[str, Sequence[str]]
    facts: Mapping[str, bool]
    closest: Mapping[str, Any] | None
    stated: Any
    stressed: Stressed
    rules: gate.Rules


def measure(
    version: ModelVersion,
    snapshot: DatasetSnapshot,
    *,
    champion: ModelVersion | None,
    tell: Callable[[int, int], None] = lambda done, of: None,
) -> Measured:
    """Let `version` and `champion` answer the test part, as `runner.measure`. Nothing is written."""
    rows, labels = snapshots.read(snapshot, "test"), list(snapshot.manifest["labels"])
    rival = champion if champion is not None and champion.pk != version.pk else None
    of = len(rows) * (2 if rival else 1)
    new = _answers(version, rows, labels, tell=lambda done: tell(done, of))
    old = _answers(rival, rows, labels, tell=lambda done: tell(len(rows) + done, of)) if rival else None
    closest = snapshots.closest_of(snapshot)
    facts = runner.facts_of(version, snapshot, rows, new.probabilities, labels, closest)
    stressed, rules = Stressed({}, []), runner.rules_for(version.role)
    if len(rows) >= rules.min_test:
        # A changed text is answered rightly where all its answers are, and its answer is another where one of them is.
        stressed = stress.judge(
            [row.text for row in rows],
            new.whole(),
            old.whole() if old else None,
            says=partial(_says, version, labels),
            rival=partial(_says, rival, labels) if rival else None,
            rules=rules,
        )
    return Measured(
        labels, new, old, runner.groups_of(rows), facts, closest, snapshots.n_stated(snapshot), stressed, rules
    )


def judge(measured: Measured) -> tuple[Verdict, dict[str, Any]]:
    """Return what the gate says of `measured`, and the figures for the report."""
    new, old, labels, groups = measured.new, measured.old, list(measured.labels), measured.groups
    verdict = several_gate.judge(
        new, old, groups=groups, rules=measured.rules, facts=measured.facts, stated=measured.stated, labels=labels
    )
    if measured.stressed.findings:
        verdict = gate.worst([*verdict.findings, *measured.stressed.findings])
    figures: dict[str, Any] = {
        **measured.stressed.figures,
        "labels": labels,
        "closest": measured.closest,
        "new": several_metrics.describe(new, labels),
        "slices": metrics.slices(new.right_or_wrong(), groups),
    }
    if old is not None:
        figures["champion"] = several_metrics.describe(old, labels)
        figures["champion_slices"] = metrics.slices(old.right_or_wrong(), groups)
        figures["comparison"] = runner.compared(comparison.compare(new.right, old.right, new.products))
    return verdict, figures


def _answers(
    version: ModelVersion, rows: Sequence[snapshots.Row], labels: Sequence[str], *, tell: Callable[[int], None]
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
