"""Who lets a version serve: the gate alone, or the gate and named people, or these alone; and who takes it back."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import OuterRef, Subquery

from audit import ledger
from core.actors import SystemActor, require_permission
from core.exceptions import EcomsiteError, PermanentError
from core.refs import ref
from inference import resolver
from inference.models import ModelAlias, ModelVersion
from moderation.queues.separation_of_duties import why_no_second
from training import consent, registry
from training.models import Approval, EvaluationReport

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = logging.getLogger(__name__)
GATE = SystemActor("training.gate")


@dataclass(frozen=True)
class Waiting:
    """A version that people have to let in, and who did so far."""

    version: ModelVersion
    approvals: Sequence[Approval]
    needed: int


def promote_if_passed(report: EvaluationReport) -> ModelAlias | None:
    """Act on a report: a version that passed serves where nobody else has to agree, else it is the challenger.

    One whose test was inconclusive becomes challenger too, and a classifier is then seen on live traffic; where only a label
    with too few test texts is in doubt, people may let it in. So does one that was measured against another champion than
    serves by now. After a roll-back no gate alone puts the next one in place: a person lets it in. Returns the alias that
    moved; None when nothing moved.
    """
    version, champion = report.version, resolver.find(report.version.role)
    if report.verdict == EvaluationReport.Verdict.FAILED or champion == version:
        return None
    automatic = report.lets_replace(champion) and not report.asks_people and not people_needed(version)
    alias = registry.CHAMPION if automatic else registry.CHALLENGER
    try:
        return registry.promote(
            version, alias=alias, actor=GATE, reason=_words(report), replacing=report.against if automatic else ...
        )
    except EcomsiteError as exc:  # it is there already, or the champion moved on this very moment: its page says so
        log.warning("%s was not made %s: %s", version, alias, exc)
        return None


def approvals_on(report: EvaluationReport) -> list[Approval]:
    """Return the approvals that were given on a report, as `registry.approvals_against` its champion."""
    return registry.approvals_against(report.version, report.against)


def people_needed(version: ModelVersion) -> int:
    """Return how many people have to agree before `version` serves, as `registry.people_needed`."""
    return registry.people_needed(version)


def may_replace(version: ModelVersion) -> bool:
    """Return whether people may let `version` in now: the gate let it pass against the champion of now, or left it to them, or there is none for it."""
    try:
        return not version.dataset_hash or registry.passed_report(version) is not None
    except PermanentError:
        return False


def approve(version: ModelVersion, *, actor: User, reason: str) -> ModelAlias | None:
    """Note that a person lets `version` serve; with the last one needed it becomes champion, and the alias is returned.

    Raises `PermanentError` without a reason, for the champion itself, for a version trained here without a report against the
    champion of now that passed or left it to people, or when this person has approved already and others are missing;
    `PermissionDenied` without `inference.promote_model`.
    """
    require_permission(actor, "inference.promote_model")
    if not reason.strip():
        raise PermanentError("an approval needs a reason", hint="It goes into the ledger.")
    with transaction.atomic():
        registry.lock()  # before the ledger's, as everywhere
        champion = resolver.find(version.role)
        if champion == version:
            raise PermanentError(f"{version} is the champion already")
        if version.dataset_hash:
            registry.passed_report(version)
        others = [one.approver for one in registry.approvals_of(version) if one.approver_id != actor.pk]
        if words := why_no_second(actor, [*others, *consent.brought_by(version)]):
            raise PermanentError(f"You cannot approve it: {words}", hint="Somebody else has to.")
        _, is_new = Approval.objects.get_or_create(
            version=version, against=champion, approver=actor, defaults={"reason": reason[:200]}
        )
        if is_new:
            ledger.append("training.version.approved", subject=ref(version), actor=actor,
                          payload={"reason": ledger.typed(reason[:200], by=actor)})  # fmt: skip
        if not registry.lacking(version):
            return registry.promote(version, actor=actor, reason=reason, replacing=champion)
        if not is_new:
            raise PermanentError(
                "you have approved this version already", hint="The next approval is another person's."
            )
    return None


def promote_or_approve(version: ModelVersion, *, actor: User | SystemActor, reason: str) -> ModelAlias | None:
    """Make `version` champion, or note the approval of this person where others have to agree, too, and return None.

    Raises as `approve` and `registry.promote`.
    """
    is_first = resolver.find(version.role) is None and not version.dataset_hash
    needs_consent = not is_first and not registry.served_before(version)
    if needs_consent and people_needed(version) and not isinstance(actor, SystemActor):
        return approve(version, actor=actor, reason=reason)
    return registry.promote(version, actor=actor, reason=reason)


def in_words(version: ModelVersion) -> str:
    """Say how many people agree to `version` so far, where they are too few, and how the next one does."""
    return f"{registry.lacking(version)}. {registry.how_to_approve(version)}"


def waiting() -> list[Waiting]:
    """Return what was brought in, was let in by somebody, and waits for others to agree; newest first."""
    serving = ModelAlias.objects.filter(role=OuterRef("version__role"), name=registry.CHAMPION)
    counting = Approval.objects.filter(against=Subquery(serving.values("version")), version__dataset_hash="")
    found = ModelVersion.objects.filter(pk__in=counting.values("version")).exclude(aliases__name=registry.PREVIOUS)
    return [
        Waiting(version, registry.approvals_of(version), people_needed(version))
        for version in found.order_by("-created_at")
    ]


def roll_back(role: str, *, actor: User | SystemActor, reason: str) -> ModelAlias:
    """Let the previous champion of `role` serve again. Raises as `registry.roll_back`."""
    return registry.roll_back(role, actor=actor, reason=reason)


def _words(report: EvaluationReport) -> str:
    return f"gate {report.gate_version}: {report.verdict} on {report.snapshot.n_test} test texts against {report.against or 'nobody'}"
