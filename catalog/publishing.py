"""The only writer of live copy. Called by `moderation.live.publication` alone, which writes the ledger."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction

from catalog.models import CONTROL, Product, PublishedCopy
from catalog.slots import Slot
from core.exceptions import PermanentError, StaleState

SUPERSEDED = "superseded by newer copy"


def put_live(
    slot: Slot,
    *,
    text: str,
    candidate_ref: str,
    provenance: Mapping[str, Any],
    ai_mark: Mapping[str, Any],
    now: dt.datetime,
    variant: str = CONTROL,
    again: bool = False,
) -> PublishedCopy:
    """Make `text` the live copy of `slot` in `variant`, retiring the one before it, and return it.

    What is live in other variants stays. One transaction. The product row is locked first, so two publications of the
    same place queue up and the later one wins, instead of meeting at the unique constraint. The same `candidate_ref`
    twice returns the copy it already has while that is live; once retired, copy never comes back: `PermanentError`. But
    `again`, where who let it out took it back and decided on it anew: a row of its own then, so that both times stay
    true.
    """
    with transaction.atomic():
        Product.objects.select_for_update(of=("self",), no_key=True).get(pk=slot.product.pk)
        earlier = PublishedCopy.objects.filter(candidate_ref=candidate_ref).first()
        if earlier is not None:
            if earlier.retired_at is None:
                return earlier
            if not again:
                raise PermanentError(
                    f"{candidate_ref} was live and has been retired.", hint="Request new copy for the product."
                )
        PublishedCopy.objects.filter(**slot.where(), variant=variant, retired_at=None).update(
            retired_at=now, retired_reason=SUPERSEDED
        )
        return PublishedCopy.objects.create(
            **slot.where(),
            variant=variant,
            text=text,
            candidate_ref=candidate_ref,
            provenance=dict(provenance),
            ai_mark=dict(ai_mark),
            published_at=now,
        )


def put_back(copy: PublishedCopy, *, provenance: Mapping[str, Any], now: dt.datetime) -> PublishedCopy:
    """Make the text of retired `copy` live again and return it: as a row of its own, so that both times stay true.

    It comes back in its own variant. The caller has locked the product. Raises `StaleState` where something is live in
    its place.
    """
    place: dict[str, Any] = {**Slot.of(copy).where(), "variant": copy.variant}
    if PublishedCopy.objects.filter(**place, retired_at=None).exists():
        raise StaleState("something newer is live in its place")
    return PublishedCopy.objects.create(
        **place,
        text=copy.text,
        candidate_ref=copy.candidate_ref,
        provenance=dict(provenance),
        ai_mark=copy.ai_mark,
        published_at=now,
    )


def take_down(copy: PublishedCopy, *, reason: str, now: dt.datetime) -> None:
    """Retire live `copy`; shoppers stop seeing it with this transaction. Raises `StaleState` when it is not live."""
    changed = PublishedCopy.objects.filter(pk=copy.pk, retired_at=None).update(
        retired_at=now, retired_reason=reason[:200]
    )
    if changed != 1:
        raise StaleState(f"copy {copy.pk} is no longer live")
    copy.retired_at, copy.retired_reason = now, reason[:200]


def forget_reasons(keys: Collection[uuid.UUID], *, instead: str) -> int:
    """Replace the reasons for which these copies were taken down by `instead`: their writer is erased.

    Returns how many.
    """
    return PublishedCopy.objects.filter(pk__in=keys).exclude(retired_at=None).update(retired_reason=instead)
