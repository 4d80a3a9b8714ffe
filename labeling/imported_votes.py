"""What the votes of a file come to: labels by the queue's method, and our people's turn where they are tied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max, Q

from core import label_sets
from core.bulk import in_array
from labeling import issues, labels, raters, votes
from labeling.approvals import FROM_FILES
from labeling.consensus import SINGLE, agree_on, agree_on_each
from labeling.issues import Suspicion
from labeling.labels import AgreedOn
from labeling.models import Label, Vote
from labeling.question import question

if TYPE_CHECKING:
    from labeling.quality.queue_model import QueueModel
    from labeling.votes import VoteTable

PAGE = 1000
_IMPORTED = Q(source__startswith=FROM_FILES)


def settle(name: str, *, source: str, method: str) -> None:
    """Agree by `method` on the label of each subject that votes of `source` (`import:<id>`) are about.

    Can be called again.

    All imported votes on a subject count; its label, where a file states it or our own people decided it, stays. A tie
    leaves no label, and is put before our people (`labeling.issues`).
    """
    asked = question(name)
    # Of several answers each is a yes or no of its own, with raters who err in it in a way of its own.
    learnt = {answer: _learnt_from(name, source, answer) for answer in (asked.labels if asked.is_multiple else ("",))}
    for subjects in _pages(name, source):
        with transaction.atomic():
            table = votes.load(name, purposes=[Vote.Purpose.LABEL], subjects=subjects, within=_IMPORTED)
            known = {
                answer: model.numbered([places.get(rater, -1) for rater in table.rater_names])
                for answer, (model, places) in learnt.items()
            }
            rows = _agreed(table, method=method, models=known)
            labels.record_agreed(name, rows, source=source)
            _ask_people(name, [row.subject for row in rows if not row.label])


def preview(name: str, said: Sequence[Sequence[str]], *, method: str) -> list[str]:
    """Return what votes that are stored nowhere would come to by `method`, raters as in a queue of which nothing is
    known.

    `said[i]` are the labels of text i, each by a rater of their own. Empty: a tie.
    """
    from labeling.quality.queue_model import QueueModel

    if not said:
        return []
    asked, table = question(name), votes.table_of(name, said)
    usual = [-1] * len(table.rater_names)
    if asked.is_multiple:
        yes_or_no = QueueModel.before(len(votes.NO_OR_YES)).numbered(usual)
        agreed = agree_on_each(table, method=method, models=dict.fromkeys(asked.labels, yes_or_no))
    else:
        agreed = agree_on(table, method=method, model=QueueModel.before(len(table.names)).numbered(usual))
    return [agreed[subject].label for subject in table.subjects]


def _learnt_from(question: str, source: str, answer: str) -> tuple[QueueModel, dict[str, int]]:
    """Return what the file tells of its raters, and their numbers; what our own people decided is known to be true.

    Of this file alone: raters whom nobody answers for say nothing about those of another.
    """
    import numpy as np

    from labeling.quality.queue_model import QueueModel, learn

    table = votes.load(question, purposes=[Vote.Purpose.LABEL], within=Q(source=source))
    if answer:
        table = table.yes_or_no(answer)
    if len(table) < raters.FEWEST:
        return QueueModel.before(len(table.names)), {}
    ours = Label.objects.filter(question=question, subject__in=in_array(table.subjects)).exclude(
        source__startswith=FROM_FILES
    )
    held = dict(ours.values_list("subject", "label"))
    if answer:
        held = {subject: votes.NO_OR_YES[answer in label_sets.split(label)] for subject, label in held.items()}
    numbers = {name: i for i, name in enumerate(table.names)}
    known = np.array([numbers.get(held.get(subject, ""), -1) for subject in table.subjects], dtype=np.int64)
    return learn(table.votes(), known), {rater: i for i, rater in enumerate(table.rater_names)}


def _pages(question: str, source: str) -> Iterator[list[str]]:
    said, after = Vote.objects.filter(question=question, source=source).order_by("subject"), ""
    while page := list(said.filter(subject__gt=after).values_list("subject", flat=True).distinct()[:PAGE]):
        yield page
        after = page[-1]


def _agreed(table: VoteTable, *, method: str, models: Mapping[str, QueueModel]) -> list[AgreedOn]:
    said = Vote.objects.filter(_IMPORTED, question=table.question, subject__in=in_array(table.subjects)).order_by()
    last = dict(said.values_list("subject").annotate(at=Max("voted_at")))
    rows = []
    if "" in models:
        agreed = agree_on(table, method=method, model=models[""])
    else:
        agreed = agree_on_each(table, method=method, models=models)
    for subject, found in agreed.items():
        if (n := sum(found.votes.values())) == 1:  # one vote is what it says, whoever gave it
            (label,) = found.votes
            rows.append(AgreedOn(subject, label, SINGLE, None, 1, last[subject]))
        else:
            rows.append(AgreedOn(subject, found.label, method, round(found.quality, 6), n, last[subject]))
    return rows


def _ask_people(question: str, tied: list[str]) -> None:
    held = set(Label.objects.filter(question=question, subject__in=in_array(tied)).values_list("subject", flat=True))
    doubts = [Suspicion(subject, "", "", 0.0, [issues.TIE]) for subject in tied if subject not in held]
    if doubts:
        issues.raise_issues(question, doubts)
