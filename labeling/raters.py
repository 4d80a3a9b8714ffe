"""What is known about each rater of a queue, fitted from all votes: a consensus weighs people by it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max

from labeling import approvals, votes
from labeling.label_config import load_interface
from labeling.models import RaterModel, Vote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labeling.quality.intervals import Array

# Fewer answers than this say nothing about how people err.
FEWEST = 50
# CROWDLAB looks at this many of the latest items beside the one to judge: half a second, however long the history.
WINDOW = 2000


def fit(kind: str) -> int:
    """Fit Dawid and Skene's model to the votes of the queue `kind`, and keep it for each rater. Returns how many.

    Known answers count as certain; votes of a file whose raters nobody answers for do not count. 0 where there are too few
    votes, or no new ones since the last time.
    """
    import numpy as np

    from labeling.quality import dawid_skene

    fitted_at = RaterModel.objects.filter(kind=kind).aggregate(at=Max("fitted_at"))["at"]
    said = Vote.objects.filter(approvals.of_people(), kind=kind)
    if fitted_at and not said.filter(voted_at__gt=fitted_at).exists():
        return 0
    table = votes.load(kind, purposes=Vote.Purpose.values, of_people=True)
    if len(table) < FEWEST:
        return 0
    known = np.full(len(table.subjects), -1)
    is_known = table.expected >= 0
    known[table.items[is_known]] = table.expected[is_known]
    model = dawid_skene.fit(table.votes(), known=known)
    n_votes = np.bincount(table.raters, minlength=len(table.rater_names))
    shares = dict(zip(table.names, map(float, model.priors), strict=True))
    rows = [_row(kind, rater, int(n_votes[i]), model.confusion[i], model.priors, table.names)
            for i, rater in enumerate(table.rater_names)]  # fmt: skip
    usual = _row(kind, RaterModel.USUAL, len(table), model.usual, model.priors, table.names)
    usual.label_shares = shares
    with transaction.atomic():
        RaterModel.objects.filter(kind=kind).delete()
        RaterModel.objects.bulk_create([usual, *rows], batch_size=1000)
    return len(rows)


def _row(kind: str, rater: str, n_votes: int, confusion: Array, priors: Array, names: Sequence[str]) -> RaterModel:
    table = {true: {said: round(float(p), 6) for said, p in zip(names, row, strict=True)}
             for true, row in zip(names, confusion, strict=True)}  # fmt: skip
    right = float(sum(p * row[i] for i, (p, row) in enumerate(zip(priors, confusion, strict=True))))
    return RaterModel(kind=kind, rater=rater, n_votes=n_votes, confusion=table, quality=round(right, 6))


def fit_all() -> int:
    """Fit every queue that has votes. Returns how many raters were fitted."""
    kinds = Vote.objects.order_by().values_list("kind", flat=True).distinct()
    return sum(fit(kind) for kind in kinds)


def crowdlab(kind: str, subject: str) -> tuple[str, float] | None:
    """Return the label of `subject` and its quality by CROWDLAB over the latest items of the queue.

    None where the model has no opinion of it, or of too few of the others.
    """
    import numpy as np

    from labeling.quality.aggregation import aggregate

    said = Vote.objects.filter(approvals.of_people(), kind=kind, purpose=Vote.Purpose.LABEL)
    # By the latest votes, not by grouping all: some items have several.
    latest = dict.fromkeys(said.order_by("-pk").values_list("subject", flat=True)[: 4 * WINDOW])
    interface = load_interface(kind)
    opinions = interface.opinions(list({subject: None} | dict.fromkeys(islice(latest, WINDOW))))
    if subject not in opinions or len(opinions) < FEWEST:
        return None
    table = votes.load(kind, purposes=[Vote.Purpose.LABEL], subjects=list(opinions), of_people=True)
    probabilities = np.array([[opinions[name][label] for label in table.names] for name in table.subjects])
    found = aggregate("crowdlab", table.votes(), probabilities=probabilities)
    place = list(table.subjects).index(subject)
    return table.names[int(found.labels[place])], float(found.quality[place])
