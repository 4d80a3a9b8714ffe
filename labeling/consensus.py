"""From annotations to one answer. One annotator for now: the latest annotation that was not skipped."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from audit import ledger
from audit.ledger import Line
from core.actors import SystemActor
from core.exceptions import PermanentError
from core.hashing import hash_json
from core.refs import ref
from labeling.label_config import load_interface
from labeling.lifecycle import Status, move
from labeling.models import Annotation, Consensus, LabelingTask
from labeling.signals import consensus_reached

ACTOR = SystemActor("labeling.consensus")
SINGLE = "single"
# The answer cannot be read; its `answer` is {"invalid": why}. Announced like any other, so that a person looks at it.
INVALID = "invalid"


def settle(task: LabelingTask) -> Consensus | None:
    """Agree on an answer to `task` and announce it on commit; None when there is none, or none that is new.

    An annotation that changes after that makes a further consensus, announced again: what it means is for the one who
    opened the task to say. A skipped annotation settles nothing.
    """
    with transaction.atomic():
        task = LabelingTask.objects.select_for_update().get(pk=task.pk)
        if task.status not in (Status.PUSHED, Status.SETTLED):
            return None
        latest = task.annotations.filter(was_cancelled=False).order_by("ls_updated_at", "ls_annotation_id").last()
        if latest is None:
            return None
        method, answer = _read(task, latest)
        consensus, is_new = Consensus.objects.get_or_create(
            task=task,
            annotation_set_hash=hash_json([[latest.ls_annotation_id, latest.ls_updated_at.isoformat()]]),
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
        return SINGLE, load_interface(task.project.kind).parse(annotation.result, task.payload)
    except PermanentError as exc:
        return INVALID, {"invalid": exc.message}
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        # Label Studio's API takes any JSON for an annotation.
        return INVALID, {"invalid": f"The annotation is no answer to this interface ({type(exc).__name__})."}
