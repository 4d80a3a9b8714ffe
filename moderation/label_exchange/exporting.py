"""Take the labels of a queue out: page by page, resumable, people under pseudonyms, the file whole or not there."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast

from audit import ledger
from catalog.models import CustomerReview, Product
from core.actors import require_permission
from core.bulk import in_array
from core.exceptions import PermanentError, TransientError
from core.hashing import hash_path
from core.locks import try_advisory_lock
from core.refs import ref
from labeling.exchange.formats import format_of, writer_of
from labeling.exchange.part import Part
from labeling.exchange.rows import Item, Layout
from labeling.models import Label, Vote
from labeling.question import question, queue_names
from moderation.label_exchange.importing import exported_name
from moderation.label_exchange.reviews import subject_of
from moderation.models.candidates import Candidate

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from core.actors import SystemActor

PAGE = 5_000
ABOUT_LABEL = {
    "label": "text",
    "method": "text",
    "quality": "number",
    "n_votes": "integer",
    "labelled_at": "time",
    "source": "text",
}
REVIEW_FIELDS = {
    "subject": "text",
    "external_id": "text",
    "sku": "text",
    "locale": "text",
    "rating": "number",
    "title": "text",
    "text": "text",
    **ABOUT_LABEL,
}
COPY_FIELDS = {"subject": "text", "sku": "text", "channel": "text", "locale": "text", "text": "text", **ABOUT_LABEL}
OnProgress = Callable[[int, float], None]
Values = dict[str, Any]


@dataclass(frozen=True)
class Exported:
    """What went out. `n_gone` labels were left out: what they are about is not there any more."""

    n_rows: int
    n_gone: int
    file_hash: str


def export_labels(
    target: Path,
    *,
    kind: str,
    file_format: str = "",
    with_votes: bool = False,
    since: dt.datetime | None = None,
    actor: User | SystemActor,
    resume: bool = True,
    on_progress: OnProgress | None = None,
) -> Exported:
    """Write the labels of the queue `kind` to `target`, a row a subject. Needs labeling.export_labels.

    `since`: those labelled then or later. What an interrupted export of the same wrote is gone on from, unless `resume`
    is off. Each page is as of when it is read: a label that changes meanwhile may come as it was or as it is. Raises
    `PermanentError` for an unknown queue or format, and when `target` is there; `TransientError` while another process
    writes it.
    """
    require_permission(actor, "labeling.export_labels")
    if kind not in (names := queue_names()):
        raise PermanentError(f"There is no queue {kind!r}.", hint=f"Queues: {', '.join(names)}.")
    queue, file_format = QUEUES[question(kind).about], file_format or format_of(target)
    what = {"kind": kind, "format": file_format, "votes": with_votes, "since": since.isoformat() if since else None}
    with try_advisory_lock(f"moderation.export_labels {target.resolve()}") as is_alone:
        if not is_alone:
            raise TransientError(f"{target} is being written by another process.", hint="Wait for it to end.")
        part = Part(target, what=what)
        if not resume:
            part.start_again()
        layout = Layout(queue.fields, question(kind), has_votes=with_votes)
        labels = Label.objects.filter(kind=kind)
        labels = labels.filter(labelled_at__gte=since) if since else labels
        total, n_done, n_gone = labels.count(), labels.filter(pk__lte=part.after).count(), 0
        writer = writer_of(file_format, part.path, layout, position=part.position)
        try:
            for page in _pages(labels, after=part.after):
                votes = _votes_on(kind, page) if with_votes else {}
                items = list(queue.items(kind, page, votes, file_format == "ls-json"))
                part.advance(after=page[-1]["pk"], n_rows=len(items), position=writer.write(items))
                n_done, n_gone = n_done + len(page), n_gone + len(page) - len(items)
                if on_progress:
                    on_progress(part.n_rows, n_done / max(total, n_done))
            whole = writer.finish()
        finally:
            writer.close()
        file_hash = hash_path(whole)
        # Before the file is there: what went out is in the ledger, whatever happens next.
        with transaction.atomic():
            payload = {**what, "n_rows": part.n_rows, "file_hash": file_hash}
            ledger.append("moderation.labels.exported", subject=f"queue:{kind}", actor=actor, payload=payload)
        part.take_place(whole)
    return Exported(part.n_rows, n_gone, file_hash)


def _pages(labels: QuerySet[Label], *, after: int) -> Iterator[list[Values]]:
    # By key, not by a cursor: that would hold one snapshot for minutes, and every claim of work would have to pass over
    # what has died since. Plain values: a million rows as objects take three times as long.
    while page := list(labels.filter(pk__gt=after).order_by("pk").values("pk", "subject", *ABOUT_LABEL)[:PAGE]):
        yield page
        after = page[-1]["pk"]


@dataclass(frozen=True)
class Queue:
    """How the labels of one queue go out: what each row has, and the items of a page (labels, their votes,
    payloads?).
    """

    fields: Mapping[str, str]
    items: Callable[[str, Sequence[Values], Mapping[str, list[Values]], bool], Iterator[Item]]


def _votes_on(kind: str, page: Sequence[Values]) -> dict[str, list[Values]]:
    votes: dict[str, list[Values]] = {}
    rows = Vote.objects.filter(kind=kind, subject__in=in_array(label["subject"] for label in page)).order_by("pk")
    for subject, rater, label, at, seconds in rows.values_list("subject", "rater", "label", "voted_at", "seconds"):
        vote = {"rater": exported_name(rater), "label": label, "annotated_at": at, "seconds": seconds}
        votes.setdefault(subject, []).append(vote)
    return votes


def _reviews(
    kind: str, page: Sequence[Values], votes: Mapping[str, list[Values]], with_payload: bool
) -> Iterator[Item]:
    rows = CustomerReview.objects.filter(pk__in=_keys(page, CustomerReview)).values_list(
        Cast("pk", models.CharField()),
        "external_id",
        "product__sku",
        "product__title",
        "locale",
        "rating",
        "title",
        "text",
    )
    found: dict[str, list[Any]] = {subject_of(pk): values for pk, *values in rows}
    for label in page:
        if values := found.get(subject := label["subject"]):
            external_id, sku, product, locale, rating, title, text = values
            stars = None if rating is None else float(rating)
            said = {
                **label,
                "external_id": external_id,
                "sku": sku or "",
                "locale": locale,
                "rating": stars,
                "title": title,
                "text": text,
            }
            payload: Values = {}
            if with_payload:
                about = Product(title=product) if product else None
                review = CustomerReview(title=title, text=text, product=about, rating=rating, locale=locale)
                payload = question(kind).task_data(review)
            yield Item({name: said[name] for name in REVIEW_FIELDS}, votes.get(subject, ()), payload)


def _copies(kind: str, page: Sequence[Values], votes: Mapping[str, list[Values]], with_payload: bool) -> Iterator[Item]:
    candidates = Candidate.objects.filter(pk__in=_keys(page, Candidate)).select_related("product")
    if with_payload:
        candidates = candidates.prefetch_related("findings")
    found = {ref(candidate): candidate for candidate in candidates}
    for label in page:
        if candidate := found.get(label["subject"]):
            said = {
                **label,
                "sku": candidate.product.sku,
                "channel": candidate.channel,
                "locale": candidate.locale,
                "text": candidate.text,
            }
            payload = question(kind).task_data(candidate) if with_payload else {}
            yield Item({name: said[name] for name in COPY_FIELDS}, votes.get(label["subject"], ()), payload)


def _keys(page: Sequence[Values], model: type[models.Model]) -> RawSQL:
    form = re.compile(f"{re.escape(model._meta.label_lower)}:([0-9a-f-]{{36}})")
    return in_array((match[1] for label in page if (match := form.fullmatch(label["subject"]))), "uuid")


# By what the question is about.
QUEUES = {"review": Queue(REVIEW_FIELDS, _reviews), "draft": Queue(COPY_FIELDS, _copies)}
