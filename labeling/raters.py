"""What is known about the raters of a queue, and how far its consensus can be believed: fitted and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max

from labeling import approvals, votes
from labeling.models import RaterModel, Vote
from labeling.question import known, question

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from labeling.quality.intervals import Array
    from labeling.quality.queue_model import QueueModel
    from labeling.quality.votes import Ints, Votes
    from labeling.votes import VoteTable

# Fewer answers than this say nothing about how people err.
FEWEST = 50
# CROWDLAB looks at this many of the latest items beside the one to judge: half a second, however long the history.
WINDOW = 2000
# Between a queue and the one of its several answers that raters are known by.
OF = "/"


def fit(name: str) -> int:
    """Learn from the votes of the queue `name`, and keep it for each rater. Returns how many.

    Known answers and seniors' verdicts count as certain; votes of a file whose raters nobody answers for do not count.
    0 where there are too few votes, or no new ones since the last time. Where several answers may hold it is learnt of
    each how people err in saying yes or no to it, and kept under a name of its own (`key_of`).
    """
    from labeling.quality.queue_model import learn

    answers = question(name).labels if question(name).is_multiple else ("",)
    keys = [key_of(name, answer) for answer in answers]
    fitted_at = RaterModel.objects.filter(question__in=keys).aggregate(at=Max("fitted_at"))["at"]
    said = Vote.objects.filter(approvals.of_people(), question=name)
    if fitted_at and not said.filter(voted_at__gt=fitted_at).exists():
        return 0
    table = votes.load(name, purposes=Vote.Purpose.values, of_people=True)
    if len(table) < FEWEST:
        return 0
    for answer in answers:
        about = table.yes_or_no(answer) if answer else table
        given, known = evidence(about)
        if not len(given):
            return 0
        _keep(learn(given, known), about, n_votes=given)
    return len(table.rater_names)


def key_of(question: str, answer: str) -> str:
    """Return under which name is kept what is known of raters who say yes or no to `answer`; without, the queue's."""
    return f"{question}{OF}{answer}" if answer else question


def evidence(table: VoteTable) -> tuple[Votes, Ints]:
    """Return the votes to learn from, and what is known of each item, -1 for nothing.

    A senior's verdict is what is known of an item, and no vote on it. A known answer counts where people were tested
    with it, and not for those who made it known: that is an item of its own.
    """
    import numpy as np

    from labeling.quality.votes import Votes

    n, purposes = len(table.subjects), np.array(table.purposes)
    is_verdict, is_test = purposes == Vote.Purpose.ADJUDICATION, table.expected >= 0
    known = np.full(2 * n, -1)
    latest_last = np.flatnonzero(is_verdict)[::-1]
    known[table.items[latest_last]] = table.labels[latest_last]
    items = np.where(is_test, table.items + n, table.items)
    known[items[is_test]] = table.expected[is_test]
    kept = ~is_verdict
    given = Votes(
        items[kept],
        table.raters[kept],
        table.labels[kept],
        n_labels=len(table.names),
        n_items=2 * n,
        n_raters=len(table.rater_names),
    )
    return given, known


def _keep(learnt: QueueModel, table: VoteTable, *, n_votes: Votes) -> None:
    import numpy as np

    question, names, model = key_of(table.question, table.answer), table.names, learnt.raters
    counts = np.bincount(n_votes.raters, minlength=len(table.rater_names))
    rows = [
        _row(question, rater, int(counts[i]), model.confusion[i], model.priors, names)
        for i, rater in enumerate(table.rater_names)
    ]
    usual = _row(question, RaterModel.USUAL, len(n_votes), model.usual, model.priors, names)
    usual.label_shares = dict(zip(names, map(_short, model.priors), strict=True))
    usual.calibrations = {method: found.as_json() for method, found in learnt.calibrations.items()}
    with transaction.atomic():
        RaterModel.objects.filter(question=question).delete()
        RaterModel.objects.bulk_create([usual, *rows], batch_size=1000)


def _row(question: str, rater: str, n_votes: int, confusion: Array, priors: Array, names: Sequence[str]) -> RaterModel:
    table = {true: dict(zip(names, map(_short, row), strict=True)) for true, row in zip(names, confusion, strict=True)}
    right = float(sum(p * row[i] for i, (p, row) in enumerate(zip(priors, confusion, strict=True))))
    return RaterModel(question=question, rater=rater, n_votes=n_votes, confusion=table, quality=round(right, 6))


def _short(probability: float) -> float:
    return float(f"{probability:.6g}")


def model_of(name: str, names: Sequence[str], *, answer: str = "") -> QueueModel:
    """Return what `fit` kept of the queue `name`, its raters numbered as in `names`; who is new is taken for the usual
    one.

    With `answer` of yes or no to that one of several.
    What is assumed beforehand where nothing was fitted yet.
    """
    import numpy as np

    from labeling.quality.calibration import SHIPPED, Calibration
    from labeling.quality.dawid_skene import DawidSkene
    from labeling.quality.queue_model import QueueModel

    labels = votes.NO_OR_YES if answer else question(name).labels
    rows = RaterModel.objects.filter(question=key_of(name, answer), rater__in=[RaterModel.USUAL, *names])
    fitted = {row.rater: row for row in rows}
    usual = fitted.get(RaterModel.USUAL)
    if usual is None or set(usual.label_shares) != set(labels):  # nothing yet, or the labels of the queue changed since
        return QueueModel.before(len(labels))

    def matrix(row: RaterModel) -> Array:
        return np.array([[row.confusion[true][said] for said in labels] for true in labels], dtype=float)

    confusion = [matrix(fitted.get(name, usual)) for name in names]
    known = DawidSkene(
        np.array(confusion).reshape(len(names), len(labels), len(labels)),
        matrix(usual),
        np.array([usual.label_shares[label] for label in labels], dtype=float),
    )
    kept: Mapping[str, Calibration] = {method: Calibration.of(row) for method, row in usual.calibrations.items()}
    return QueueModel(known, {**SHIPPED, **kept})


def n_known(name: str, method: str) -> int:
    """Return how many known answers and seniors' verdicts the quality of a consensus by `method` was measured on.

    0: on none of this queue, but on what crowds elsewhere said.
    """
    answers = question(name).labels if question(name).is_multiple else ("",)
    rows = RaterModel.objects.filter(question__in=[key_of(name, answer) for answer in answers], rater=RaterModel.USUAL)
    return min((int(usual.calibrations.get(method, {}).get("n", 0)) for usual in rows), default=0)


def fit_all() -> int:
    """Fit every queue that has votes. Returns how many raters were fitted."""
    there = Vote.objects.order_by().values_list("question", flat=True).distinct()
    return sum(map(fit, known(there)))


def window(question: str, subject: str) -> list[str]:
    """Return `subject` and the latest others of the queue that people voted on: what CROWDLAB weighs votes by."""
    said = Vote.objects.filter(approvals.of_people(), question=question, purpose=Vote.Purpose.LABEL)
    # By the latest votes, not by grouping all: some items have several.
    latest = dict.fromkeys(said.order_by("-pk").values_list("subject", flat=True)[: 4 * WINDOW])
    return list({subject: None} | dict.fromkeys(islice(latest, WINDOW)))


def opinions_on(table: VoteTable, model: QueueModel) -> tuple[Array, NDArray[np.bool_]]:
    """Return what the serving model thinks of each subject of `table`, and of which it thinks anything at all.

    Of the others: how common the labels are.
    """
    import numpy as np

    opinions = question(table.question).opinions(list(table.subjects))
    if table.answer:
        opinions = {
            subject: dict(zip(table.names, (1 - said[table.answer], said[table.answer]), strict=True))
            for subject, said in opinions.items()
        }
    has_one = np.array([subject in opinions for subject in table.subjects], dtype=bool)
    rows = [
        [opinions[subject][label] for label in table.names] if subject in opinions else model.raters.priors
        for subject in table.subjects
    ]
    return np.array(rows, dtype=float), has_one
