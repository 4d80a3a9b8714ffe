"""The search for labels that look wrong, in stages, in the background; one that was interrupted resumes.

Texts become embeddings, models that never saw a text judge its label (`training.label_evidence`), and the labels that
fit worst are put before a second person.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from audit import ledger
from core import jobs, leases
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError
from core.hints import hint_on_commit
from core.refs import ref
from labeling import columns, issues
from labeling.models import Label, LabelCheck, LabelIssue
from labeling.question import asked_questions, question
from training import label_evidence, several_checks
from training.label_evidence import Progress, Searched

if TYPE_CHECKING:
    from django.contrib.auth.models import User

CHECKER = SystemActor("training.label_checks")
Status = LabelCheck.Status
OPEN = (Status.PLANNED, Status.RUNNING)
# So long a search may take at a stretch, as its task may (training/tasks.py).
LONGEST_SEARCH = dt.timedelta(hours=6)
# Among fewer labels of a queue a search says nothing.
FEWEST_LABELS = 100
# Flags should be right this often; the threshold moves until second reviews say that they are.
PRECISION = 0.5
# A search is due when so many labels are new, or this share of them, or any and the last was so long ago.
NEW_LABELS, NEW_SHARE, LONGEST = 200, 0.1, dt.timedelta(days=7)


def plan(name: str, *, reason: str, actor: User | SystemActor) -> LabelCheck:
    """Ask for a search in the queue `name`; one that is planned or running already is returned.

    Needs labeling.check_labels.

    Raises `PermanentError` for a queue without labels to search, or too few of them, and for one about what no model
    reads.
    """
    require_permission(actor, "labeling.check_labels")
    if not (asked := question(name)).is_readable:
        raise PermanentError(
            f"No model reads a {asked.about}, so none can say which labels of {asked.title} look wrong.",
            hint="Have several people answer each (overlap): where they differ a senior looks.",
        )
    n = Label.objects.filter(question=name).count()
    if n < FEWEST_LABELS:
        raise PermanentError(
            f"{n} labels are too few to find wrong ones among.", hint=f"From {FEWEST_LABELS} on it says something."
        )
    with transaction.atomic():
        check, is_new = LabelCheck.objects.get_or_create(
            question=name, status__in=OPEN, defaults={"reason": reason[:200], "status": Status.PLANNED}
        )
        if is_new:
            ledger.append(
                "labeling.check.planned",
                subject=ref(check),
                actor=actor,
                payload={"queue": name, "labels": n, "reason": ledger.typed(reason[:200], by=actor)},
            )
            hint_on_commit("training.check_labels")
    return check


def plan_due() -> int:
    """Plan a search in each queue whose labels have changed enough since the last one. Returns how many."""
    planned = 0
    for name in [one.name for one in asked_questions() if one.is_readable]:
        if reason := _why_due(name):
            plan(name, reason=reason, actor=CHECKER)
            planned += 1
    return planned


def _why_due(question: str) -> str:
    labels, checks = Label.objects.filter(question=question), LabelCheck.objects.filter(question=question)
    if checks.filter(status__in=OPEN).exists() or labels.count() < FEWEST_LABELS:
        return ""
    last = checks.filter(status=Status.COMPLETED).order_by("-started_at").first()
    if last is None or last.started_at is None:
        return "the first search"
    new = labels.filter(labelled_at__gt=last.started_at).count()
    if new >= min(NEW_LABELS, max(1, NEW_SHARE * last.n_labels)):
        return f"{new} labels are new"
    overdue = timezone.now() - last.started_at > LONGEST
    return f"{new} labels are new, and the last search was a week ago" if new and overdue else ""


def run_next() -> bool:
    """Claim one search that waits, or whose worker died, and run it. Returns whether there was one.

    One that fails rests and is tried again, and goes into quarantine in the end.
    """
    waiting = leases.claimable(LabelCheck.objects.filter(status__in=OPEN)).order_by("created_at", "pk")
    claimed = leases.claim(waiting, n=1, duration=jobs.patience())
    for check in claimed:
        jobs.work_on(check, _run, longest=LONGEST_SEARCH)
    return bool(claimed)


def _run(check: LabelCheck) -> None:
    started = check.started_at or timezone.now()
    jobs.update_held(check, status=Status.RUNNING, started_at=started)
    asked = question(check.question)
    search = several_checks.search if asked.is_multiple else _search
    found = search(
        check.question,
        asked.labels,
        judged=_judged(check.question),
        precision=PRECISION,
        progress=partial(jobs.report_progress, check),
    )
    with transaction.atomic():
        if not leases.hold_all([check]):
            return  # another worker took over
        n_new = issues.raise_issues(check.question, found.suspicions, check=check)
        leases.release(
            [check],
            status=Status.COMPLETED,
            finished_at=timezone.now(),
            n_labels=found.n_labels,
            n_issues=found.n_issues,
            report={**found.report, "n_new": n_new},
            stage="",
        )
        ledger.append(
            "labeling.check.completed",
            subject=ref(check),
            actor=CHECKER,
            payload={
                "queue": check.question,
                "labels": found.n_labels,
                "issues": found.n_issues,
                "new": n_new,
            },
        )
        hint_on_commit("moderation.open_reviews")


def _search(
    question: str, names: Sequence[str], *, judged: Sequence[tuple[float, bool]], precision: float, progress: Progress
) -> Searched:
    """Return which labels of the queue `question` look wrong, of a question that has one answer."""
    evidence = label_evidence.gather(question, names, progress=progress)
    progress("Comparing labels", 0, 1)
    table = columns.read(question, names)
    found = label_evidence.flag(table, judged=judged, precision=precision)
    report = {**evidence.report, **found.report}
    return Searched(len(table.ids), len(found.rows), _suspicions(table, found), report)


def _suspicions(table: columns.Columns, found: label_evidence.Found) -> Iterator[issues.Suspicion]:
    for start in range(0, len(found.rows), issues.CHUNK):
        rows = found.rows[start : start + issues.CHUNK]
        keys = [int(table.ids[row]) for row in rows]
        subjects = dict(Label.objects.filter(pk__in=keys).values_list("pk", "subject"))
        for row, key in zip(rows, keys, strict=True):
            given, suggested = table.names[int(table.given[row])], table.names[int(found.suggested[row])]
            if subject := subjects.get(key):
                yield issues.Suspicion(
                    subject,
                    given,
                    suggested if suggested != given else "",
                    float(found.scores[row]),
                    found.methods[row],
                )


def _judged(question: str) -> list[tuple[float, bool]]:
    """Return the score and the verdict of every flag that a second person has judged: the threshold follows them."""
    rows = LabelIssue.objects.filter(question=question, status__in=issues.JUDGED).exclude(methods=[issues.REREVIEW])
    return [(score, status == LabelIssue.Status.CONFIRMED) for score, status in rows.values_list("score", "status")]
