"""Labels that look wrong: the only writer of issues. A flag is a candidate; a blind second review judges it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from labeling.models import Label, LabelCheck, LabelIssue

if TYPE_CHECKING:
    from labeling.quality.intervals import Estimate

Status = LabelIssue.Status
WAITING = (Status.OPEN, Status.IN_REVIEW)
JUDGED = (Status.CONFIRMED, Status.DISMISSED)
REREVIEW = "rereview"
# The votes of a file are evenly split: there is no label, and a person of ours gives the first.
TIE = "tie"
CHUNK = 5000


@dataclass(frozen=True)
class Suspicion:
    """A label that looks wrong, and to which methods. `score` is 0 to 1: how well the label fits."""

    subject: str
    given: str
    suggested: str
    score: float
    methods: Sequence[str]


def raise_issues(question: str, suspicions: Iterable[Suspicion], *, check: LabelCheck | None = None) -> int:
    """Open an issue for each of `suspicions`. Returns how many are new.

    A label that a second person has judged already is not brought up again; an open issue gets today's label and score.
    Whoever raised it once stays among its methods: their flags are counted when it is judged.
    """
    rows = list(suspicions)  # whoever makes them may ask the database, which takes no question during a COPY
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.suspicion")
        cursor.execute(
            "CREATE TEMPORARY TABLE suspicion (subject text, given text, suggested text, score float8, methods text[]) "
            "ON COMMIT DROP"
        )
        with cursor.copy("COPY suspicion FROM STDIN") as copy:
            for row in rows:
                copy.write_row((row.subject, row.given, row.suggested, row.score, list(row.methods)))
        cursor.execute("ANALYZE suspicion")
        cursor.execute(AGAIN, [question, question])
        cursor.execute(FRESH, [question, check.pk if check else None, question])
        return int(cursor.rowcount)


# An issue that waits gets today's label and score; a re-review has no score, so that of the models stays. One that a
# second person was asked about already is left as it was put.
AGAIN = """
UPDATE labeling_labelissue i SET given = s.given,
    score = CASE WHEN s.methods = '{rereview}' THEN i.score ELSE s.score END,
    suggested = CASE WHEN s.methods = '{rereview}' THEN i.suggested ELSE s.suggested END,
    methods = i.methods || ARRAY(SELECT m::varchar FROM unnest(s.methods) m WHERE m <> ALL (i.methods::text[]))
FROM suspicion s WHERE i.question = %s AND i.subject = s.subject AND i.status = 'open'
AND NOT EXISTS (
    SELECT FROM labeling_labelissue j WHERE j.question = %s AND j.subject = s.subject AND j.given = s.given
    AND j.status IN ('confirmed', 'dismissed')
)"""
FRESH = """
INSERT INTO labeling_labelissue
    (question, found_by_id, subject, methods, given, suggested, score, status, verdict, created_at)
SELECT %s, %s, s.subject, s.methods, s.given, s.suggested, s.score, 'open', '', now() FROM suspicion s
WHERE NOT EXISTS (
    SELECT FROM labeling_labelissue i WHERE i.question = %s AND i.subject = s.subject
    AND (i.status IN ('open', 'in_review') OR (i.given = s.given AND i.status IN ('confirmed', 'dismissed')))
)
ON CONFLICT DO NOTHING"""


def doubted(question: str) -> set[str]:
    """Return the subjects whose label is in doubt and not judged yet."""
    return set(LabelIssue.objects.filter(question=question, status__in=WAITING).values_list("subject", flat=True))


def differs(question: str, subject: str, *, said: str) -> bool:
    """Open an issue when a blind re-review `said` another label than the subject has. Returns whether it did."""
    held = Label.objects.filter(question=question, subject=subject).first()
    if held is None or held.label == said:
        return False
    return bool(raise_issues(question, [Suspicion(subject, held.label, said, 0.0, [REREVIEW])]))


def next_open(question: str, *, n: int) -> QuerySet[LabelIssue]:
    """Return the `n` open issues whose labels look most wrong."""
    return LabelIssue.objects.filter(question=question, status=Status.OPEN).order_by("score", "pk")[:n]


def take(issue: LabelIssue) -> bool:
    """Note that a second person is asked; returns False when the issue is not open any more."""
    return bool(LabelIssue.objects.filter(pk=issue.pk, status=Status.OPEN).update(status=Status.IN_REVIEW))


def drop(issue: LabelIssue) -> None:
    """Note that nobody can be asked: the subject is gone, or its question is one that cannot be asked about again."""
    LabelIssue.objects.filter(pk=issue.pk).update(status=Status.STALE, judged_at=timezone.now())


def judge(question: str, subject: str, *, verdict: str) -> bool:
    """Settle the issue about `subject` by what a second person said; returns whether the label was wrong."""
    issue = (
        LabelIssue.objects.select_for_update(no_key=True)
        .filter(question=question, subject=subject, status__in=WAITING)
        .first()
    )
    if issue is None:
        return False
    held = Label.objects.filter(question=question, subject=subject).first()
    issue.verdict, issue.judged_at = verdict, timezone.now()
    if held is None or held.label != issue.given:
        issue.status = Status.STALE
    else:
        issue.status = Status.DISMISSED if verdict == issue.given else Status.CONFIRMED
    issue.save(update_fields=["verdict", "judged_at", "status"])
    return issue.status == Status.CONFIRMED


def precision(question: str) -> dict[str, Estimate]:
    """Return, for each method, the share of its flags that second reviews confirmed, with its interval."""
    from labeling.quality.intervals import share

    found: dict[str, Estimate] = {}
    judged = LabelIssue.objects.filter(question=question, status__in=JUDGED)
    methods = {method for row in judged.values_list("methods", flat=True).distinct() for method in row}
    for method in sorted(methods):
        counts = judged.filter(methods__contains=[method]).aggregate(
            n=Count("pk"), confirmed=Count("pk", filter=Q(status=Status.CONFIRMED))
        )
        found[method] = share(counts["confirmed"], counts["n"])
    return found
