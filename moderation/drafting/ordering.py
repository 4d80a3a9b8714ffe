"""Ordering copy: requests for products, channels and locales, which a worker has written (`generation`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from audit import ledger
from catalog.models import CONTROL, Product
from catalog.slots import EVERYBODY, Slot, across, require_known
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError
from core.hints import hint_on_commit
from inference import prompts, resolver
from moderation.lifecycle import line_for
from moderation.models.candidates import GenerationRequest

if TYPE_CHECKING:
    from django.contrib.auth.models import User


MAX_DRAFTS = 20
# An order of more requests than these is a backlog, whoever asked for it: nobody watches so many appear.
MOST_AWAITED = 10


@dataclass(frozen=True)
class RequestSummary:
    """What asking did: requests made now, and those that were there already for the same facts and prompt."""

    created: Sequence[GenerationRequest]
    existing: Sequence[GenerationRequest]


def request_copy(
    products: Iterable[Product],
    *,
    channels: Sequence[str],
    locales: Sequence[str],
    actor: User | SystemActor,
    n_candidates: int | None = None,
    params: Mapping[str, Any] | None = None,
    round: int = 1,
    audience: str = EVERYBODY,
    variant: str = CONTROL,
    is_awaited: bool = False,
) -> RequestSummary:
    """Order `n_candidates` drafts for each product × channel × locale.

    Asking again for the same facts makes nothing new. `is_awaited`: a person watches for the drafts; up to
    `MOST_AWAITED` requests are written before the backlog then, those too that wait in the backlog already.

    Raise `round` to get fresh drafts for unchanged facts. What is approved goes live for `audience` in `variant`,
    beside what is live in others. Raises `PermissionDenied` (moderation.request_copy), and `PermanentError` for an
    unknown channel or locale, an audience or variant that is no name, a locale the champion cannot write, or bad
    parameters.
    """
    require_permission(actor, "moderation.request_copy")
    n = settings.MODERATION.drafts_per_request if n_candidates is None else n_candidates
    if not 1 <= n <= MAX_DRAFTS:
        raise PermanentError(f"Between 1 and {MAX_DRAFTS} drafts can be asked for at once, not {n}.")
    slots = across(products, channels=channels, locales=locales, audience=audience)
    require_known(variant=variant)
    asked_with = {locale: prompts.version_for(resolver.writer_for(locale).options) for locale in locales}
    for channel in channels:
        prompts.params_for(channel, seed=0, overrides=params)
    is_awaited = is_awaited and len(slots) <= MOST_AWAITED
    orders = [
        GenerationRequest(
            **slot.where(),
            variant=variant,
            facts_hash=slot.product.facts_hash,
            prompt_version=asked_with[slot.locale],
            round=round,
            n_candidates=n,
            params=dict(params or {}),
            is_awaited=is_awaited,
            requested_by=None if isinstance(actor, SystemActor) else actor,
        )
        for slot in slots
    ]
    with transaction.atomic():
        GenerationRequest.objects.bulk_create(orders, ignore_conflicts=True, batch_size=500)
        # With ON CONFLICT DO NOTHING the database does not say which rows it took: those whose id is ours.
        mine = {order.pk for order in orders}
        held = GenerationRequest.objects.in_bulk(mine)
        created = [order for order in orders if order.pk in held]
        ledger.append_many(
            [
                line_for(
                    order,
                    "requested",
                    **Slot.of(order).as_event(),
                    variant=order.variant,
                    n_candidates=n,
                    prompt=order.prompt_version,
                    round=round,
                )
                for order in created
            ],
            actor=actor,
        )
        existing = [_find_same(order) for order in orders if order.pk not in held]
        if is_awaited:  # a person watches now for what the backlog asked for
            waiting = GenerationRequest.objects.filter(pk__in=[order.pk for order in existing], is_awaited=False)
            waiting.filter(status=GenerationRequest.Status.QUEUED).update(is_awaited=True)
        hint_on_commit("moderation.drain_generation")
    return RequestSummary(created, existing)


def _find_same(order: GenerationRequest) -> GenerationRequest:
    return GenerationRequest.objects.get(
        **Slot.of(order).where(),
        variant=order.variant,
        facts_hash=order.facts_hash,
        prompt_version=order.prompt_version,
        alias=order.alias,
        round=order.round,
    )


def next_round(request: GenerationRequest) -> int:
    """Return the round that asks for fresh drafts of the same slot and variant."""
    last = (
        GenerationRequest.objects.filter(**Slot.of(request).where(), variant=request.variant)
        .order_by("-round")
        .values_list("round", flat=True)
        .first()
    )
    return (last or 0) + 1
