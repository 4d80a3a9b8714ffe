"""The votes of a queue as arrays: what every figure about people is computed from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from core import label_sets
from labeling import approvals
from labeling.models import Vote
from labeling.question import question

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from labeling.quality.votes import Votes

    Integers = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

# Votes in which people are measured against each other: the same question, and nobody's answer known. Not second
# reviews, which are asked where a label looks wrong: people would seem to differ far more than they do.
COMPARABLE = (Vote.Purpose.LABEL, Vote.Purpose.AUDIT)
MOST = 200_000
NO_OR_YES = ("no", "yes")


@dataclass(frozen=True)
class VoteTable:
    """Row i of each array is one vote; -1 is “none”. Numbers of items and raters are indices into the name lists."""

    question: str
    names: Sequence[str]  # the queue's labels; where several answers may hold, those that were ever said of it
    subjects: Sequence[str]
    rater_names: Sequence[str]
    items: Integers
    raters: Integers
    labels: Integers
    suggestions: Integers
    expected: Integers
    assisted: Integers  # 1 saw the suggestion, 0 did not, -1 not known
    seconds: Floats  # NaN where it is not known
    days: Integers  # since 1970
    purposes: Sequence[str]
    answer: str = ""  # the one of several answers that these votes say yes or no to; empty: all of the label

    def __len__(self) -> int:
        return len(self.labels)

    def votes(self) -> Votes:
        """Return who said what, as the statistics take it."""
        from labeling.quality.votes import Votes

        return Votes(
            self.items,
            self.raters,
            self.labels,
            n_labels=len(self.names),
            n_items=len(self.subjects),
            n_raters=len(self.rater_names),
        )

    def where(self, mask: npt.NDArray[np.bool_]) -> VoteTable:
        """Return the votes where `mask` holds; the name lists stay."""
        purposes = [purpose for purpose, keep in zip(self.purposes, mask, strict=True) if keep]
        cut: dict[str, Any] = {
            name: getattr(self, name)[mask]
            for name in ("items", "raters", "labels", "suggestions", "expected", "assisted", "seconds", "days")
        }
        return replace(self, purposes=purposes, **cut)

    def yes_or_no(self, answer: str) -> VoteTable:
        """Return what each vote says to one of several answers: label 1 is that it holds."""
        import numpy as np

        holds = np.array([answer in label_sets.split(name) for name in self.names] + [False], dtype=np.int64)
        turned: dict[str, Any] = {
            name: np.where((given := getattr(self, name)) < 0, -1, holds[given])
            for name in ("labels", "suggestions", "expected")
        }
        return replace(self, names=NO_OR_YES, answer=answer, **turned)


def load(
    question: str,
    *,
    purposes: Sequence[str] = COMPARABLE,
    since: dt.datetime | None = None,
    subjects: Sequence[str] | None = None,
    of_people: bool = False,
    within: Q | None = None,
) -> VoteTable:
    """Return the votes on `question` for `purposes`, at most the latest `MOST`; on `subjects` alone, if given.

    With `of_people` without those of a file whose raters nobody answers for: where votes decide what is true. `within`
    is a further condition.
    """
    import numpy as np

    names = labels_of(question)
    rows = Vote.objects.filter(question=question, purpose__in=purposes, label__in=names)
    if of_people:
        rows = rows.filter(approvals.of_people())
    if within is not None:
        rows = rows.filter(within)
    if since:
        rows = rows.filter(voted_at__gte=since)
    if subjects is not None:
        rows = rows.filter(subject__in=subjects)
    fields = ("subject", "rater", "label", "suggestion", "expected", "is_assisted", "seconds", "voted_at", "purpose")
    columns = list(zip(*rows.order_by("-pk").values_list(*fields)[:MOST], strict=True)) or [()] * len(fields)
    of = {name: number for number, name in enumerate(names)}
    items = {name: number for number, name in enumerate(dict.fromkeys(columns[0]))}
    raters = {name: number for number, name in enumerate(sorted(set(columns[1])))}

    def numbers(values: Sequence[object], known: dict[str, int]) -> Integers:
        return np.array([known.get(str(value), -1) for value in values], dtype=np.int64)

    return VoteTable(
        question=question,
        names=names,
        subjects=list(items),
        rater_names=list(raters),
        items=numbers(columns[0], items),
        raters=numbers(columns[1], raters),
        labels=numbers(columns[2], of),
        suggestions=numbers(columns[3], of),
        expected=numbers(columns[4], of),
        assisted=np.array([-1 if value is None else int(bool(value)) for value in columns[5]], dtype=np.int64),
        seconds=np.array([np.nan if value is None else value for value in columns[6]], dtype=np.float64),
        days=np.array([value.toordinal() - EPOCH for value in columns[7]], dtype=np.int64),
        purposes=list(columns[8]),
    )


def table_of(name: str, said: Sequence[Sequence[str]]) -> VoteTable:
    """Return votes that are stored nowhere: `said[i]` are the labels of item i, each by a rater of their own.

    Raises `ValueError` for what is no label of the question `name`, where that has one answer.
    """
    import numpy as np

    asked = question(name)
    names = sorted({label for labels in said for label in labels}) if asked.is_multiple else asked.labels
    labels = np.array([names.index(label) for labels in said for label in labels], dtype=np.int64)
    unknown, n = np.full(len(labels), -1, dtype=np.int64), len(labels)
    return VoteTable(
        question=name,
        names=names,
        subjects=[str(number) for number in range(len(said))],
        rater_names=[str(number) for number in range(max(map(len, said), default=0))],
        items=np.repeat(np.arange(len(said)), [len(labels) for labels in said]),
        raters=np.array([place for labels in said for place in range(len(labels))], dtype=np.int64),
        labels=labels,
        suggestions=unknown,
        expected=unknown,
        assisted=unknown,
        seconds=np.full(n, np.nan),
        days=np.zeros(n, dtype=np.int64),
        purposes=[str(Vote.Purpose.LABEL)] * n,
    )


def labels_of(name: str) -> Sequence[str]:
    """Return the labels of a queue; where several answers may hold, those of its votes whose answers are all there."""
    asked = question(name)
    if not asked.is_multiple:
        return asked.labels
    said = set[str]()
    for field in ("label", "suggestion", "expected"):
        said.update(
            Vote.objects.filter(question=name)
            .exclude(**{field: ""})
            .order_by()
            .values_list(field, flat=True)
            .distinct()
        )
    known = {
        label: [asked.labels.index(one) for one in parts]
        for label in said
        if set(parts := label_sets.split(label)) <= set(asked.labels)
    }
    return sorted(known, key=lambda label: (len(known[label]), known[label], label))


EPOCH = dt.date(1970, 1, 1).toordinal()
