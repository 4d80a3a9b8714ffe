"""The evidence pack: what shoppers saw of a product on a date, and all behind it, in one signed file.

The same question about the same date gives the same `evidence.json`, byte for byte: lists are in a fixed order, later
moves are left out, and nothing says when the pack was made. Beside it lie the same for people (`evidence.html`), our
signature, a proof for each line of the ledger that it stands under a signed head, and a script that verifies all that
without us. Only a changed title, brand or category of the product changes what can be said of a date that is past.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.template.loader import render_to_string
from django.utils import timezone

from audit import keys, ledger, proofs
from audit.models import TreeHead
from catalog.models import Product, PublishedCopy
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError
from core.hashing import canonical_json, hash_json
from core.refs import pk_of, ref
from moderation.models.candidates import Candidate
from moderation.queues.blindness import is_blind_to_any
from monitoring.evidence.story import live_at, policies_of, story_of
from monitoring.evidence.verify_pack import pack_statement

if TYPE_CHECKING:
    from django.contrib.auth.models import User

FORMAT = "ecomsite-evidence/1"
VERIFIER = Path(__file__).with_name("verify_pack.py")


@dataclass(frozen=True)
class Pack:
    """The content of a pack, and the SHA-256 of its canonical JSON."""

    content: dict[str, Any]
    hash: str

    def files(self) -> dict[str, str]:
        """Return the files of the pack: name → text.

        Raises `PermanentError` when the ledger's signing key is missing.
        """
        key, key_id = keys.signing_key()
        signature = {
            "format": FORMAT,
            "sha256": self.hash,
            "key": key_id,
            "signature": key.sign(pack_statement(self.hash)).hex(),
        }
        return {
            "evidence.json": canonical_json(self.content) + "\n",
            "evidence.html": render_to_string("monitoring/evidence.html", {"pack": self.content, "hash": self.hash}),
            "evidence.signature.json": canonical_json(signature) + "\n",
            "proofs.json": canonical_json(self._proofs()) + "\n",
            VERIFIER.name: VERIFIER.read_text(encoding="utf-8"),
        }

    def _proofs(self) -> list[dict[str, Any]]:
        """A proof for each line that a signed head covers: all but those of the last minute or so."""
        size = TreeHead.objects.order_by("-size").values_list("size", flat=True).first() or 0
        seqs = {line["seq"] for text in self.content["texts"] for line in text["ledger"]}
        return [proofs.inclusion(seq) for seq in sorted(seqs) if seq <= size]


def collect(
    sku: str, *, at: dt.datetime | None = None, channel: str = "", locale: str = "", actor: User | SystemActor
) -> Pack:
    """Return the pack of the product `sku` at the moment `at` (default: now). Needs moderation.audit_candidate.

    That somebody asked is a line in the ledger. Raises `PermanentError` for an unknown product, a moment to come, or
    when nothing was live then (the hint says when something was), and for who is asked about one of its texts without a
    model's word, or may be next: a pack holds what models said.
    """
    require_permission(actor, "moderation.audit_candidate")
    product = Product.objects.filter(sku=sku).first()
    if product is None:
        raise PermanentError(f"There is no product {sku}.", hint="Is it the shop's number, as in the feed?")
    now = timezone.now()
    if at is not None and at > now:
        raise PermanentError("That date is still to come.")
    moment = at or now
    place = {name: value for name, value in (("channel", channel), ("locale", locale)) if value}
    copies = list(live_at(moment, sku=sku).filter(**place))
    _require_no_blind_seat(copies, actor)
    stories = [story_of(copy, at=moment) for copy in copies]
    if not stories:
        raise PermanentError(
            f"Nothing of {sku} was live then.", hint=_when(PublishedCopy.objects.filter(product=product, **place))
        )
    content = {
        "format": FORMAT,
        "product": {"sku": product.sku, "title": product.title, "brand": product.brand, "category": product.category},
        "at": at.isoformat() if at else "now",
        "texts": stories,
        "policies": policies_of(stories),
    }
    pack = Pack(content, hash_json(content))
    ledger.append(
        "monitoring.evidence.collected",
        subject=ref(product),
        actor=actor,
        payload={"at": content["at"], "hash": pack.hash},
    )
    return pack


def _require_no_blind_seat(copies: Sequence[PublishedCopy], actor: User | SystemActor) -> None:
    drafts = Candidate.objects.filter(pk__in=[pk_of(copy.candidate_ref, Candidate) for copy in copies])
    texts = {ref(text) for draft in drafts for text in draft.lineage()}
    if is_blind_to_any(actor, texts):
        raise PermanentError(
            "You may be asked about one of its texts without a model's word, and a pack holds what models said.",
            hint="Let an auditor take it, or come back when that is decided.",
        )


def write(pack: Pack, into: Path) -> list[Path]:
    """Write the files of `pack` into the folder `into` and return their paths.

    Raises `PermanentError` where it cannot.
    """
    try:
        into.mkdir(parents=True, exist_ok=True)
        written = []
        for name, text in pack.files().items():
            path = into / name
            path.write_text(text, encoding="utf-8")
            written.append(path)
    except OSError as exc:
        raise PermanentError(
            f"{into} cannot be written: {exc.strerror}", hint="Name another folder with --into."
        ) from exc
    return written


def _when(copies: Any) -> str:
    spans = [
        f"{copy.channel} {copy.locale} {copy.variant}: {copy.published_at:%F %H:%M} to "
        f"{f'{copy.retired_at:%F %H:%M}' if copy.retired_at else 'now'}"
        for copy in copies.order_by("published_at")[:10]
    ]
    return f"Live were (UTC): {'; '.join(spans)}." if spans else "No text of it was ever published."
