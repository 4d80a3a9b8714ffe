"""Who lets a trained version serve: the gate alone, or the gate and named people; and who takes it back."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import transaction

from audit import ledger
from core.actors import SystemActor, require_permission
from core.exceptions import EcomsiteError, PermanentError
from core.refs import ref
from inference import resolver
from inference.models import ModelAlias, ModelVersion
from training import registry
from training.models import Approval, EvaluationReport

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = logging.getLogger(__name__)
GATE = SystemActor("training.gate")
Verdict = EvaluationReport.Verdict


def consider(report: EvaluationReport) -> ModelAlias | None:
    """Act on a report: a version that passed serves where nobody else has to agree, else it is the challenger.

    One whose test was inconclusive becomes challenger too: shadow scoring gathers what is missing; and so does one that
    was measured against another champion than serves by now. After a roll-back no gate alone puts the next one in place:
    a person lets it in. Returns the alias that moved; None when nothing moved.
    """
    version, champion = report.version, resolver.find(report.version.role)
    if report.verdict == Verdict.FAILED or champion == version:
        return None
    automatic = report.verdict == Verdict.PASSED and not people_needed(version.role) and report.against == champion
    alias = registry.CHAMPION if automatic else registry.CHALLENGER
    try:
        return registry.promote(
            version, alias=alias, actor=GATE, reason=_words(report), replacing=report.against if automatic else ...
        )
    except EcomsiteError as exc:  # it is there already, or the champion moved on this very moment: its page says so
        log.warning("%s was not made %s: %s", version, alias, exc)
        return None


def people_needed(role: str) -> int:
    """Return how many people have to let in a version that passed: one at least after somebody rolled the champion back."""
    rolled_back = ModelAlias.objects.filter(role=role, name=registry.CHAMPION, rolled_back=True).exists()
    return max(registry.approvers_needed(role), int(rolled_back))


def approve(version: ModelVersion, *, actor: User, reason: str) -> ModelAlias | None:
    """Note that a person lets `version` serve; with the last one needed it becomes champion, and the alias is returned.

    Raises `PermanentError` without a reason, without a report that passed against the champion of now, or when this
    person has approved already; `PermissionDenied` without `inference.promote_model`.
    """
    require_permission(actor, "inference.promote_model")
    if not reason.strip():
        raise PermanentError("an approval needs a reason", hint="It goes into the ledger.")
    report = registry.passed_report(version)
    with transaction.atomic():
        _, is_new = Approval.objects.get_or_create(version=version, approver=actor, defaults={"reason": reason[:200]})
        if not is_new:
            raise PermanentError(
                "you have approved this version already", hint="The next approval is another person's."
            )
        ledger.append("training.version.approved", subject=ref(version), actor=actor,
                      payload={"reason": ledger.typed(reason[:200], by=actor)})  # fmt: skip
        if version.approvals.count() < people_needed(version.role):
            return None
        return registry.promote(version, actor=actor, reason=reason, replacing=report.against)


def roll_back(role: str, *, actor: User | SystemActor, reason: str) -> ModelAlias:
    """Let the previous champion of `role` serve again. Raises as `registry.roll_back`."""
    return registry.roll_back(role, actor=actor, reason=reason)


def _words(report: EvaluationReport) -> str:
    return f"gate {report.gate_version}: {report.verdict} on {report.snapshot.n_test} test texts against {report.against or 'nobody'}"
