"""The record of a comparison: written once, with its ledger line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from audit import ledger
from core.actors import SystemActor
from core.refs import ref
from inference.models import ModelVersion
from training.evaluation.gate import Verdict
from training.models import DatasetSnapshot, EvaluationReport

JUDGE = SystemActor("training.gate")


def write(
    version: ModelVersion,
    snapshot: DatasetSnapshot,
    *,
    champion: ModelVersion | None,
    gate_version: str,
    verdict: Verdict,
    figures: Mapping[str, Any],
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
                "metrics": dict(figures),
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
