"""The proof that nothing was lost between Label Studio and us: every task of ours is compared with what is held there.

What is found wrong is mended by the functions that mend it in daily work; the proof says what it found and what is
left.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from audit import ledger
from core.actors import SystemActor
from core.exceptions import TransientError
from core.locks import try_advisory_lock
from core.refs import ref
from labeling import client, identity, ingest
from labeling.lifecycle import Status
from labeling.models import Annotation, CompletenessProof, LabelingProject, LabelingTask
from labeling.projects import renew_webhook
from labeling.remote import RemoteOutline

log = logging.getLogger(__name__)
ACTOR = SystemActor("labeling.completeness")
EVERY = dt.timedelta(days=1)
# What changed there this recently is on its way to us: pulled at once, and not called stale.
ON_ITS_WAY = dt.timedelta(minutes=5)
MOST_EXAMPLES = 5
AT_ONCE = 500
Progress = Callable[[CompletenessProof], None]


def prove_if_due() -> int:
    """Prove the projects whose last good proof is a day old, and return how many.

    Asked hourly: a failed one is repeated.
    """
    since = timezone.now() - EVERY
    due = [
        row
        for row in LabelingProject.objects.exclude(ls_project_id=None)
        if not any(proof.holds for proof in row.proofs.filter(finished_at__gt=since))
    ]
    return len(prove(due))


def prove_all(*, progress: Progress | None = None) -> list[CompletenessProof]:
    """Prove every project now.

    Raises `TransientError` when another process is at it or Label Studio cannot be asked.
    """
    return prove(list(LabelingProject.objects.exclude(ls_project_id=None)), progress=progress)


def prove(rows: Sequence[LabelingProject], *, progress: Progress | None = None) -> list[CompletenessProof]:
    """Compare the tasks of `rows` with Label Studio, mend what differs, and return a finished proof for each.

    Their webhooks are set anew as well: one that was deleted there is missed by nobody else.
    """
    with try_advisory_lock("labeling.prove_completeness") as is_alone:
        if not is_alone:
            raise TransientError("Another process is comparing with Label Studio just now.")
        for row in rows:
            renew_webhook(row)
        return [_Comparison(row, progress).run() for row in rows]


@dataclass(frozen=True)
class _Ours:
    """As much of a task of ours as is compared."""

    ls_task_id: int
    pk: uuid.UUID
    # None: sent, and not pulled since.
    ls_updated_at: dt.datetime | None
    annotations: frozenset[tuple[int, dt.datetime]]

    def equals(self, there: RemoteOutline) -> bool:
        return self.ls_updated_at in (None, there.updated_at) and self.annotations == there.annotations


class _Comparison:
    """One walk over a project, by Label Studio's ids, both sides in step: memory holds one page."""

    def __init__(self, row: LabelingProject, progress: Progress | None) -> None:
        self.row, self.progress = row, progress
        self.proof = CompletenessProof.objects.create(project=row)
        # Task of ours → why it is not accounted for.
        self.open_questions: dict[str, str] = {}

    def run(self) -> CompletenessProof:
        last = 0
        for page in client.outlines(self.row.ls_project_id or 0):
            self._compare(page, after=last, until=page[-1].id)
            last = page[-1].id
            if self.progress:
                self.progress(self.proof)
        self._compare([], after=last, until=None)
        return self._finish()

    def _compare(self, page: Sequence[RemoteOutline], *, after: int, until: int | None) -> None:
        there = {task.id: task for task in page}
        for ours in _ours(self.row, after, until):
            self.proof.n_tasks += len(ours)
            stale, differing = [], []
            for mine in ours:
                match = there.get(mine.ls_task_id)
                if match and match.ext_id == str(mine.pk):
                    del there[match.id]
                    if mine.equals(match):
                        continue
                    if match.updated_at < self.proof.started_at - ON_ITS_WAY:
                        stale.append(match.id)
                differing.append(mine.ls_task_id)
            # What has no match is missing, or was sent after that page was read: pulling asks for each again.
            pulled = ingest.pull_tasks(differing) if differing else {}
            self._note(pulled)
            kept = LabelingTask.objects.filter(project=self.row, ls_task_id__in=differing).count()
            self.proof.n_missing += len(differing) - kept
            self.proof.n_stale += len(stale)
            self.proof.n_repaired += len(differing) - kept + sum(not pulled.get(ls_task_id) for ls_task_id in stale)
        self._look_at(list(there.values()))

    def _note(self, pulled: dict[int, str]) -> None:
        for ls_task_id, error in pulled.items():
            if error:
                self.open_questions[f"task {ls_task_id} there"] = f"its answers cannot be taken over: {error}"

    def _look_at(self, strangers: Sequence[RemoteOutline]) -> None:
        """Tell tasks of others from what should not be there: second copies, and copies that we had given up."""
        named = {there.ext_id: there for there in strangers if identity.is_uuid(there.ext_id)}
        tasks = {str(task.pk): task for task in LabelingTask.objects.filter(project=self.row, pk__in=named)}
        self.proof.n_foreign += sum(there.ext_id not in tasks for there in strangers)
        for there in strangers:
            task = tasks.get(there.ext_id)
            if task is None or task.ls_task_id == there.id or task.status == Status.OPEN:
                continue  # sent while we looked, or about to be found by the next push
            if task.ls_task_id is None and identity.ours([there]):
                self._take_back(task, there)
            else:
                self._remove_copy(task, there)

    def _take_back(self, task: LabelingTask, there: RemoteOutline) -> None:
        """Note the address of a task that was gone and is there again, as after a restore;
        a withdrawn one is removed then.
        """
        back = LabelingTask.objects.filter(pk=task.pk, ls_task_id=None, status=task.status)
        self.proof.n_repaired += back.update(ls_task_id=there.id, ls_updated_at=None)
        if task.status == Status.SETTLED:
            self._note(ingest.pull_tasks([there.id]))

    def _remove_copy(self, task: LabelingTask, there: RemoteOutline) -> None:
        self.proof.n_duplicates += 1
        now = client.get_tasks(self.row.ls_project_id or 0, [there.id]).get(there.id)
        if now and now.annotations:
            what = (
                f"tasks {task.ls_task_id} and {there.id} there are the same, and the second holds answers, which "
                "do not count"
            )
            self.open_questions[str(task.pk)] = what
            return
        client.delete_task(there.id)
        self.proof.n_repaired += 1

    def _finish(self) -> CompletenessProof:
        proof = self.proof
        proof.n_accounted = max(0, proof.n_tasks - len(self.open_questions))
        proof.words = _in_words(proof, self.open_questions)
        proof.finished_at = timezone.now()
        figures = {name: value for name, value in vars(proof).items() if name.startswith("n_")}
        with transaction.atomic():
            proof.save()
            ledger.append("labeling.proof.finished", subject=ref(proof), actor=ACTOR, payload=figures)
        log.log(logging.INFO if proof.holds else logging.ERROR, "%s: %s", self.row, proof.words)
        return proof


def _ours(row: LabelingProject, after: int, until: int | None) -> Iterator[list[_Ours]]:
    """Yield our tasks whose ids there are in (after, until], in parts."""
    held = LabelingTask.objects.filter(project=row, status__in=(Status.PUSHED, Status.SETTLED)).order_by("ls_task_id")
    if until is not None:
        held = held.filter(ls_task_id__lte=until)
    while part := list(held.filter(ls_task_id__gt=after).values_list("ls_task_id", "pk", "ls_updated_at")[:AT_ONCE]):
        answers: dict[uuid.UUID, set[tuple[int, dt.datetime]]] = {pk: set() for _, pk, _ in part}
        rows = Annotation.objects.filter(task__in=answers).exclude(standing=Annotation.Standing.CLONE).order_by()
        for pk, ls_annotation_id, at in rows.values_list("task_id", "ls_annotation_id", "ls_updated_at"):
            answers[pk].add((ls_annotation_id, at))
        yield [_Ours(ls_task_id or 0, pk, at, frozenset(answers[pk])) for ls_task_id, pk, at in part]
        after = part[-1][0] or 0


def _in_words(proof: CompletenessProof, open_questions: dict[str, str]) -> str:
    parts = [f"{proof.n_accounted:,} of {proof.n_tasks:,} accounted for."]
    found = (
        ("Missing there, and sent again unless answered", proof.n_missing),
        ("Out of date here", proof.n_stale),
        ("Second copies there", proof.n_duplicates),
        ("Not ours there", proof.n_foreign),
    )
    parts += [f"{what}: {n:,}." for what, n in found if n]
    parts += [f"{what}: {why}." for what, why in list(open_questions.items())[:MOST_EXAMPLES]]
    if len(open_questions) > MOST_EXAMPLES:
        parts.append(f"And {len(open_questions) - MOST_EXAMPLES} more.")
    return " ".join(parts)
