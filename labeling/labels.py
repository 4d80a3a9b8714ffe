"""Votes and labels: the only writer of both. What people said, and what is held to be true because of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from core.bulk import copy_into_temp_table
from labeling.models import Label, LabelIssue, Vote

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def rater_of(user: User) -> str:
    """Return the pseudonym under which the votes of `user` are kept."""
    return f"user:{user.pk}"


def record_vote(
    question: str,
    subject: str,
    *,
    rater: str,
    label: str,
    purpose: str,
    at: dt.datetime,
    suggestion: str = "",
    is_assisted: bool | None = None,
    expected: str = "",
    seconds: float | None = None,
) -> Vote:
    """Keep what `rater` said about `subject`; a later answer of the same person takes the place of the one before."""
    vote, _ = Vote.objects.update_or_create(
        question=question,
        subject=subject,
        rater=rater,
        defaults={
            "label": label,
            "purpose": purpose,
            "suggestion": suggestion,
            "is_assisted": is_assisted,
            "expected": expected,
            "seconds": seconds,
            "voted_at": at,
        },
    )
    return vote


def forget_vote(question: str, subject: str, *, rater: str) -> int:
    """Drop what `rater` said about `subject`: it was sent back. Returns how many votes that were (0 or 1)."""
    return Vote.objects.filter(question=question, subject=subject, rater=rater).delete()[0]


def forget_votes(question: str, subject: str) -> int:
    """Drop what anybody said about `subject`: it is not what they spoke of any more.

    Returns how many votes that were.
    """
    return Vote.objects.filter(question=question, subject=subject).delete()[0]


def record_label(
    question: str, subject: str, *, label: str, method: str, quality: float | None, n_votes: int, at: dt.datetime
) -> Label:
    """Hold `label` to be true of `subject`.

    An issue about another label than this, or about there being none, is stale.
    """
    held, _ = Label.objects.update_or_create(
        question=question,
        subject=subject,
        defaults={
            "label": label,
            "method": method,
            "quality": quality,
            "n_votes": n_votes,
            "labelled_at": at,
            "source": "label_studio",
        },
    )
    about = LabelIssue.objects.filter(question=question, subject=subject)
    another = Q(status=LabelIssue.Status.OPEN) & ~Q(given=label)
    none = Q(status=LabelIssue.Status.IN_REVIEW, given="")
    about.filter(another | none).update(status=LabelIssue.Status.STALE)
    return held


def forget_label(question: str, subject: str) -> int:
    """Hold no label to be true of `subject` any more: its decision was overturned. Returns how many (0 or 1)."""
    LabelIssue.objects.filter(question=question, subject=subject, status=LabelIssue.Status.OPEN).update(
        status=LabelIssue.Status.STALE
    )
    return Label.objects.filter(question=question, subject=subject).delete()[0]


# --- In bulk -----------------------------------------------------------------------------------------------------

IMPORTED = (
    "import"  # how a label came about that a file stated; and the beginning of the source of all that was imported
)


@dataclass(frozen=True, slots=True)
class ImportedLabel:
    """What a file says about a subject: with a `rater` (a pseudonym) their vote, without one the label itself.

    `at` is None where the file does not say when; `seconds` where it does not say how long it took.
    """

    subject: str
    label: str
    rater: str = ""
    at: dt.datetime | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class UpsertCounts:
    """What became of them, in rows; `n_kept` are about subjects whose label is our own people's, which stays."""

    n_created: int
    n_updated: int
    n_kept: int


_COLUMNS = {"subject": "text", "label": "text", "rater": "text", "at": "timestamptz", "seconds": "float8"}
# What is the same already is not written again.
_VOTES = """
WITH written AS (
    INSERT INTO labeling_vote AS v
        (question, subject, rater, label, purpose, suggestion, expected, seconds, source, voted_at)
    SELECT %(question)s, b.subject, b.rater, b.label, 'label', '', '', b.seconds, %(source)s,
        coalesce(b.at, held.voted_at, %(now)s)
    FROM brought b
    LEFT JOIN labeling_vote held ON held.question = %(question)s AND held.subject = b.subject AND held.rater = b.rater
    WHERE b.rater <> '' AND (held.id IS NULL OR (held.label, held.seconds, held.voted_at)
        IS DISTINCT FROM (b.label, b.seconds, coalesce(b.at, held.voted_at)))
    ORDER BY b.subject, b.rater
    ON CONFLICT (question, subject, rater) DO UPDATE SET label = excluded.label, seconds = excluded.seconds,
        source = excluded.source, voted_at = excluded.voted_at
    WHERE v.source LIKE 'import:%%'
    RETURNING v.xmax = 0 AS is_new
) SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written"""
# The label that a file states, and else what most of the imported votes on a subject say (`by_majority`).
_LABELS = """
WITH counted AS (
    SELECT subject, label, count(*) AS n, max(voted_at) AS at FROM labeling_vote
    WHERE question = %(question)s AND source LIKE 'import:%%'
    AND subject IN (SELECT subject FROM brought WHERE rater <> '')
    GROUP BY subject, label
), majority AS (
    SELECT subject, (array_agg(label ORDER BY n DESC))[1] AS label, array_agg(n ORDER BY n DESC) AS n, sum(n) AS total,
        max(at) AS at FROM counted GROUP BY subject
), stated AS (
    SELECT subject, label, at FROM brought WHERE rater = ''
), fresh AS (
    SELECT subject, label, at, 'import' AS method, NULL::float8 AS quality, 1 AS n_votes FROM stated
    UNION ALL
    SELECT subject, label, at, CASE total WHEN 1 THEN 'single' ELSE 'majority' END,
        CASE total WHEN 1 THEN NULL ELSE n[1]::float8 / total END, total
    FROM majority WHERE %(by_majority)s AND n[1] IS DISTINCT FROM n[2] AND subject NOT IN (SELECT subject FROM stated)
), written AS (
    INSERT INTO labeling_label AS l (question, subject, label, method, quality, n_votes, source, labelled_at)
    SELECT %(question)s, f.subject, f.label, f.method, f.quality, f.n_votes, %(source)s,
        coalesce(f.at, held.labelled_at, %(now)s)
    FROM fresh f LEFT JOIN labeling_label held ON held.question = %(question)s AND held.subject = f.subject
    WHERE held.id IS NULL OR (f.method = 'import' OR held.method <> 'import') AND held.source LIKE 'import:%%'
        AND (held.label, held.method, held.quality, held.n_votes, held.labelled_at)
        IS DISTINCT FROM (f.label, f.method, f.quality, f.n_votes, coalesce(f.at, held.labelled_at))
    ORDER BY f.subject
    ON CONFLICT (question, subject) DO UPDATE SET label = excluded.label, method = excluded.method,
        quality = excluded.quality, n_votes = excluded.n_votes, source = excluded.source,
        labelled_at = excluded.labelled_at
    WHERE l.source LIKE 'import:%%'
    RETURNING l.method, l.xmax = 0 AS is_new
)
SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written WHERE method = 'import'"""
_TIES = """
DELETE FROM labeling_label l USING (
    SELECT subject FROM (
        SELECT subject, count(*) AS n FROM labeling_vote
        WHERE question = %(question)s AND source LIKE 'import:%%'
    AND subject IN (SELECT subject FROM brought WHERE rater <> '')
        GROUP BY subject, label
    ) counted GROUP BY subject HAVING (array_agg(n ORDER BY n DESC))[1] = (array_agg(n ORDER BY n DESC))[2]
) tied
WHERE %(by_majority)s AND l.question = %(question)s AND l.subject = tied.subject AND l.source LIKE 'import:%%'
    AND l.method <> 'import'"""
_ISSUES = """
UPDATE labeling_labelissue i SET status = 'stale' WHERE i.question = %(question)s AND i.status = 'open'
    AND i.subject IN (SELECT subject FROM brought) AND NOT EXISTS (
        SELECT FROM labeling_label l WHERE l.question = i.question AND l.subject = i.subject AND l.label = i.given)"""
_KEPT = """
SELECT count(*) FROM brought b JOIN labeling_label l ON l.question = %(question)s AND l.subject = b.subject
WHERE l.source NOT LIKE 'import:%%'"""


def upsert_imported(
    question: str, brought: Iterable[ImportedLabel], *, source: str, now: dt.datetime, by_majority: bool = True
) -> UpsertCounts:
    """Write what a file says in answer to `question`; no rater may be there twice for a subject. Call in a transaction.

    A subject's label is the one stated, else that of most of its imported votes; a tie leaves it without one. Not
    `by_majority`, what votes come to is left to `record_agreed`. What our own people said or decided is never touched.
    `source` is `import:<id>`; `now` the time of what has none.
    """
    parameters: dict[str, Any] = {"question": question, "source": source, "now": now, "by_majority": by_majority}
    with connection.cursor() as cursor:
        copy_into_temp_table(
            cursor, "brought", _COLUMNS, ((b.subject, b.label, b.rater, b.at, b.seconds) for b in brought)
        )
        counts = []
        for statement in (_VOTES, _LABELS):
            cursor.execute(statement, parameters)
            counts.append(cursor.fetchone())
        for statement in (_TIES, _ISSUES):
            cursor.execute(statement, parameters)
        cursor.execute(_KEPT, parameters)
        return UpsertCounts(counts[0][0] + counts[1][0], counts[0][1] + counts[1][1], cursor.fetchone()[0])


@dataclass(frozen=True, slots=True)
class AgreedOn:
    """What imported votes on a subject come to; an empty `label` is a tie. `at` is when the last of them was given."""

    subject: str
    label: str
    method: str
    quality: float | None
    n_votes: int
    at: dt.datetime


_AGREED_COLUMNS = {
    "subject": "text",
    "label": "text",
    "method": "text",
    "quality": "float8",
    "n_votes": "int",
    "at": "timestamptz",
}
_RECORD_AGREED = """
INSERT INTO labeling_label AS l (question, subject, label, method, quality, n_votes, source, labelled_at)
SELECT %(question)s, subject, label, method, quality, n_votes, %(source)s, at
FROM brought WHERE label <> '' ORDER BY subject
ON CONFLICT (question, subject) DO UPDATE
SET label = excluded.label, method = excluded.method, quality = excluded.quality,
    n_votes = excluded.n_votes, source = excluded.source, labelled_at = excluded.labelled_at
WHERE l.source LIKE 'import:%%' AND l.method <> 'import' AND (l.label, l.method, l.quality, l.n_votes)
    IS DISTINCT FROM (excluded.label, excluded.method, excluded.quality, excluded.n_votes)"""
_FORGET_TIED = """
DELETE FROM labeling_label l USING brought b WHERE b.label = '' AND l.question = %(question)s AND l.subject = b.subject
    AND l.source LIKE 'import:%%' AND l.method <> 'import'"""


def record_agreed(question: str, agreed: Iterable[AgreedOn], *, source: str) -> None:
    """Hold to be true what imported votes come to; of a tie, nothing. Call in a transaction.

    What a file states and what our own people decided is never touched.
    """
    with connection.cursor() as cursor:
        rows = ((row.subject, row.label, row.method, row.quality, row.n_votes, row.at) for row in agreed)
        copy_into_temp_table(cursor, "brought", _AGREED_COLUMNS, rows)
        for statement in (_RECORD_AGREED, _FORGET_TIED, _ISSUES):
            cursor.execute(statement, {"question": question, "source": source})


def count_ties(question: str, *, source: str) -> int:
    """Return how many subjects that votes of `source` are about have no label:
    their imported votes are evenly split.
    """
    labelled = Label.objects.filter(question=question, subject=OuterRef("subject"))
    votes = Vote.objects.filter(~Exists(labelled), question=question, source=source)
    return votes.order_by().values("subject").distinct().count()
