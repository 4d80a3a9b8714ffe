"""A chat model as a second judge: asked about drafts that wait for people, within a budget, and never waited for.

Off while no model is the champion of the role `judge`. What it says is kept by the hash of the text. Where it is slow,
away or answers with something else than it was asked for, nothing comes of it: people look at every draft anyway.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from audit import ledger
from audit.ledger import Line
from core import leases
from core.actors import SystemActor
from core.refs import ref
from inference import judging, loader, resolver
from inference.judging import JUDGE_PROMPT_VERSION
from inference.models import ModelVersion, Role
from moderation.judging import attention
from moderation.judging.said import hash_of_text
from moderation.models.candidates import Candidate
from moderation.models.judging import JudgeAnswer, answers_of, hash_of

log = logging.getLogger(__name__)
JUDGE = SystemActor("moderation.judging")
BATCH = 8
# A text is asked about so often, with a rest in between: a server that is away must not cost it the judge for ever.
MOST_TRIES, REST = 3, dt.timedelta(minutes=10)
TOO_LONG = "too long for a judge, or without words"


def ask() -> int:
    """Ask the second judge about a few of the drafts that wait for people. Returns how many answers can be read.

    What it sees that no rule saw puts a draft further forward, once its agreement with people counts.
    """
    version = resolver.find(Role.JUDGE)
    if version is None:
        return 0
    drafts = _to_ask(version)
    reserved = _reserve(drafts, version)
    if not reserved:
        return 0
    texts = {hash_of_text(draft.text): draft.text for draft in drafts}
    n = _ask_about(reserved, [texts[row.text_hash] for row in reserved], version)
    attention.put_forward(
        [draft for draft in drafts if hash_of_text(draft.text) in {row.text_hash for row in reserved}]
    )
    return n


def asked_today(version: ModelVersion) -> int:
    """Return how often the judge was asked today, failures too: what the budget is compared with."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today = JudgeAnswer.objects.filter(model_version=version, asked_at__gte=midnight)
    return today.aggregate(n=Sum("n_asked"))["n"] or 0


def _waiting(version: ModelVersion) -> QuerySet[JudgeAnswer]:
    """Return what may be asked about now: not answered, not asked too often, nor just now."""
    rested = Q(asked_at=None) | Q(asked_at__lt=timezone.now() - REST)
    return answers_of(version, JUDGE_PROMPT_VERSION).filter(rested, claims=None, n_asked__lt=MOST_TRIES)


def _to_ask(version: ModelVersion) -> list[Candidate]:
    """Return the most urgent drafts before people of which the judge may be asked.

    A text in which personal data was found is sent nowhere.
    """
    known = answers_of(version, JUDGE_PROMPT_VERSION).filter(text_hash=OuterRef("said_hash"))
    held = known.exclude(pk__in=_waiting(version).values("pk"))
    waiting = Candidate.objects.filter(status=Candidate.Status.IN_REVIEW, review_item__isnull=False)
    return list(
        waiting.exclude(findings__check_name="personal_data")
        .annotate(said_hash=hash_of("text"))
        .filter(~Exists(held))
        .select_related("product")
        .order_by("review_item__urgent_from", "pk")[:BATCH]
    )


def _reserve(drafts: Sequence[Candidate], version: ModelVersion) -> list[JudgeAnswer]:
    """Note for each text that it is asked about now, within the day's budget: whoever dies meanwhile has spent it."""
    hashes = {hash_of_text(draft.text): draft.text for draft in drafts}
    of = {"prompt_version": JUDGE_PROMPT_VERSION, "model_version": version}
    unfit = [text_hash for text_hash, text in hashes.items() if judging.render(text) is None]
    with transaction.atomic():
        ModelVersion.objects.select_for_update(no_key=True).get(pk=version.pk)  # two workers, one budget
        JudgeAnswer.objects.bulk_create(
            [JudgeAnswer(text_hash=text_hash, **of) for text_hash in hashes], ignore_conflicts=True
        )
        now = timezone.now()
        _waiting(version).filter(text_hash__in=unfit).update(n_asked=MOST_TRIES, asked_at=None, problem=TOO_LONG)
        left = max(settings.JUDGE.budget_per_day - asked_today(version), 0)
        rows = list(_waiting(version).filter(text_hash__in=hashes).select_for_update(no_key=True).order_by("pk")[:left])
        JudgeAnswer.objects.filter(pk__in=[row.pk for row in rows]).update(n_asked=F("n_asked") + 1, asked_at=now)
    return rows


def _ask_about(rows: Sequence[JudgeAnswer], texts: Sequence[str], version: ModelVersion) -> int:
    """Ask, keep what comes within the time, and note why the rest is missing. Returns how many answers can be read."""
    problem, seen = f"no answer within {settings.JUDGE.timeout_s} s", dict[int, list[str] | None]()
    ends = time.monotonic() + settings.JUDGE.timeout_s
    prompts = [judging.render(text) or [] for text in texts]
    try:
        model = loader.load_generator(version)
        for piece in model.as_completed(prompts, judging.PARAMS, cancelled=lambda: time.monotonic() > ends):
            for place, said in piece:
                seen[place] = judging.read(said.text) if said.finish_reason == "stop" else None
            if time.monotonic() > ends:
                break
    except leases.DATABASE_AWAY:
        raise
    except Exception as exc:
        log.warning("the judge %s does not answer: %s", version, exc)
        problem = f"{type(exc).__name__}: {exc}"[:200]
    n = sum(claims is not None for claims in seen.values())
    with transaction.atomic():
        for place, row in enumerate(rows):
            _keep(row, seen.get(place), problem if place not in seen else "an answer that is not what was asked for")
        told = {"asked": len(rows), "answered": n}
        ledger.append_many([Line("moderation.judge.asked", ref(version), told)], actor=JUDGE)
    return n


def _keep(row: JudgeAnswer, claims: list[str] | None, problem: str) -> None:
    fields = {"claims": claims, "problem": ""} if claims is not None else {"problem": problem}
    JudgeAnswer.objects.filter(pk=row.pk, claims=None).update(**fields)
