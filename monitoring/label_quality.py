"""How good are the labels of a queue? Agreement, confusion, anchoring, and how often its flags were right."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import Coalesce, TruncWeek
from django.utils import timezone

from labeling import issues, raters, votes
from labeling.models import Consensus, Label, LabelCheck, LabelIssue, Vote
from labeling.votes import VoteTable
from moderation.models.queues import QueuePolicy
from moderation.models.reviews import ReviewItem
from moderation.queues import daily_lot
from moderation.queues.rules import policy_for

if TYPE_CHECKING:
    from labeling.quality.agreement import Agreement, LabelAgreement
    from labeling.quality.anchoring import Anchoring
    from labeling.quality.intervals import Estimate
    from labeling.quality.pairs import PairAgreement
    from labeling.quality.scorecard import Scorecard

WEEK = 7
WEEKS = 12
SHOWN = 20
MOST_RATERS = 20
MOST_ANSWERS = 1000  # chrF is slow: of the latest


@dataclass(frozen=True)
class Precision:
    """Flags judged in one week: how many, and how many of them were right."""

    week: dt.date
    n: int
    confirmed: int


@dataclass(frozen=True)
class Quality:
    """Everything the page of a queue shows."""

    question: str
    policy: QueuePolicy
    names: Sequence[str]
    n_labels: int
    n_votes: int
    n_raters: int
    methods: Sequence[tuple[str, int]]  # how labels came about
    n_known: int  # what the quality of a consensus was measured on
    agreement: Agreement | None
    by_label: Sequence[tuple[str, LabelAgreement]]
    by_week: Sequence[tuple[dt.date, Agreement]]
    rater_names: Sequence[str]  # of `pairs`, those with most votes first
    pairs: PairAgreement | None
    confusion: Sequence[tuple[str, Sequence[int]]]  # label held → how often people said each
    anchoring: Anchoring | None
    scorecards: Sequence[RaterCard]
    precision: Mapping[str, Estimate]
    precision_by_week: Sequence[Precision]
    beyond_labels: Sequence[tuple[str, Estimate]]  # agreement in reasons and in texts
    n_open: int
    n_in_review: int
    worst: Sequence[LabelIssue]


def quality_of(question: str, *, window: dt.timedelta = WEEKS * dt.timedelta(days=WEEK)) -> Quality:
    """Return the figures of the queue `question` over the votes of the `window` that ends now."""
    table = votes.load(question, since=timezone.now() - window)
    flags = LabelIssue.objects.filter(question=question)
    labels, policy = Label.objects.filter(question=question), policy_for(question)
    return Quality(
        question=question,
        policy=policy,
        n_known=raters.n_known(question, policy.consensus_method),
        names=table.names,
        n_labels=labels.count(),
        n_votes=len(table),
        n_raters=len(table.rater_names),
        methods=list(labels.order_by().values_list("method").annotate(n=Count("pk")).order_by("-n")),
        confusion=_confusion(table),
        anchoring=_anchoring(table),
        precision=issues.precision(question),
        precision_by_week=_precision_by_week(flags, since=timezone.now() - window),
        n_open=flags.filter(status=LabelIssue.Status.OPEN).count(),
        n_in_review=flags.filter(status=LabelIssue.Status.IN_REVIEW).count(),
        worst=list(flags.filter(status__in=issues.WAITING).order_by("score", "pk")[:SHOWN]),
        beyond_labels=_beyond_labels(question, since=timezone.now() - window),
        **_agreement(table),
    )


def checks_of(question: str) -> list[LabelCheck]:
    """Return the latest searches for wrong labels in the queue `question`, the latest first."""
    return list(LabelCheck.objects.filter(question=question).order_by("-created_at")[:5])


def _agreement(table: VoteTable) -> dict[str, Any]:
    from labeling.quality.agreement import measure_agreement, measure_agreement_by, measure_agreement_by_label
    from labeling.quality.pairs import measure_pairs

    if not len(table):
        return {"agreement": None, "by_label": [], "by_week": [], "rater_names": [], "pairs": None, "scorecards": []}
    given = table.votes()
    return {
        "agreement": measure_agreement(given),
        "by_label": list(zip(table.names, measure_agreement_by_label(given), strict=True)),
        "by_week": _by_week(table, measure_agreement_by),
        **_pairs(table, measure_pairs),
        "scorecards": scorecards(table.question),
    }


def _by_week(table: VoteTable, measure: Any) -> list[tuple[dt.date, Agreement]]:
    """An item belongs to the week of its last vote."""
    import numpy as np

    last = np.zeros(len(table.subjects), dtype=np.int64)
    np.maximum.at(last, table.items, table.days)
    weeks, groups = np.unique(last // WEEK, return_inverse=True)
    found = measure(table.votes(), groups)
    starts = [dt.date.fromordinal(int(week) * WEEK + votes.EPOCH) for week in weeks]
    return list(zip(starts, found, strict=True))


def _pairs(table: VoteTable, measure: Any) -> dict[str, Any]:
    """Of at most `MOST_RATERS` people, those with most votes."""
    import numpy as np

    counts = np.bincount(table.raters, minlength=len(table.rater_names))
    first = np.argsort(-counts, kind="stable")[:MOST_RATERS]
    place = np.full(len(counts), -1)
    place[first] = np.arange(len(first))
    cut = table.where(place[table.raters] >= 0)
    names = [table.rater_names[rater] for rater in first]
    narrowed = VoteTable(**{**vars(cut), "raters": place[cut.raters], "rater_names": names})
    return {"rater_names": names, "pairs": measure(narrowed.votes())}


def _confusion(table: VoteTable) -> list[tuple[str, list[int]]]:
    import numpy as np

    held = dict(
        Label.objects.filter(question=table.question, subject__in=table.subjects).values_list("subject", "label")
    )
    of = {name: number for number, name in enumerate(table.names)}
    truth = np.array([of.get(held.get(subject, ""), -1) for subject in table.subjects], dtype=np.int64)[table.items]
    n = len(table.names)
    known = truth >= 0
    counts = np.bincount(truth[known] * n + table.labels[known], minlength=n * n).reshape(n, n)
    return [(name, list(map(int, row))) for name, row in zip(table.names, counts, strict=True)]


def _anchoring(table: VoteTable) -> Anchoring | None:
    import numpy as np

    from labeling.quality.anchoring import anchoring

    # Nobody sees a suggestion to what the daily lot drew, which is another mixture of texts than what else is asked
    # about.
    drawn = daily_lot.drawn_among(table.question, list(table.subjects))
    by_lot = np.array([subject in drawn for subject in table.subjects], dtype=bool)[table.items]
    asked = table.where(~by_lot & np.array([purpose == Vote.Purpose.LABEL for purpose in table.purposes], dtype=bool))
    if not (asked.suggestions >= 0).any():
        return None
    return anchoring(asked.labels, asked.suggestions, asked.assisted, n_labels=len(asked.names))


def _beyond_labels(question: str, *, since: dt.datetime) -> list[tuple[str, Estimate]]:
    """How far people of one panel agree in what is no label: the reasons they gave, and the texts they wrote."""
    import numpy as np

    from labeling.quality.agreement import measure_agreement
    from labeling.quality.distances import chrf_distances, edit_distances, encode_sets, masi
    from labeling.quality.pairs import measure_texts
    from labeling.quality.votes import Votes

    answers = _panel_answers(question, since=since)
    found: list[tuple[str, Estimate]] = []
    if given := [(panel, rater, said["reason_codes"]) for panel, rater, said in answers if said.get("reason_codes")]:
        names = sorted({reason for _, _, reasons in given for reason in reasons})
        codes, members = encode_sets(
            [[names.index(reason) for reason in reasons] for _, _, reasons in given], len(names)
        )
        panels, raters = (np.unique([str(row[i]) for row in given], return_inverse=True)[1] for i in (0, 1))
        votes_ = Votes(panels, raters, codes, n_labels=len(members))
        found.append(("reasons (α, MASI)", measure_agreement(votes_, distance=masi(members)).krippendorff_alpha))
    if fixed := [(panel, str(said["fixed_text"])) for panel, _, said in answers if said.get("fixed_text")]:
        items = np.unique([str(panel) for panel, _ in fixed], return_inverse=True)[1]
        texts = [text for _, text in fixed]
        found.append(("fixes, by edit distance", measure_texts(items, texts, distances=edit_distances)))
        found.append(("fixes, by chrF", measure_texts(items, texts, distances=chrf_distances)))
    return found


def _panel_answers(question: str, *, since: dt.datetime) -> list[tuple[Any, Any, dict[str, Any]]]:
    """The latest answer of each person of a panel: the panel, the person, what they said."""
    items = ReviewItem.objects.filter(
        question=question, purpose=Vote.Purpose.LABEL, labeling_task__settled_at__gte=since
    )
    items = items.exclude(status=ReviewItem.Status.WITHDRAWN)  # sent back, or not needed any more
    items = items.filter(Exists(ReviewItem.objects.filter(lead=OuterRef("pk"))) | Q(lead__isnull=False))
    seats = items.annotate(panel=Coalesce("lead", "id")).order_by("-decided_at")
    held = {
        task: (panel, person)
        for panel, person, task in seats.values_list("panel", "assignee", "labeling_task")[:MOST_ANSWERS]
    }
    said = Consensus.objects.filter(task__in=held, method="single").order_by("pk").values_list("task", "answer")
    latest = dict(said)
    return [(*held[task], answer) for task, answer in latest.items()]


def _precision_by_week(flags: Any, *, since: dt.datetime) -> list[Precision]:
    rows = (
        flags.filter(status__in=issues.JUDGED, judged_at__gte=since)
        .annotate(week=TruncWeek("judged_at"))
        .order_by("week")
        .values("week")
        .annotate(n=Count("pk"), confirmed=Count("pk", filter=Q(status=LabelIssue.Status.CONFIRMED)))
    )
    return [Precision(row["week"].date(), row["n"], row["confirmed"]) for row in rows]


@dataclass(frozen=True)
class RaterCard:
    """A scorecard with whose it is."""

    rater: str
    card: Scorecard


def scorecards(question: str) -> list[RaterCard]:
    """Return the scorecard of each rater of the queue: known answers, agreement with the others, seconds."""
    import numpy as np

    from labeling.quality.scorecard import score_raters
    from labeling.quality.votes import Votes

    table = votes.load(question, purposes=[*votes.COMPARABLE, Vote.Purpose.GOLD])
    # A known answer counts where people were tested with it, not for those who made it known: an item of its own.
    n, is_test = len(table.subjects), table.expected >= 0
    items = np.where(is_test, table.items + n, table.items)
    known = np.full(2 * n, -1)
    known[items[is_test]] = table.expected[is_test]
    given = Votes(
        items, table.raters, table.labels, n_labels=len(table.names), n_items=2 * n, n_raters=len(table.rater_names)
    )
    cards = score_raters(given, known=known, seconds=table.seconds)
    return [RaterCard(table.rater_names[card.rater], card) for card in cards]
