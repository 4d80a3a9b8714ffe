"""Measure a version on the test part of a snapshot, beside the champion, and put both before the gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from django.conf import settings

from core.exceptions import PermanentError
from inference.models import ModelVersion
from training import snapshots
from training.evaluation import comparison, gate, metrics, reports, smoke
from training.evaluation.metrics import Answers
from training.models import DatasetSnapshot, EvaluationReport

SMOKE_TEXTS = 8


def evaluate(
    version: ModelVersion,
    snapshot: DatasetSnapshot,
    *,
    champion: ModelVersion | None,
    tell: Callable[[int, int], None] = lambda done, of: None,
) -> EvaluationReport:
    """Return the report on `version`, made now or before; measured against `champion` on the same texts.

    `tell(done, of)` hears of texts as they are answered, by both models. Raises `PermanentError` when the artefact or the
    snapshot was changed.
    """
    if known := reports.find(version, snapshot, champion=champion, gate_version=gate.GATE_VERSION):
        return known
    rows = snapshots.read(snapshot, "test")
    labels = list(snapshot.manifest["labels"])
    rival = champion if champion is not None and champion.pk != version.pk else None
    of = len(rows) * (2 if rival else 1)
    new = _answers(version, rows, labels, tell=lambda done: tell(done, of))
    old = _answers(rival, rows, labels, tell=lambda done: tell(len(rows) + done, of)) if rival else None
    groups = _groups(rows)
    closest = snapshots.closest_of(snapshot)
    facts = _facts(version, snapshot, rows, new, labels, closest)
    rules, stated = gate.as_rules(settings.TRAINING["GATE"]), snapshots.n_stated(snapshot)
    verdict = gate.judge(new, old, groups=groups, rules=rules, facts=facts, stated=stated, labels=labels)
    measured: dict[str, Any] = {
        "labels": list(labels),
        "closest": closest,
        "new": metrics.describe(new, labels),
        "slices": metrics.slices(new, groups),
    }
    if old is not None:
        measured["champion"] = metrics.describe(old, labels)
        measured["champion_slices"] = metrics.slices(old, groups)
        found = comparison.compare(new.right, old.right, new.products)
        measured["comparison"] = {
            "gain": round(found.gain, 4), "low": round(found.low, 4), "high": round(found.high, 4), "p": round(found.p, 5),
            "only_new": found.only_new, "only_champion": found.only_old,
        }  # fmt: skip
    return reports.write(
        version, snapshot, champion=champion, gate_version=gate.GATE_VERSION, verdict=verdict, metrics=measured
    )


def _answers(
    version: ModelVersion, rows: Sequence[snapshots.Row], labels: Sequence[str], *, tell: Callable[[int], None]
) -> Answers:
    from training.classifiers import classify

    places = {label: place for place, label in enumerate(labels)}
    truth = np.array([places[row.label] for row in rows], dtype=np.int64)
    _, products = np.unique([row.group for row in rows], return_inverse=True)
    found = np.asarray(classify(version, [row.text for row in rows], labels, tell=tell), dtype=np.float64)
    if n_lost := int((~np.isfinite(found).all(axis=1)).sum()):
        raise PermanentError(
            f"{version} gives no number for {n_lost:,} of {len(rows):,} texts: its weights are no numbers any more.",
            hint="Train again with a smaller learning_rate.",
        )
    return Answers(found, truth, products.astype(np.int64))


def _groups(rows: Sequence[snapshots.Row]) -> dict[str, list[str]]:
    return {
        "language": [row.locale for row in rows],
        "category": [row.category.split(" > ")[0] or "none" for row in rows],
        "length": [metrics.length_band(row.text) for row in rows],
    }


def _facts(
    version: ModelVersion, snapshot: DatasetSnapshot, rows: Sequence[snapshots.Row], new: Answers, labels: Sequence[str],
    closest: Mapping[str, Any] | None,
) -> dict[str, bool]:  # fmt: skip
    tried = [row.text for row in rows[:SMOKE_TEXTS]]
    why = smoke.works_alone(version, tried, new.probabilities[:SMOKE_TEXTS].tolist(), labels) if rows else None
    return {
        **reports.alone("works", why),
        **reports.conditions(version, snapshot, tested={row.group for row in rows}),
        **reports.nearness(closest),
    }
