"""From annotations to one answer: of one task, and of several people who were asked the same.

A task is one person's: its answer is the latest annotation that counts and was not skipped. Several people asked the
same have a task each, and none sees the others; what their votes come to is agreed on here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from audit import ledger
from audit.ledger import Line
from core import label_sets
from core.actors import SystemActor
from core.exceptions import PermanentError
from core.hashing import hash_json
from core.refs import ref
from labeling import raters, votes
from labeling.door.stamps import without_stamp
from labeling.lifecycle import Status, move
from labeling.models import Annotation, Consensus, LabelingTask, Vote
from labeling.question import question
from labeling.signals import consensus_reached

if TYPE_CHECKING:
    from labeling.quality.queue_model import QueueModel
    from labeling.votes import VoteTable

ACTOR = SystemActor("labeling.consensus")
SINGLE = "single"
# The answer cannot be read; its `answer` is {"invalid": why}. Announced like any other, so that a person looks at it.
INVALID = "invalid"
ADJUDICATED = "adjudicated"
CROWDLAB = "crowdlab"


def settle(task: LabelingTask) -> Consensus | None:
    """Agree on an answer to `task` and announce it on commit; None when there is none, or none that is new.

    An annotation that changes after that makes a further consensus, announced again: what it means is for the one who
    opened the task to say. A skipped annotation settles nothing, and neither does one that does not count.
    """
    with transaction.atomic():
        task = LabelingTask.objects.select_for_update(no_key=True).get(pk=task.pk)
        if task.status not in (Status.PUSHED, Status.SETTLED):
            return None
        given = task.annotations.filter(was_cancelled=False, standing=Annotation.Standing.COUNTS)
        latest = given.order_by("stamped_at", "ls_annotation_id").last()
        if latest is None:
            return None
        method, answer = _read(task, latest)
        consensus, is_new = Consensus.objects.get_or_create(
            task=task,
            annotation_set_hash=hash_json(
                [[latest.ls_annotation_id, (latest.stamped_at or latest.ls_updated_at).isoformat()]]
            ),
            defaults={"answer": answer, "method": method},
        )
        if not is_new:
            return None
        consensus.annotations.add(latest)
        payload = {"consensus": ref(consensus), "method": method, "annotation": latest.ls_annotation_id}
        if task.status == Status.PUSHED:
            line = move(task, to=Status.SETTLED, payload=payload, settled_at=timezone.now())
        else:
            line = Line("labeling.task.answered_again", ref(task), {"about": task.reference, **payload})
        LabelingTask.objects.filter(pk=task.pk).update(
            last_error=answer.get("invalid", "") if method == INVALID else ""
        )
        ledger.append_many([line] if line else [], actor=ACTOR)
        transaction.on_commit(
            lambda: consensus_reached.send_robust(sender=None, consensus_id=consensus.pk, reference=task.reference)
        )
    return consensus


def _read(task: LabelingTask, annotation: Annotation) -> tuple[str, dict[str, Any]]:
    try:
        return SINGLE, question(task.project.question).parse(without_stamp(annotation.result), task.payload)
    except PermanentError as exc:
        return INVALID, {"invalid": exc.message}
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        # Label Studio's API takes any JSON for an annotation.
        return INVALID, {"invalid": f"The annotation is no answer to this interface ({type(exc).__name__})."}


@dataclass(frozen=True)
class Agreed:
    """What votes come to: the label (empty: a tie), and how likely it is to be right, 0 to 1."""

    label: str
    quality: float
    votes: Mapping[str, int]

    def in_words(self) -> str:
        """Return the votes, e.g. `2 positive, 1 negative`."""
        return ", ".join(
            f"{n} {label}" for label, n in sorted(self.votes.items(), key=lambda pair: (-pair[1], pair[0]))
        )


def agree(name: str, subject: str, *, method: str) -> Agreed:
    """Return what the votes on `subject` come to by `method`: majority, dawid_skene or crowdlab.

    `dawid_skene` weighs each vote by how its rater errs, as fitted before (`labeling.raters`; Dawid and Skene 1979).
    `crowdlab` counts the model's opinion as one more vote and weighs all of them by how well they do on the latest
    items (Goh et al. 2022). Before there is enough to fit, a vote counts as right four times in five. How likely the
    label is to be right is calibrated on what is known (`labeling.quality.calibration`). No votes: no label. Those of a
    file whose raters nobody answers for are not counted (`labeling.approvals`).

    Of several answers each is a yes or no of its own.
    """
    subjects = raters.window(name, subject) if method == CROWDLAB else [subject]
    table = votes.load(name, purposes=[Vote.Purpose.LABEL], subjects=subjects, of_people=True)
    if subject not in table.subjects:
        return Agreed("", 0.0, {})
    if question(name).is_multiple:
        names = question(name).labels
        models = {answer: raters.model_of(name, table.rater_names, answer=answer) for answer in names}
        return agree_on_each(table, method=method, models=models)[subject]
    return agree_on(table, method=method, model=raters.model_of(name, table.rater_names))[subject]


def agree_on_each(table: VoteTable, *, method: str, models: Mapping[str, QueueModel]) -> dict[str, Agreed]:
    """Return what the votes in `table` come to, each of several answers as a yes or no by its own model.

    A tie in one of them is a tie.

    A label is as likely to be right as the least sure of its answers. It may be one that nobody gave.
    """
    each = {answer: agree_on(table.yes_or_no(answer), method=method, model=model) for answer, model in models.items()}
    counts, found = table.votes().counts(), {}
    for i, subject in enumerate(table.subjects):
        qualities = [one[subject].quality if one[subject].label else 0.0 for one in each.values()]
        said = [answer for answer, one in each.items() if one[subject].label == votes.NO_OR_YES[1]]
        given = {name: int(n) for name, n in zip(table.names, counts[i], strict=True) if n}
        label = "" if min(qualities) == 0.0 else label_sets.join(said, models)
        found[subject] = Agreed(label, min(qualities), given)
    return found


def agree_on(table: VoteTable, *, method: str, model: QueueModel) -> dict[str, Agreed]:
    """Return what the votes in `table` come to, for each of its subjects; its raters are numbered as those of `model`.

    Where the serving model has no opinion, or has one of too few of the subjects, `crowdlab` is Dawid and Skene's
    model, with the opinion in the place of how common the labels are.
    """
    import numpy as np

    from labeling.quality.aggregation import TIE
    from labeling.quality.queue_model import judge

    given = table.votes()
    if method == CROWDLAB:
        opinions, has_one = raters.opinions_on(table, model)
        found = judge("dawid_skene", given, model, opinions=opinions)
        if has_one.sum() >= raters.FEWEST:
            seen = judge(method, given.where(has_one[given.items]), model, opinions=opinions)
            found = replace(
                found,
                labels=np.where(has_one, seen.labels, found.labels),
                quality=np.where(has_one, seen.quality, found.quality),
            )
    else:
        found = judge(method, given, model)
    counts = given.counts()
    return {
        subject: Agreed(
            "" if found.labels[i] == TIE else table.names[found.labels[i]],
            float(found.quality[i]),
            {name: int(n) for name, n in zip(table.names, counts[i], strict=True) if n},
        )
        for i, subject in enumerate(table.subjects)
    }


def record(
    task: LabelingTask, *, method: str, answer: Mapping[str, Any], annotations: Sequence[Annotation]
) -> Consensus:
    """Keep what several people's `annotations` came to as the consensus on `task`. Idempotent for one set of them."""
    state = sorted([a.ls_annotation_id, a.ls_updated_at.isoformat()] for a in annotations)
    consensus, is_new = Consensus.objects.get_or_create(
        task=task, annotation_set_hash=hash_json([method, *state]), defaults={"answer": dict(answer), "method": method}
    )
    if is_new:
        consensus.annotations.set(annotations)
    return consensus
