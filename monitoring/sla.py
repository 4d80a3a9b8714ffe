"""How long people's work takes: percentiles by queue, what came too late, and what will.

Waiting is from opened to taken by who decided it, handling from there to decided, the total from opened to decided.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import Aggregate, Count, DurationField, ExpressionWrapper, F, Q
from django.utils import timezone

from moderation.models.queues import QueuePolicy
from moderation.models.reviews import ReviewItem
from moderation.queues.rules import policies
from monitoring.parts import in_words

FEWEST = 5  # decisions in the window, below which nothing is forecast


class Percentiles(Aggregate):
    """The median, the 90th and the 99th percentile of a length of time, interpolated by PostgreSQL."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = ArrayField(DurationField())


@dataclass(frozen=True)
class Clock:
    """The percentiles of one length of time."""

    name: str
    p50: dt.timedelta
    p90: dt.timedelta
    p99: dt.timedelta


@dataclass(frozen=True)
class Report:
    """One queue over one window."""

    policy: QueuePolicy
    window: dt.timedelta
    n_decided: int
    n_late: int  # of those decided in the window
    clocks: tuple[Clock, ...]
    n_open: int
    n_overdue: int  # open, and older than the SLA
    n_due: int | None  # open, and expected to be decided too late at the window's pace; None: too few decisions

    @property
    def wait_now(self) -> dt.timedelta | None:
        """How long what is opened now will take, by Little's law: what is open over what is decided; None: too few."""
        return None if self.n_decided < FEWEST else self.n_open * self.window / self.n_decided

    def forecast(self) -> str:
        """Return what is to be expected, in words."""
        if not self.n_open:
            return "Nothing is open."
        if self.wait_now is None or self.n_due is None:
            return f"Too little to forecast from: {self.n_decided} decided in the last {in_words(self.window)}."
        takes = in_words(max(self.wait_now, dt.timedelta(minutes=1)))
        late = "all in time" if not self.n_due else f"{self.n_due:,} of {self.n_open:,} open ones too late"
        return f"At the pace of the last {in_words(self.window)} all that is open takes {takes}: {late}."


def reports(*, window: dt.timedelta) -> tuple[Report, ...]:
    """Return the report of each queue over the `window` that ends now; three queries, however many queues."""
    now, rules = timezone.now(), policies()
    decided = {row["question"]: row for row in _decided(now - window, rules)}
    paces = {question: window / row["n"] for question, row in decided.items() if row["n"] >= FEWEST}
    waiting = _open(now, rules, paces)
    return tuple(
        _report(policy, window, decided.get(question), waiting.get(question)) for question, policy in rules.items()
    )


def _report(
    policy: QueuePolicy,
    window: dt.timedelta,
    decided: dict[str, Any] | None,
    waiting: tuple[int, int, int | None] | None,
) -> Report:
    n_open, n_overdue, n_due = waiting or (0, 0, None)
    names = ("waiting", "handling", "total")
    clocks = tuple(Clock(name, *decided[name]) for name in names if decided[name]) if decided else ()
    return Report(
        policy,
        window,
        decided["n"] if decided else 0,
        decided["late"] if decided else 0,
        clocks,
        n_open,
        n_overdue,
        n_due,
    )


def _decided(since: dt.datetime, rules: dict[str, QueuePolicy]) -> Any:
    def between(start: str, end: str) -> ExpressionWrapper[Any]:
        return ExpressionWrapper(F(end) - F(start), output_field=DurationField())

    late = Q(pk__in=())
    for question, policy in rules.items():
        late |= Q(question=question, decided_at__gt=F("created_at") + policy.sla)
    items = ReviewItem.objects.work().filter(status=ReviewItem.Status.DECIDED, decided_at__gte=since)
    return (
        items.order_by()
        .values("question")
        .annotate(
            n=Count("pk"),
            late=Count("pk", filter=late),
            waiting=Percentiles(between("created_at", "claimed_at")),
            handling=Percentiles(between("claimed_at", "decided_at")),
            total=Percentiles(between("created_at", "decided_at")),
        )
    )


def _open(
    now: dt.datetime, rules: dict[str, QueuePolicy], paces: dict[str, dt.timedelta]
) -> dict[str, tuple[int, int, int | None]]:
    """Open, overdue and expected late, by queue. The k-th in order is decided k paces from now."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT line.question, count(*), count(*) FILTER (WHERE line.age > rule.sla),
                   count(*) FILTER (WHERE line.age + line.place * rule.pace > rule.sla)
            FROM (
                SELECT question, %s - created_at AS age,
                    row_number() OVER (PARTITION BY question ORDER BY urgent_from) AS place
                FROM moderation_reviewitem
                WHERE status IN ('waiting', 'dispatched', 'escalated', 'confirming') AND purpose <> 'gold'
            ) AS line
            JOIN unnest(%s::text[], %s::interval[], %s::interval[]) AS rule(question, sla, pace)
                ON rule.question = line.question
            GROUP BY line.question
            """,
            [now, list(rules), [policy.sla for policy in rules.values()], [paces.get(question) for question in rules]],
        )
        rows = cursor.fetchall()
    return {question: (n, overdue, due if question in paces else None) for question, n, overdue, due in rows}
