"""Proofs of facts: files attached to what a fact says, kept under the hash of their content."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import ledger
from catalog.models import FactEvidence, Product
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError
from core.reasons import require_reason
from core.refs import ref

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# What a proof may be, by its first bytes; the name and the type that a browser states are not believed.
SIGNATURES = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)


def attach_evidence(
    product: Product, *, fact_id: int, content: bytes, file_name: str, note: str, actor: User | SystemActor
) -> FactEvidence:
    """Attach a file as proof of what a fact of `product` says now. Needs catalog.change_productfact.

    The proof belongs to the statement (name and value): an import that repeats it keeps the proof, one that changes the
    value leaves it behind. Raises `PermanentError` for a fact of another product, and a file that is too big, empty or
    neither PDF, PNG nor JPEG.
    """
    require_permission(actor, "catalog.change_productfact")
    content_type = type_of(content)
    limit = settings.FACT_EVIDENCE.max_bytes
    if len(content) > limit:
        raise PermanentError(f"The file has {len(content)} bytes.", hint=f"At most {limit // 1024 // 1024} MiB fit.")
    fact = product.facts.filter(pk=fact_id).first()
    if fact is None:
        raise PermanentError(
            "The product has no such fact.", hint="It may have been imported anew: load the page again."
        )
    digest = hashlib.sha256(content).hexdigest()
    # The file first: a row without its file would claim a proof that nobody can look at.
    _store(content, digest)
    with transaction.atomic():
        evidence = FactEvidence.objects.create(
            product=product,
            fact_name=fact.name,
            fact_value=fact.value,
            sha256=digest,
            size=len(content),
            content_type=content_type,
            file_name=Path(file_name).name[:200],
            note=note.strip()[:500],
            added_by=None if isinstance(actor, SystemActor) else actor,
        )
        ledger.append(
            "catalog.fact.evidence_attached",
            subject=ref(product),
            actor=actor,
            payload={"evidence": evidence.pk, "fact": fact.name, "value": fact.value[:200], "sha256": digest},
        )
    return evidence


def withdraw_evidence(evidence: FactEvidence, *, actor: User | SystemActor, reason: str) -> None:
    """Let a proof count no more; row and file stay. Needs catalog.change_productfact and a reason.

    Raises `PermanentError` without a reason, or when it was withdrawn before.
    """
    require_permission(actor, "catalog.change_productfact")
    reason = require_reason(reason, act="Withdrawing a proof", longest=200)
    with transaction.atomic():
        now = timezone.now()
        changed = FactEvidence.objects.filter(pk=evidence.pk, withdrawn_at=None).update(
            withdrawn_at=now, withdrawn_reason=reason
        )
        if changed != 1:
            raise PermanentError("This proof was withdrawn before.")
        ledger.append(
            "catalog.fact.evidence_withdrawn",
            subject=ref(evidence.product),
            actor=actor,
            payload={"evidence": evidence.pk, "sha256": evidence.sha256, "reason": reason},
        )


def proven_facts(product: Product) -> set[tuple[str, str]]:
    """Return the statements (name, value) about `product` that a proof is attached to."""
    proofs = FactEvidence.objects.filter(product=product, withdrawn_at=None)
    return set(proofs.values_list("fact_name", "fact_value"))


def read_evidence(evidence: FactEvidence) -> bytes:
    """Return the file of a proof. Raises `PermanentError` where it is gone or is not what was attached."""
    try:
        content = path_of(evidence.sha256).read_bytes()
    except FileNotFoundError as exc:
        raise PermanentError(
            f"The file of proof {evidence.pk} is missing.", hint="Restore var/evidence from the backup."
        ) from exc
    if hashlib.sha256(content).hexdigest() != evidence.sha256:
        raise PermanentError(
            f"The file of proof {evidence.pk} was changed.", hint="Restore var/evidence from the backup."
        )
    return content


def type_of(content: bytes) -> str:
    """Return the media type of a file by its first bytes. Raises `PermanentError` for what is no proof."""
    found = next((kind for signature, kind in SIGNATURES if content.startswith(signature)), None)
    if found is None:
        raise PermanentError(
            "This file is neither PDF, PNG nor JPEG.", hint="Scan or export the proof as one of these."
        )
    return found


def path_of(digest: str) -> Path:
    """Return where the file with this SHA-256 lies."""
    return settings.FACT_EVIDENCE.folder / digest[:2] / digest


def _store(content: bytes, digest: str) -> None:
    path = path_of(digest)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)  # whole or not at all
