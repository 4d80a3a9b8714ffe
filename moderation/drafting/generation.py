"""Having what was ordered written by a model. No torch here: the back end comes out of `inference.loader`."""

from __future__ import annotations

import dataclasses
import logging
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from itertools import groupby
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet, prefetch_related_objects
from django.utils import timezone

from audit import ledger
from catalog.evidence import proven_facts
from catalog.slots import Slot
from core import leases, stopping
from core.actors import SystemActor
from core.exceptions import EcomsiteError, LeaseLost, PermanentError, TransientError
from core.hashing import hash_json
from core.hints import hint
from inference import loader, prompts, resolver
from inference.contracts import CopyBrief, Fact, never
from inference.writing.tries import Written, as_written
from moderation import announcements, brand_voices
from moderation.drafting import tidying
from moderation.drafting.ordering import MAX_DRAFTS
from moderation.drafting.requests import give_back
from moderation.drafting.writing import constraints_for, order_for, tries_for
from moderation.lifecycle import advance, line_for
from moderation.models.candidates import Candidate, GenerationRequest
from moderation.models.reviews import COPY_VERDICT
from moderation.queues import back_pressure

if TYPE_CHECKING:
    from inference.models import ModelVersion

log = logging.getLogger(__name__)
GENERATOR = SystemActor("moderation.generation")
Status = GenerationRequest.Status
QUEUED = leases.claimable(GenerationRequest.objects.filter(status=Status.QUEUED).order_by("created_at", "pk"))
AWAITED, BACKLOG = QUEUED.filter(is_awaited=True), QUEUED.filter(is_awaited=False)
# Requests of people that one turn writes: few, so that who asks next does not wait for long.
AWAITED_AT_ONCE = 4
# Requests of the backlog that a turn writes nonetheless after those of people: so it never stands still.
BESIDE_AWAITED = 1


def brief_for(slot: Slot) -> CopyBrief:
    """Return what a draft may be written from: the product's title and its facts in the locale
    (else in its own language).
    """
    product, locale = slot.product, slot.locale
    facts = [fact for fact in product.facts.all() if fact.locale == locale]
    facts = facts or [fact for fact in product.facts.all() if fact.locale == product.locale]
    proven = proven_facts(product)
    return CopyBrief(
        channel=slot.channel,
        locale=locale,
        title=product.title_for(locale),
        brand=product.brand,
        category=product.category,
        facts=tuple(
            Fact(
                fact.name,
                fact.value,
                None if fact.number is None else float(fact.number),
                fact.unit,
                has_evidence=(fact.name, fact.value) in proven,
            )
            for fact in facts
        ),
        voice=brand_voices.voice_now(product.brand, locale),
    )


def drain_generation(*, limit: int | None = None) -> int:
    """Claim one batch of queued requests, have all their drafts written together, store them. Returns drafts stored.

    Each draft is stored as soon as it is finished. A worker that is asked to end gives back what is not, and a request
    that comes again is written the drafts that it lacks.

    Bounded work: one batch. What people wait for is written first, and then a little of the backlog; a batch of
    the backlog alone gives way, between two pieces, to what a person asks for meanwhile. Whoever calls it again does
    the next one. Claims nothing while too many drafts wait for people (`moderation.queues.back_pressure`).
    """
    if back_pressure.is_paused(COPY_VERDICT):
        return 0
    n = limit or settings.MODERATION.generation_batch
    n_awaited, stored = _drain(AWAITED, n=min(n, AWAITED_AT_ONCE), gives_way=never)
    if not stopping.is_asked():
        if n_awaited:
            stored += _drain(BACKLOG, n=BESIDE_AWAITED, gives_way=never)[1]
        else:
            stored += _drain(BACKLOG, n=n, gives_way=AWAITED.exists)[1]
    if stored:
        hint("moderation.screen_candidates")
    return stored


def _drain(queued: QuerySet[GenerationRequest], *, n: int, gives_way: Callable[[], bool]) -> tuple[int, int]:
    """Claim up to `n` of what is queued and have it written. Returns how many were claimed, and drafts stored."""
    with transaction.atomic():
        claimed = leases.claim(queued, n=n, duration=settings.LEASES.work, status=Status.GENERATING)
        ledger.append_many([line_for(r, "generating", attempt=r.n_attempts) for r in claimed], actor=GENERATOR)
    stored = 0
    with leases.heartbeat(claimed, duration=settings.LEASES.work):
        prefetch_related_objects(claimed, "product__facts")
        groups = [list(group) for _, group in groupby(sorted(claimed, key=_kind_of), key=_kind_of)]
        for place, group in enumerate(groups):
            if place and (stopping.is_asked() or gives_way()):
                _give_back_all(group)
            else:
                stored += _write_together(group, gives_way=gives_way)
    return len(claimed), stored


def _kind_of(request: GenerationRequest) -> tuple[str, str, str, str]:
    """Requests that one call of the back end can serve: same model, same decoding parameters."""
    return (request.alias, request.locale, request.channel, hash_json(request.params))


def _write_together(requests: list[GenerationRequest], *, gives_way: Callable[[], bool]) -> int:
    """Write all drafts of `requests` in one call; where that fails for good, one by one,
    so that one cannot sink the rest.
    """
    stored = 0
    try:
        version = resolver.writer_for(requests[0].locale, alias=requests[0].alias)
        with closing(_write(requests, version=version)) as pieces:
            for n in pieces:
                stored += n
                if gives_way():
                    break
    except TransientError as exc:
        for request in _unfinished(requests):
            give_back(request, error=str(exc), counts=False)
    except leases.DATABASE_AWAY:
        raise
    except Exception as exc:
        if len(requests) > 1:
            return stored + sum(_write_together([request], gives_way=gives_way) for request in _unfinished(requests))
        if not isinstance(exc, EcomsiteError):
            log.exception("generation failed for request %s", requests[0].pk)
        give_back(requests[0], error=f"{type(exc).__name__}: {exc}", permanent=isinstance(exc, PermanentError))
    else:
        _give_back_all(_unfinished(requests))  # there are some when we were asked to end, or gave way
    return stored


def _give_back_all(requests: Iterable[GenerationRequest]) -> None:
    for request in requests:
        give_back(request, error="", counts=False, rests=False)


def _unfinished(requests: Iterable[GenerationRequest]) -> list[GenerationRequest]:
    return [request for request in requests if request.status == Status.GENERATING]


def _write(requests: list[GenerationRequest], *, version: ModelVersion) -> Generator[int, None, None]:
    """Write the drafts that `requests` lack, store them as they are finished,
    and yield how many that were each time.
    """
    kept = set(Candidate.objects.filter(request__in=requests).values_list("request", "ordinal"))
    lacking = [(r, n) for r in requests for n in range(r.n_candidates) if (r.pk, n) not in kept]
    briefs = {r.pk: brief_for(Slot.of(r)) for r in requests}
    asked = {"constraints": constraints_for(version), **requests[0].params}
    params = prompts.params_for(requests[0].channel, seed=0, overrides=asked)
    asked_with = prompts.version_for(version.options)
    orders = {pk: order_for(one, asked_with=asked_with, constraints=params.constraints) for pk, one in briefs.items()}
    generator = loader.load_generator(version)
    pieces = as_written(
        generator,
        [orders[r.pk] for r, _ in lacking],
        params,
        seeds=[_first_seed(r) + ordinal for r, ordinal in lacking],
        tries=tries_for(version, generator),
        cancelled=stopping.is_asked,
    )
    n_left = Counter(request.pk for request, _ in lacking)
    for request in requests:
        if not n_left[request.pk]:
            yield _store(request, [])
    for piece in pieces:
        finished: dict[GenerationRequest, list[Candidate]] = {}
        for place, written in piece:
            request, ordinal = lacking[place]
            prompt_hash = hash_json([dataclasses.asdict(message) for message in orders[request.pk].prompt])
            made = _candidate(
                request,
                ordinal,
                written,
                brief=briefs[request.pk],
                version=version,
                prompt_hash=prompt_hash,
                params=dataclasses.asdict(params),
            )
            finished.setdefault(request, []).append(made)
        n_left.subtract({request.pk: len(candidates) for request, candidates in finished.items()})
        # All of a piece, before anybody may end it here.
        yield sum(_store(request, drafts, is_last=not n_left[request.pk]) for request, drafts in finished.items())


def _first_seed(request: GenerationRequest) -> int:
    """Return the seed of a request's first draft; draft n has n more.

    It is the request's own, whatever is written beside it, and the same when it is written again after a failure.
    """
    given = request.params.get("seed")
    return int(given) if given is not None else request.pk.int % (2**31 - MAX_DRAFTS)


def _candidate(
    request: GenerationRequest,
    ordinal: int,
    written: Written,
    *,
    brief: CopyBrief,
    version: ModelVersion,
    prompt_hash: str,
    params: dict[str, Any],
) -> Candidate:
    draft, said = written.generation, written.finished.text
    kept = {**params, "seed": draft.seed}
    text = tidying.tidied(said, brief) if settings.MODERATION.tidies else said
    return Candidate(
        request=request,
        ordinal=ordinal,
        **Slot.of(request).where(),
        variant=request.variant,
        model_version=version,
        text=text,
        untidied=said if text != said else "",
        tidied_by=tidying.VERSION if settings.MODERATION.tidies else "",
        prompt_version=prompts.version_for(version.options),
        prompt_hash=prompt_hash,
        brand_voice=brief.voice.version if brief.voice else "",
        facts_hash=request.facts_hash,
        facts=[dataclasses.asdict(fact) for fact in brief.facts],
        params={**kept, "writing": written.as_provenance} if params["constraints"] else kept,
        seed=draft.seed,
        prompt_tokens=draft.prompt_tokens,
        completion_tokens=draft.completion_tokens,
        generation_seconds=draft.seconds,
        device=draft.device,
        finish_reason=draft.finish_reason,
    )


def _store(request: GenerationRequest, candidates: list[Candidate], *, is_last: bool = True) -> int:
    """Store drafts of one request, if its lease is still ours; with the last of them it is completed.

    Returns how many.
    """
    try:
        with transaction.atomic():
            leases.hold(request)
            Candidate.objects.bulk_create(candidates)
            made = [
                line_for(
                    c,
                    "generated",
                    model=str(c.model_version_id),
                    prompt=c.prompt_version,
                    seed=c.seed,
                    facts_hash=c.facts_hash,
                    text_hash=hash_json([c.text]),
                    **({"brand_voice": c.brand_voice} if c.brand_voice else {}),
                    **({"tidied_by": c.tidied_by, "untidied_hash": hash_json([c.untidied])} if c.untidied else {}),
                )
                for c in candidates
            ]
            if is_last:
                made.append(_complete(request))
            else:  # it gets on, so it is not what workers die of
                GenerationRequest.objects.filter(pk=request.pk).update(n_losses=0)
            ledger.append_many(made, actor=GENERATOR)
    except LeaseLost:
        log.warning("request %s: the lease was lost while drafting; the drafts are dropped", request.pk)
        return 0
    return len(candidates)


def _complete(request: GenerationRequest) -> ledger.Line:
    n = request.n_candidates
    announcements.request_completed(request, n_candidates=n)
    return advance(
        request,
        from_=Status.GENERATING,
        to=Status.COMPLETED,
        payload={"n_candidates": n},
        finished_at=timezone.now(),
        last_error="",
        n_attempts=0,
        **leases.NO_LEASE,
    )
