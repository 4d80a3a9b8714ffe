"""The record of a comparison: written once, with its ledger line; and the conditions for every new model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.db import transaction

from audit import ledger
from core.actors import SystemActor
from core.exceptions import PermanentError
from core.refs import ref
from inference import artifacts
from inference.models import ModelVersion
from training import snapshots
from training.evaluation.gate import Verdict
from training.models import DatasetSnapshot, EvaluationReport

JUDGE = SystemActor("training.gate")


def find(
    version: ModelVersion, snapshot: DatasetSnapshot, *, champion: ModelVersion | None, gate_version: str
) -> EvaluationReport | None:
    """Return the report that was made of this comparison before, if any."""
    return EvaluationReport.objects.filter(
        version=version, snapshot=snapshot, against=champion, gate_version=gate_version
    ).first()


def write(
    version: ModelVersion,
    snapshot: DatasetSnapshot,
    *,
    champion: ModelVersion | None,
    gate_version: str,
    verdict: Verdict,
    metrics: Mapping[str, Any],
) -> EvaluationReport:
    """Record the verdict on `version` and its ledger line, both or neither; return the report."""
    with transaction.atomic():
        report, is_new = EvaluationReport.objects.get_or_create(
            version=version,
            snapshot=snapshot,
            against=champion,
            gate_version=gate_version,
            defaults={
                "verdict": verdict.verdict,
                "reasons": [list(row) for row in verdict.findings],
                "metrics": dict(metrics),
            },
        )
        if is_new:
            ledger.append(
                "training.version.judged",
                subject=ref(version),
                actor=JUDGE,
                payload={"verdict": verdict.verdict, "gate": gate_version, "snapshot": ref(snapshot)},
            )
    return report


def evaluate(
    judge: Any,
    version: ModelVersion,
    snapshot: DatasetSnapshot,
    *,
    champion: ModelVersion | None,
    tell: Callable[[int, int], None] = lambda done, of: None,
) -> EvaluationReport:
    """Return the report on `version`, made now or before; measured against `champion` on the same examples.

    `judge` is the module of the trade: its `measure` and `judge` are pure, and what they come to is written here.
    `tell(done, of)` hears of texts, by both models. Raises `PermanentError` when the artefact or the snapshot was
    changed.
    """
    gate_version = judge.GATE_VERSION
    if known := find(version, snapshot, champion=champion, gate_version=gate_version):
        return known
    measured = judge.measure(version, snapshot, champion=champion, tell=tell)
    verdict, metrics = judge.judge(measured)
    return write(version, snapshot, champion=champion, gate_version=gate_version, verdict=verdict, metrics=metrics)


def runs_standalone(verb: str, why: str | None) -> dict[str, bool]:
    """Return, in words, whether the saved model works or writes (`verb`) by itself: `why` not, empty where it does.

    Nothing where it was not tried (None): without a test text no process was started.
    """
    return {} if why is None else {f"the saved model {verb} in a fresh process{f': {why}' if why else ''}": not why}


def preconditions(version: ModelVersion, snapshot: DatasetSnapshot, *, tested: Collection[str]) -> dict[str, bool]:
    """Return, in words, what has to hold of any new model, and whether it does.

    `tested`: products of the test texts.
    """
    try:
        artifacts.verify(artifacts.path_for(version.artifact_hash))
        is_whole = True
    except PermanentError:
        is_whole = False
    leaked = len({row.group for row in snapshots.read(snapshot, "train")} & set(tested))
    return {
        "its files have the hashes of the registry": is_whole,
        "it was trained on the train part of this very snapshot": version.dataset_hash == snapshot.artifact_hash,
        f"{leaked} products of the test part were trained on": leaked == 0,
    }


def nearness(closest: Mapping[str, Any] | None) -> dict[str, bool]:
    """Return, in words, whether no near copy was learnt from and tested on. `closest`: `snapshots.closest_of`."""
    if closest is None:
        return {"no text that was trained on is near one of the test part": True}
    words = (
        f"the closest text that was trained on is {closest['similarity']:.1%} like one of the test part "
        f"({closest['learnt']}, {closest['tested']}); it has to be below {closest['below']:.0%}"
    )
    return {words: closest["similarity"] < closest["below"]}
