"""The only writer of the model registry: register versions, move the aliases that serving follows, roll back.

A promotion asks for a person's permission and leaves a ledger line. A version serves in place of another only with as many
approvals as its role needs (`training.release`), one that was trained here with a report, too, that the gate let pass against the
champion of now, or left to people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max

from audit import ledger
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError, StaleState
from core.refs import ref
from inference import artifacts, resolver
from inference.models import ModelAlias, ModelVersion
from training import consent
from training.models import Approval, EvaluationReport
from training.roles import roles

if TYPE_CHECKING:
    from django.contrib.auth.models import User

CHAMPION, CHALLENGER, PREVIOUS = ModelAlias.Name.CHAMPION, ModelAlias.Name.CHALLENGER, ModelAlias.Name.PREVIOUS


def lock() -> None:
    """Keep other writers of the registry out until the transaction ends; readers and foreign keys are not held up."""
    with connection.cursor() as cursor:
        cursor.execute(f'LOCK TABLE "{ModelVersion._meta.db_table}" IN SHARE ROW EXCLUSIVE MODE')


def register(
    *,
    role: str,
    name: str,
    backend: str,
    locales: Sequence[str],
    actor: User | SystemActor,
    options: Mapping[str, Any] | None = None,
    artifact_hash: str = "",
    base_hash: str = "",
    dataset_hash: str = "",
    source: str = "",
    licence: str = "",
    card: Mapping[str, Any] | None = None,
) -> ModelVersion:
    """Record a model and return its version, numbered within the role. The same model is recorded once.

    What was trained here stays so under whatever other options, languages or hash: its very files need the gate's report all
    the same.
    Raises `PermanentError` for an unknown role or back end, no locale, or an artefact that is not in the store;
    `PermissionDenied` without `inference.register_model`.
    """
    require_permission(actor, "inference.register_model")
    if role not in roles():
        raise PermanentError(f"there is no role {role!r}", hint=f"Known: {', '.join(roles())}.")
    backends = settings.INFERENCE["BACKENDS"]
    if backend not in backends:
        raise PermanentError(f"there is no back end {backend!r}", hint=f"Known: {', '.join(backends)}.")
    if not locales:
        raise PermanentError("a model works in at least one language", hint="Name them, e.g. `--locales en,zh-Hans`.")
    if artifact_hash:
        artifacts.verify(artifacts.path_for(artifact_hash))
    identity: dict[str, Any] = {
        "role": role,
        "backend": backend,
        "options": dict(options or {}),
        "locales": list(locales),
        "artifact_hash": artifact_hash,
    }
    with transaction.atomic():
        lock()
        if artifact_hash and not dataset_hash and (trained := _trained_with_files_of(artifact_hash)):
            identity["artifact_hash"] = artifact_hash = trained.artifact_hash
            base_hash, dataset_hash = base_hash or trained.base_hash, trained.dataset_hash
        known = ModelVersion.objects.filter(**identity).first()
        if known is not None:
            return known
        highest = ModelVersion.objects.filter(role=role).aggregate(Max("number"))["number__max"] or 0
        version = ModelVersion.objects.create(
            **identity,
            number=highest + 1,
            name=name,
            base_hash=base_hash,
            dataset_hash=dataset_hash,
            source=source,
            licence=licence,
            card=dict(card or {}),
        )
        ledger.append(
            "inference.model.registered",
            subject=ref(version),
            actor=actor,
            payload={"role": role, "number": version.number, "backend": backend, "artifact_hash": artifact_hash},
        )
    return version


def _trained_with_files_of(artifact_hash: str) -> ModelVersion | None:
    """Return the version trained here that has these files. Brought in again they have another hash: it is also of what they came from."""
    trained = ModelVersion.objects.exclude(dataset_hash="").exclude(artifact_hash="")
    if itself := trained.filter(artifact_hash=artifact_hash).first():
        return itself
    files = _files_of(artifact_hash)
    return next((version for version in trained if files and _files_of(version.artifact_hash) == files), None)


def _files_of(artifact_hash: str) -> set[tuple[str, str]]:
    """Return path and SHA-256 of each file of an artefact; nothing of one that is not in the store any more."""
    try:
        manifest = artifacts.read_manifest(artifacts.path_for(artifact_hash))
    except PermanentError:
        return set()
    return {(entry.path, entry.sha256) for entry in manifest.files}


def promote(
    version: ModelVersion,
    *,
    alias: str = CHAMPION,
    actor: User | SystemActor,
    reason: str,
    replacing: ModelVersion | EllipsisType | None = ...,
) -> ModelAlias:
    """Point `alias` of the version's role at `version`; the champion before it becomes `previous`.

    With `replacing`, the move happens only while the alias still points there (None: nowhere), else `StaleState`. Raises
    `PermanentError` when the alias points there already, is `previous` (that one only follows the champion), the
    artefact is not in the store, or the version lacks approvals or, trained here, a passing report against the champion. The one
    that served before needs neither again, as in a roll-back, and the first one that is brought in no approvals.
    Raises `PermissionDenied` without `inference.promote_model`.
    """
    require_permission(actor, "inference.promote_model")
    if alias not in (CHAMPION, CHALLENGER):
        raise PermanentError(f"the alias {alias!r} is not set by hand", hint="Promote to champion or challenger.")
    if not reason.strip():
        raise PermanentError("a promotion needs a reason", hint="It goes into the ledger.")
    _require_stored(version)
    with transaction.atomic():
        lock()
        current = ModelAlias.objects.select_related("version").filter(role=version.role, name=alias).first()
        if replacing is not ... and (current.version if current else None) != replacing:
            words = f"the {alias} of {version.role} is no longer {replacing or 'vacant'}"
            raise StaleState(words, hint="Look again, then decide.")
        if current is not None and current.version_id == version.pk:
            raise PermanentError(f"{version} is the {alias} already")
        if alias == CHAMPION:
            _require_release(version, current.version if current else None)
        if current is not None and alias == CHAMPION:
            _point(version.role, PREVIOUS, current.version)
        moved = _point(version.role, alias, version)
        _record(moved, before=current.version if current else None, actor=actor, reason=reason)
    return moved


def _require_stored(version: ModelVersion) -> None:
    """Raise `PermanentError` where the files of `version` are gone. No sum is made in a web request: who registers and loads it does."""
    if version.artifact_hash and not artifacts.path_for(version.artifact_hash).is_dir():
        words = f"the files of {version} are not in the store any more"
        raise PermanentError(words, hint="Put them back from a backup.")


def people_needed(version: ModelVersion) -> int:
    """Return how many people have to agree before `version` serves; 0: the gate's pass is enough.

    As many as what it rests on asks for (`training.consent`), and one at least for what the gate left to people.
    """
    asked = int(settings.TRAINING["APPROVERS"].get(version.role, 1))
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


def served_before(version: ModelVersion) -> bool:
    """Return whether `version` is the one to go back to: it was let in before, and needs nobody's word again."""
    return ModelAlias.objects.filter(role=version.role, name=PREVIOUS, version=version).exists()


def lacking(version: ModelVersion) -> str:
    """Return in words that too few people agree to `version` so far; empty where enough do."""
    have, needed = len(approvals_of(version)), people_needed(version)
    return f"{version} has {have} of {needed} approvals" if have < needed else ""


def how_to_approve(version: ModelVersion) -> str:
    """Return a sentence that says how a person lets `version` in."""
    command = f'manage.py promote_model {version.role} {version.number} --reason "…" --by NAME'
    return f"The next person approves it on the page Training, or by `{command}`."


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


def _require_release(version: ModelVersion, champion: ModelVersion | None) -> None:
    if served_before(version):
        return
    if version.dataset_hash:
        passed_report(version)
    elif champion is None:
        return
    if words := lacking(version):
        raise PermanentError(words, hint=how_to_approve(version))


def roll_back(
    role: str, *, actor: User | SystemActor, reason: str, replacing: ModelVersion | None = None
) -> ModelAlias:
    """Make the previous champion of `role` champion again, and the present one `previous`: a second call undoes it.

    With `replacing`, only while that one still serves, else `StaleState`. Raises `PermanentError` when there is no previous
    one; `PermissionDenied` without `inference.promote_model`.
    """
    require_permission(actor, "inference.promote_model")
    if not reason.strip():
        raise PermanentError("a roll-back needs a reason", hint="It goes into the ledger.")
    with transaction.atomic():
        lock()
        found = {row.name: row.version for row in ModelAlias.objects.select_related("version").filter(role=role)}
        champion, previous = found.get(CHAMPION), found.get(PREVIOUS)
        if champion is None or previous is None:
            raise PermanentError(f"the role {role} has no previous champion to go back to")
        if replacing is not None and champion != replacing:
            raise StaleState(f"{champion} serves by now, not {replacing}", hint="Look again, then decide.")
        _require_stored(previous)
        _point(role, PREVIOUS, champion)
        moved = _point(role, CHAMPION, previous, rolled_back=True)
        _record(moved, before=champion, actor=actor, reason=reason, rolled_back=True)
    return moved


def _point(role: str, alias: str, version: ModelVersion, *, rolled_back: bool = False) -> ModelAlias:
    fields = {"version": version, "rolled_back": rolled_back}
    row, _ = ModelAlias.objects.update_or_create(role=role, name=alias, defaults=fields)
    return row


def _record(
    moved: ModelAlias,
    *,
    before: ModelVersion | None,
    actor: User | SystemActor,
    reason: str,
    rolled_back: bool = False,
) -> None:
    ledger.append(
        "inference.alias.moved",
        subject=ref(moved.version),
        actor=actor,
        payload={
            "role": moved.role,
            "alias": str(moved.name),
            "from": ref(before) if before else "",
            "to": ref(moved.version),
            "reason": ledger.typed(reason.strip()[:200], by=actor),
            "rolled_back": rolled_back,
        },
    )
