"""Who has to agree before a version serves, and who did: the gate's report, named people, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import OuterRef, Subquery

from audit import ledger
from core.exceptions import PermanentError
from core.refs import ref
from inference import resolver
from inference.models import ModelAlias, ModelVersion
from moderation.queues.separation_of_duties import why_no_second
from training import consent
from training.models import Approval, EvaluationReport

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@dataclass(frozen=True)
class Waiting:
    """A version that people have to let in, and who did so far."""

    version: ModelVersion
    approvals: Sequence[Approval]
    needed: int


def people_needed(version: ModelVersion) -> int:
    """Return how many people have to agree before `version` serves; 0: the gate's pass is enough.

    As many as what it rests on asks for (`training.consent`), and one at least for what the gate left to people.
    """
    asked = settings.TRAINING.approvers.get(version.role, 1)
    report = report_on(version)
    left_to_people = report is not None and report.asks_people
    return max(asked, int(left_to_people), consent.people_needed(version))


def approvals_of(version: ModelVersion) -> list[Approval]:
    """Return the approvals that count: given while the champion of now served, by people who may still give one."""
    return approvals_against(version, resolver.find(version.role))


def approvals_against(version: ModelVersion, champion: ModelVersion | None) -> list[Approval]:
    """Return the approvals that were given while `champion` served (None: nobody), by people who may still give one."""
    given = version.approvals.filter(against=champion).select_related("approver")
    return [approval for approval in given if approval.approver.has_perm("inference.promote_model")]


def approvals_on(report: EvaluationReport) -> list[Approval]:
    """Return the approvals that were given on a report, as `approvals_against` its champion."""
    return approvals_against(report.version, report.against)


def lacking(version: ModelVersion) -> str:
    """Return in words that too few people agree to `version` so far; empty where enough do."""
    have, needed = len(approvals_of(version)), people_needed(version)
    return f"{version} has {have} of {needed} approvals" if have < needed else ""


def how_to_approve(version: ModelVersion) -> str:
    """Return a sentence that says how a person lets `version` in."""
    command = f'manage.py promote_model {version.role} {version.number} --reason "…" --by NAME'
    return f"The next person approves it on the page Training, or by `{command}`."


def in_words(version: ModelVersion) -> str:
    """Say how many people agree to `version` so far, where they are too few, and how the next one does."""
    return f"{lacking(version)}. {how_to_approve(version)}"


def served_before(version: ModelVersion) -> bool:
    """Return whether `version` is the one to go back to: it was let in before, and needs nobody's word again."""
    return ModelAlias.objects.filter(role=version.role, name=ModelAlias.Name.PREVIOUS, version=version).exists()


def report_on(version: ModelVersion) -> EvaluationReport | None:
    """Return the report on `version` against the champion of now, else the latest; None where it was never measured."""
    reports = version.reports.select_related("against", "snapshot")
    return reports.filter(against=resolver.find(version.role)).first() or reports.first()


def passed_report(version: ModelVersion) -> EvaluationReport:
    """Return the report on `version` against the champion of now.

    Raises `PermanentError` unless the gate let it pass, or left it to people.
    """
    champion, report = resolver.find(version.role), report_on(version)
    if report is not None and report.lets_replace(champion):
        return report
    if report is None or not (report.verdict == EvaluationReport.Verdict.PASSED or report.asks_people):
        found = (
            "was not measured" if report is None else f"did not pass the gate: {report.get_verdict_display().lower()}"
        )
        raise PermanentError(f"{version} {found}", hint="Train again with more labels, or make it the challenger.")
    made_by = version.training_runs.first()
    raise PermanentError(
        f"{version} was measured against {report.against or 'nobody'}, and {champion or 'nobody'} serves now.",
        hint=f"Run it again: `manage.py train --from-run {made_by.pk if made_by else 'RUN'}`.",
    )


def may_replace(version: ModelVersion) -> bool:
    """Return whether people may let `version` in now: the gate let it pass against the champion of now,
    or left it to them, or there is none for it.
    """
    try:
        return not version.dataset_hash or passed_report(version) is not None
    except PermanentError:
        return False


def require(version: ModelVersion, champion: ModelVersion | None) -> None:
    """Raise `PermanentError` unless `version` may serve in place of `champion` (None: nobody serves).

    What served before needs nobody's word again; what was trained here a report that let it pass, or left it to people;
    and all but the first that is brought in as many approvals as there have to be.
    """
    if served_before(version):
        return
    if version.dataset_hash:
        passed_report(version)
    elif champion is None:
        return
    if words := lacking(version):
        raise PermanentError(words, hint=how_to_approve(version))


def note(version: ModelVersion, *, actor: User, reason: str) -> bool:
    """Note that a person lets `version` serve; returns whether that is new.

    Call in a transaction that holds the registry's lock.

    Raises `PermanentError` for the champion itself, for a version trained here without a report against the champion of
    now that passed or left it to people, and for a person who may not be the next one. Whoever calls has checked the
    permission.
    """
    champion = resolver.find(version.role)
    if champion == version:
        raise PermanentError(f"{version} is the champion already")
    if version.dataset_hash:
        passed_report(version)
    others = [one.approver for one in approvals_of(version) if one.approver_id != actor.pk]
    if words := why_no_second(actor, [*others, *consent.brought_by(version)]):
        raise PermanentError(f"You cannot approve it: {words}", hint="Somebody else has to.")
    _, is_new = Approval.objects.get_or_create(
        version=version, against=champion, approver=actor, defaults={"reason": reason[:200]}
    )
    if is_new:
        payload = {"reason": ledger.typed(reason[:200], by=actor)}
        ledger.append("training.version.approved", subject=ref(version), actor=actor, payload=payload)
    return is_new


def waiting() -> list[Waiting]:
    """Return what was brought in, was let in by somebody, and waits for others to agree; newest first."""
    serving = ModelAlias.objects.filter(role=OuterRef("version__role"), name=ModelAlias.Name.CHAMPION)
    counting = Approval.objects.filter(against=Subquery(serving.values("version")), version__dataset_hash="")
    found = ModelVersion.objects.filter(pk__in=counting.values("version")).exclude(
        aliases__name=ModelAlias.Name.PREVIOUS
    )
    return [
        Waiting(version, approvals_of(version), people_needed(version)) for version in found.order_by("-created_at")
    ]
