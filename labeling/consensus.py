"""From annotations to one answer: of one task, and of several people who were asked the same.

A task is one person's: its answer is the latest annotation that counts and was not skipped. Several people asked the same have a
task each, and none sees the others; what their votes come to is agreed on here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit import ledger
from audit.ledger import Line
from core.actors import SystemActor
from core.exceptions import PermanentError
from core.hashing import hash_json
from core.refs import ref
from labeling import approvals, raters
from labeling.door.stamps import without_stamp
from labeling.label_config import load_interface
from labeling.lifecycle import Status, move
from labeling.models import Annotation, Consensus, LabelingTask, RaterModel, Vote
from labeling.signals import consensus_reached

ACTOR = SystemActor("labeling.consensus")
SINGLE = "single"
# The answer cannot be read; its `answer` is {"invalid": why}. Announced like any other, so that a person looks at it.
INVALID = "invalid"
ADJUDICATED = "adjudicated"
# How good a rater is taken to be who has not been fitted yet: how often right, the rest shared among the other labels.
UNKNOWN_RATER = 0.8
# Nothing is impossible: no single vote, and no model, decides alone.
LEAST = 1e-3


def settle(task: LabelingTask) -> Consensus | None:
    """Agree on an answer to `task` and announce it on commit; None when there is none, or none that is new.

    An annotation that changes after that makes a further consensus, announced again: what it means is for the one who
    opened the task to say. A skipped annotation settles nothing, and neither does one that does not count.
    """
    with transaction.atomic():
        task = LabelingTask.objects.select_for_update().get(pk=task.pk)
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
        return SINGLE, load_interface(task.project.kind).parse(without_stamp(annotation.result), task.payload)
    except PermanentError as exc:
        return INVALID, {"invalid": exc.message}
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        # Label Studio's API takes any JSON for an annotation.
        return INVALID, {"invalid": f"The annotation is no answer to this interface ({type(exc).__name__})."}


@dataclass(frozen=True)
class Agreed:
    """What votes come to: the label (empty: a tie), and how sure the method is of it, 0 to 1."""

    label: str
    quality: float
    votes: Mapping[str, int]

    def in_words(self) -> str:
        """Return the votes, e.g. `2 positive, 1 negative`."""
        return ", ".join(
            f"{n} {label}" for label, n in sorted(self.votes.items(), key=lambda pair: (-pair[1], pair[0]))
        )


def agree(kind: str, subject: str, *, method: str) -> Agreed:
    """Return what the votes on `subject` come to by `method`: majority, dawid_skene or crowdlab.

    `dawid_skene` weighs each vote by how its rater errs, as fitted before (`labeling.raters`; Dawid and Skene 1979).
    `crowdlab` counts the model's opinion as one more vote and weighs all of them by how well they do on the latest items
    (Goh et al. 2022). Before there is enough to fit, a vote counts as right four times in five. No votes: no label. Those
    of a file whose raters nobody answers for are not counted (`labeling.approvals`).
    """
    votes = Vote.objects.filter(approvals.of_people(), kind=kind, subject=subject, purpose=Vote.Purpose.LABEL)
    votes = votes.order_by("rater")
    given = list(votes.values_list("rater", "label"))
    counts, interface = Counter(label for _, label in given), load_interface(kind)
    if not given:
        return Agreed("", 0.0, counts)
    if method == "majority":
        return _agreed({label: n / len(given) for label, n in counts.items()}, counts)
    if method == "crowdlab":
        if found := raters.crowdlab(kind, subject):
            return Agreed(*found, counts)
        opinion = interface.opinions([subject]).get(subject)
        return _agreed(_posterior(kind, given, interface.labels, opinion), counts)
    return _agreed(_posterior(kind, given, interface.labels, None), counts)


def _agreed(shares: Mapping[str, float], counts: Mapping[str, int]) -> Agreed:
    best = max(shares.values())
    first = [label for label, share in shares.items() if share >= best - 1e-9]
    return Agreed(first[0] if len(first) == 1 else "", best, counts)


def _posterior(
    kind: str, given: Sequence[tuple[str, str]], known: Sequence[str], opinion: Mapping[str, float] | None
) -> dict[str, float]:
    """Return P(label | votes) by Bayes: how common the label is, or the model's opinion, times what each vote is worth."""
    names = [RaterModel.USUAL, *(rater for rater, _ in given)]
    fitted = {model.rater: model for model in RaterModel.objects.filter(kind=kind, rater__in=names)}
    usual = fitted.get(RaterModel.USUAL)
    before = opinion or (usual.label_shares if usual else {})
    other = (1 - UNKNOWN_RATER) / max(len(known) - 1, 1)
    logs = {}
    for truth in known:
        total = math.log(max(before.get(truth, 1 / len(known)), LEAST))
        for rater, label in given:
            model = fitted.get(rater) or usual
            worth = model.confusion[truth][label] if model else UNKNOWN_RATER if label == truth else other
            total += math.log(max(float(worth), LEAST))
        logs[truth] = total
    top = max(logs.values())
    weights = {label: math.exp(value - top) for label, value in logs.items()}
    return {label: weight / sum(weights.values()) for label, weight in weights.items()}


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
