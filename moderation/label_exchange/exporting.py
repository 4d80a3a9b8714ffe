"""Take the labels of a queue out: page by page, resumable, people under pseudonyms, the file whole or not there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import QuerySet

from audit import ledger
from core.actors import require_permission
from core.bulk import in_array
from core.exceptions import PermanentError, TransientError
from core.hashing import hash_path
from core.locks import try_advisory_lock
from labeling.exchange.formats import format_of, writer_of
from labeling.exchange.part import Part
from labeling.exchange.rows import Item, Layout
from labeling.models import Label, Vote
from labeling.question import Question, question, queue_names
from labeling.subject import subject_of
from moderation.label_exchange.importing import exported_name

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
    question: str,
    file_format: str = "",
    with_votes: bool = False,
    since: dt.datetime | None = None,
    actor: User | SystemActor,
    resume: bool = True,
    on_progress: OnProgress | None = None,
) -> Exported:
    """Write the labels of the queue `question` to `target`, a row a subject. Needs labeling.export_labels.

    `since`: those labelled then or later. What an interrupted export of the same wrote is gone on from, unless `resume`
    is off. Each page is as of when it is read: a label that changes meanwhile may come as it was or as it is. Raises
    `PermanentError` for an unknown queue or format, and when `target` is there; `TransientError` while another process
    writes it.
    """
    require_permission(actor, "labeling.export_labels")
    asked, file_format = _asked(question), file_format or format_of(target)
    fields = {"subject": "text", **subject_of(asked.about).fields, **ABOUT_LABEL}
    what = {
        "question": question,
        "format": file_format,
        "votes": with_votes,
        "since": since.isoformat() if since else None,
    }
    with try_advisory_lock(f"moderation.export_labels {target.resolve()}") as is_alone:
        if not is_alone:
            raise TransientError(f"{target} is being written by another process.", hint="Wait for it to end.")
        part = Part(target, what=what)
        if not resume:
            part.start_again()
        layout = Layout(fields, asked, has_votes=with_votes)
        labels = Label.objects.filter(question=question)
        labels = labels.filter(labelled_at__gte=since) if since else labels
        total, n_done, n_gone = labels.count(), labels.filter(pk__lte=part.after).count(), 0
        writer = writer_of(file_format, part.path, layout, position=part.position)
        try:
            for page in _pages(labels, after=part.after):
                votes = _votes_on(question, page) if with_votes else {}
                items = list(_items(asked, page, votes, fields, with_payload=file_format == "ls-json"))
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
            ledger.append("moderation.labels.exported", subject=f"queue:{question}", actor=actor, payload=payload)
        part.take_place(whole)
    return Exported(part.n_rows, n_gone, file_hash)


def _asked(name: str) -> Question:
    if name not in (names := queue_names()):
        raise PermanentError(f"There is no queue {name!r}.", hint=f"Queues: {', '.join(names)}.")
    return question(name)


def _pages(labels: QuerySet[Label], *, after: int) -> Iterator[list[Values]]:
    # By key, not by a cursor: that would hold one snapshot for minutes, and every claim of work would have to pass over
    # what has died since. Plain values: a million rows as objects take three times as long.
    while page := list(labels.filter(pk__gt=after).order_by("pk").values("pk", "subject", *ABOUT_LABEL)[:PAGE]):
        yield page
        after = page[-1]["pk"]


def _votes_on(question: str, page: Sequence[Values]) -> dict[str, list[Values]]:
    votes: dict[str, list[Values]] = {}
    rows = Vote.objects.filter(question=question, subject__in=in_array(label["subject"] for label in page)).order_by(
        "pk"
    )
    for subject, rater, label, at, seconds in rows.values_list("subject", "rater", "label", "voted_at", "seconds"):
        vote = {"rater": exported_name(rater), "label": label, "annotated_at": at, "seconds": seconds}
        votes.setdefault(subject, []).append(vote)
    return votes


def _items(
    asked: Question,
    page: Sequence[Values],
    votes: Mapping[str, list[Values]],
    fields: Mapping[str, str],
    *,
    with_payload: bool,
) -> Iterator[Item]:
    """Yield the labels of `page` whose subject is still there, with what it says."""
    about = subject_of(asked.about)
    subjects = [label["subject"] for label in page]
    found, rows = about.values_of(subjects), about.rows(subjects) if with_payload else {}
    for label in page:
        if values := found.get(subject := label["subject"]):
            said = {**values, **label}
            payload = asked.task_data(rows[subject]) if subject in rows else {}
            yield Item({name: said[name] for name in fields}, votes.get(subject, ()), payload)
