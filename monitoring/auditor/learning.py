"""Questions about models: what they learned from, who let them serve, under which licence they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from audit.models import LedgerEntry
from core.actors import actor_ref
from core.exceptions import PermanentError
from core.refs import ref
from inference.models import ModelAlias, ModelVersion
from monitoring.auditor.asking import Answer, Asked, table
from training.models.datasets import DatasetSnapshot
from training.models.runs import Approval, EvaluationReport, TrainingRun


def _versions(asked: Asked) -> list[ModelVersion]:
    versions = ModelVersion.objects.order_by("role", "-number")
    if asked.model:
        role, _, number = asked.model.partition(":")
        wanted = (
            Q(role=role, number=int(number))
            if (number.isdecimal() and len(number) < 10)
            else Q(role=role) | Q(name=asked.model)
        )
        versions = versions.filter(wanted)
    if asked.model and not versions:
        raise PermanentError(
            f"There is no model {asked.model}.", hint="Write role:number, e.g. sentiment:2, a role or a name."
        )
    return list(versions)


def training_set(asked: Asked) -> Answer:
    """10: what a model was trained on, what was left out and why."""
    rows: list[Sequence[Any]] = []
    left_out: list[Sequence[Any]] = []
    for version in _versions(asked):
        run = TrainingRun.objects.filter(version=version).select_related("snapshot").first()
        snapshot = run.snapshot if run else None
        if snapshot is None:
            rows.append((str(version), "brought in", version.source, version.licence or "not recorded", "", "", "", ""))
            continue
        rows.append(
            (
                str(version),
                run and run.pk,
                snapshot.artifact_hash,
                "labels of this desk",
                snapshot.n_train,
                snapshot.n_validation,
                snapshot.n_test,
                run and run.reason,
            )
        )
        left_out += [(str(version), reason, n) for reason, n in _exclusions(snapshot)]
    columns = ("model", "run", "snapshot or source", "licence", "train", "validation", "test", "why it was trained")
    return Answer(
        f"{len(rows)} model version(s).",
        [
            table(
                "Training sets",
                columns,
                rows,
                note="`manage.py freeze_snapshot --help` says how a snapshot is read again.",
            ),
            table("Left out", ("model", "reason", "examples"), left_out),
        ],
    )


def _exclusions(snapshot: DatasetSnapshot) -> list[tuple[str, Any]]:
    found = snapshot.manifest.get("exclusions", {})
    return sorted(found.items()) if isinstance(found, dict) else [("in all", len(found))]


def promotions(asked: Asked) -> Answer:
    """11: who let a model serve, on what evidence, who else had to agree, and when roll-back was last done."""
    versions = _versions(asked)
    moves = LedgerEntry.objects.filter(action="inference.alias.moved", subject__in=[ref(v) for v in versions])
    moves = moves.filter(**asked.within("at")).order_by("-seq")
    names = {ref(version): str(version) for version in versions}
    reports = EvaluationReport.objects.filter(version__in=versions).select_related("version", "against")
    approvals = Approval.objects.filter(version__in=versions).select_related("version", "against", "approver")
    back = next((entry.at for entry in moves if entry.payload.get("rolled_back")), None)
    words = (
        f"{moves.count()} promotion(s) and roll-back(s); the last roll-back: {back:%F %H:%M}."
        if back
        else f"{moves.count()} promotion(s); nothing was rolled back yet."
    )
    return Answer(
        words,
        [
            table(
                "Who serves now",
                ("role", "alias", "model", "since"),
                ((a.role, a.name, str(a.version), a.moved_at) for a in ModelAlias.objects.select_related("version")),
            ),
            table(
                "Moves",
                ("at", "who", "alias", "to", "reason", "rolled back"),
                (
                    (
                        e.at,
                        e.actor,
                        f"{e.payload['role']} {e.payload['alias']}",
                        names.get(e.subject, e.subject),
                        e.payload.get("reason"),
                        bool(e.payload.get("rolled_back")),
                    )
                    for e in moves
                ),
            ),
            table(
                "Gate",
                ("at", "model", "against", "verdict", "rules and what they found"),
                (
                    (
                        r.created_at,
                        str(r.version),
                        str(r.against or "nothing served"),
                        r.verdict,
                        "; ".join(": ".join(map(str, reason)) for reason in r.reasons),
                    )
                    for r in reports
                ),
            ),
            table(
                "Approvals by people",
                ("at", "model", "in place of", "who", "reason"),
                (
                    (a.created_at, str(a.version), str(a.against or "nobody"), actor_ref(a.approver), a.reason)
                    for a in approvals
                ),
            ),
        ],
    )


def licences(asked: Asked) -> Answer:
    """18: where each model comes from and under which licence."""
    serving = {alias.version_id: alias.name for alias in ModelAlias.objects.all()}
    versions = _versions(asked)
    rows = (
        (
            v.role,
            v.number,
            v.name,
            v.source,
            v.licence or "not recorded",
            v.artifact_hash[:16],
            v.base_hash[:16],
            serving.get(v.pk, ""),
        )
        for v in versions
    )
    missing = sum(not version.licence for version in versions)
    columns = ("role", "number", "name", "source", "licence", "weights", "base", "serves as")
    words = f"{len(versions)} model version(s); {missing} without a recorded licence."
    note = "A model trained here stands under the licence of its base. Packages: docs/third-parties.md."
    return Answer(words, [table("Models", columns, rows, note=note)])
