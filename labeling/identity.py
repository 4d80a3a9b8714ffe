"""Which task of Label Studio is which of ours: the id that our import was given, and never what a task says of itself.

Anybody with an account there can copy a task, our id in its data included. What was given to us stands in the ledger.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from audit.models import LedgerEntry
from core.refs import ref
from labeling.models import LabelingTask


class Claim(Protocol):
    """A task there that says it is ours."""

    @property
    def id(self) -> int: ...

    @property
    def ext_id(self) -> str: ...


C = TypeVar("C", bound=Claim)


def ours(claims: Iterable[C]) -> list[C]:
    """Return those of `claims` whose ids an import of ours was given for that very task:
    they came back after a restore.
    """
    named = [claim for claim in claims if is_uuid(claim.ext_id)]
    subjects = {ref(LabelingTask(pk=uuid.UUID(claim.ext_id))): claim.ext_id for claim in named}
    lines = LedgerEntry.objects.filter(action="labeling.task.pushed", subject__in=subjects)
    given = {
        (subjects[subject], payload.get("ls_task_id")) for subject, payload in lines.values_list("subject", "payload")
    }
    return [claim for claim in named if (claim.ext_id, claim.id) in given]


def unknown(claims: Sequence[C]) -> list[C]:
    """Return those of `claims` that are copies."""
    known = {claim.id for claim in ours(claims)}
    return [claim for claim in claims if claim.id not in known]


def is_uuid(text: str) -> bool:
    """Whether `text` is an id of a task of ours, as we write it."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
