"""The only writer of the model registry: register versions, move the aliases that serving follows, roll back.

A promotion asks for a person's permission and leaves a ledger line. A version serves in place of another only with as
many approvals as its role needs (`training.approvals`), one that was trained here with a report, too, that the gate let
pass against the champion of now, or left to people.
"""

from __future__ import annotations

import logging
from types import EllipsisType
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max

from audit import ledger
from core.actors import SystemActor, require_permission
from core.exceptions import EcomsiteError, PermanentError, StaleState
from core.refs import ref
from inference import artifacts, resolver
from inference.models import ModelAlias, ModelVersion
from training import approvals
from training.models import EvaluationReport
from training.roles import roles

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = logging.getLogger(__name__)
GATE = SystemActor("training.gate")
CHAMPION, CHALLENGER, PREVIOUS = ModelAlias.Name.CHAMPION, ModelAlias.Name.CHALLENGER, ModelAlias.Name.PREVIOUS


def lock() -> None:
    """Keep other writers of the registry out until the transaction ends; readers and foreign keys are not held up."""
    with connection.cursor() as cursor:
        cursor.execute(f'LOCK TABLE "{ModelVersion._meta.db_table}" IN SHARE ROW EXCLUSIVE MODE')


def register(version: ModelVersion, *, actor: User | SystemActor) -> ModelVersion:
    """Record `version`, a model that no row says anything of yet, under the next number of its role, and return it;
    the same model is recorded once, and what was recorded is returned.

    What was trained here stays so under whatever other options, languages or hash: its very files need the gate's
    report all the same.
    Raises `PermanentError` for an unknown role or back end, no locale, or an artefact that is not in the store;
    `PermissionDenied` without `inference.register_model`.
    """
    require_permission(actor, "inference.register_model")
    if version.role not in roles():
        raise PermanentError(f"there is no role {version.role!r}", hint=f"Known: {', '.join(roles())}.")
    backends = settings.INFERENCE.backends
    if version.backend not in backends:
        raise PermanentError(f"there is no back end {version.backend!r}", hint=f"Known: {', '.join(backends)}.")
    if not version.locales:
        raise PermanentError("a model works in at least one language", hint="Name them, e.g. `--locales en,zh-Hans`.")
    if version.artifact_hash:
        artifacts.verify(artifacts.path_for(version.artifact_hash))
    with transaction.atomic():
        lock()
        is_brought = version.artifact_hash and not version.dataset_hash
        if is_brought and (trained := _trained_with_files_of(version.artifact_hash)):
            version.artifact_hash, version.dataset_hash = trained.artifact_hash, trained.dataset_hash
            version.base_hash = version.base_hash or trained.base_hash
        known = ModelVersion.objects.filter(**{name: getattr(version, name) for name in ModelVersion.IDENTITY}).first()
        if known is not None:
            return known
        highest = ModelVersion.objects.filter(role=version.role).aggregate(Max("number"))["number__max"] or 0
        version.number = highest + 1
        version.save(force_insert=True)
        said = {name: getattr(version, name) for name in ("role", "number", "backend", "artifact_hash")}
        ledger.append("inference.model.registered", subject=ref(version), actor=actor, payload=said)
    return version


def _trained_with_files_of(artifact_hash: str) -> ModelVersion | None:
    """Return the version trained here that has these files.

    Brought in again they have another hash: it is also of what they came from.
    """
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

    With `replacing`, the move happens only while the alias still points there (None: nowhere), else `StaleState`.
    Raises `PermanentError` when the alias points there already, is `previous` (that one only follows the champion), the
    artefact is not in the store, or the version lacks approvals or, trained here, a passing report against the
    champion. The one that served before needs neither again, as in a roll-back, and the first one that is brought in no
    approvals. Raises `PermissionDenied` without `inference.promote_model`.
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
            approvals.require(version, current.version if current else None)
        if current is not None and alias == CHAMPION:
            _point(version.role, PREVIOUS, current.version)
        moved = _point(version.role, alias, version)
        _record(moved, before=current.version if current else None, actor=actor, reason=reason)
    return moved


def _require_stored(version: ModelVersion) -> None:
    """Raise `PermanentError` where the files of `version` are gone.

    No sum is made in a web request: who registers and loads it does.
    """
    if version.artifact_hash and not artifacts.path_for(version.artifact_hash).is_dir():
        words = f"the files of {version} are not in the store any more"
        raise PermanentError(words, hint="Put them back from a backup.")


def promote_if_passed(report: EvaluationReport) -> ModelAlias | None:
    """Act on a report: a version that passed serves where nobody else has to agree, else it is the challenger.

    One whose test was inconclusive becomes challenger too, and a classifier is then seen on live traffic; where only a
    label with too few test texts is in doubt, people may let it in. So does one that was measured against another
    champion than serves by now. After a roll-back no gate alone puts the next one in place: a person lets it in.
    Returns the alias that moved; None when nothing moved.
    """
    version, champion = report.version, resolver.find(report.version.role)
    if report.verdict == EvaluationReport.Verdict.FAILED or champion == version:
        return None
    automatic = report.lets_replace(champion) and not report.asks_people and not approvals.people_needed(version)
    alias = CHAMPION if automatic else CHALLENGER
    try:
        return promote(
            version, alias=alias, actor=GATE, reason=_words(report), replacing=report.against if automatic else ...
        )
    except EcomsiteError as exc:  # it is there already, or the champion moved on this very moment: its page says so
        log.warning("%s was not made %s: %s", version, alias, exc)
        return None


def approve(version: ModelVersion, *, actor: User, reason: str) -> ModelAlias | None:
    """Note that a person lets `version` serve; with the last one needed it becomes champion, and the alias is returned.

    Raises `PermanentError` without a reason, when this person has approved already and others are missing, and as
    `approvals.note`; `PermissionDenied` without `inference.promote_model`.
    """
    require_permission(actor, "inference.promote_model")
    if not reason.strip():
        raise PermanentError("an approval needs a reason", hint="It goes into the ledger.")
    with transaction.atomic():
        lock()  # before the ledger's, as everywhere
        is_new = approvals.note(version, actor=actor, reason=reason)
        if not approvals.lacking(version):
            return promote(version, actor=actor, reason=reason, replacing=resolver.find(version.role))
        if not is_new:
            raise PermanentError(
                "you have approved this version already", hint="The next approval is another person's."
            )
    return None


def promote_or_approve(version: ModelVersion, *, actor: User | SystemActor, reason: str) -> ModelAlias | None:
    """Make `version` champion, or note the approval of this person where others have to agree, too, and return None.

    Raises as `approve` and `promote`.
    """
    is_first = resolver.find(version.role) is None and not version.dataset_hash
    needs_consent = not is_first and not approvals.served_before(version)
    if needs_consent and approvals.people_needed(version) and not isinstance(actor, SystemActor):
        return approve(version, actor=actor, reason=reason)
    return promote(version, actor=actor, reason=reason)


def roll_back(
    role: str, *, actor: User | SystemActor, reason: str, replacing: ModelVersion | None = None
) -> ModelAlias:
    """Make the previous champion of `role` champion again, and the present one `previous`: a second call undoes it.

    With `replacing`, only while that one still serves, else `StaleState`. Raises `PermanentError` when there is no
    previous one; `PermissionDenied` without `inference.promote_model`.
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


def _words(report: EvaluationReport) -> str:
    return (
        f"gate {report.gate_version}: {report.verdict} on {report.snapshot.n_test} test texts against "
        f"{report.against or 'nobody'}"
    )
