"""The high-water mark: the last heads that were verified and stand in both places, in a small file of its own.

Database and second place may both be emptied, or both go back to an older head; then they agree with each other. They
do not agree with this file, which is best on storage that neither of their owners can write. Its lines are those of the
second place: signed, so that nobody without the key can put others. The last one is the mark; the others before it name
the first bad line.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from audit import secrets
from audit.models import LedgerCheck, LedgerEntry
from audit.signing import Head
from core.exceptions import TransientError
from core.hashing import canonical_json

GONE = "the high-water mark is gone: its file is not where it was"
DAMAGED = "the high-water mark is damaged: its file holds something else than signed heads"
RESTARTED = "audit.anchors.restarted"  # the line of the ledger with which a person begins both places anew
KEPT = 256  # heads: four hours of a busy desk, some 150 KB


@dataclass(frozen=True)
class Mark:
    """What the file holds, by rising size; `problem` says in words what is wrong with it.

    No signature is checked yet.
    """

    heads: Sequence[Head] = ()
    problem: str = ""

    @property
    def last(self) -> Head | None:
        return self.heads[-1] if self.heads else None

    @property
    def size(self) -> int:
        return self.heads[-1].size if self.heads else 0


@dataclass(frozen=True)
class Known:
    """What was vouched for before. All of it has to be there still, so it is read before everything else."""

    mark: Mark
    anchored_size: int  # lines that the second place vouched for
    problem: str


def path() -> Path:
    """Return where the mark is."""
    return Path(settings.LEDGER.mark_file)


def read() -> Mark:
    """Return the mark; empty when there is none."""
    try:
        heads = [Head.from_line(json.loads(line)) for line in path().read_bytes().splitlines()]
    except FileNotFoundError:
        return Mark()
    except OSError as exc:
        return Mark(problem=f"the high-water mark cannot be read ({exc.strerror})")
    except (AttributeError, KeyError, TypeError, ValueError):
        return Mark(problem=DAMAGED)
    return Mark(sorted(heads, key=lambda head: head.size), "" if heads else DAMAGED)


def known() -> Known:
    """Return what the mark and the last good checks say was there."""
    checks = LedgerCheck.objects.filter(is_intact=True)
    restarted = LedgerEntry.objects.filter(action=RESTARTED).aggregate(at=Max("at"))["at"]
    if restarted is not None:
        checks = checks.filter(at__gt=restarted)
    anchored = checks.filter(anchored_size__gt=0).values_list("anchored_size", flat=True).first() or 0
    was_marked = checks.filter(marked_size__gt=0).exists()
    mark = read()
    problem = mark.problem or (GONE if was_marked and not mark.heads else "")
    return Known(mark, max(anchored, mark.size), problem)


def raise_to(mark: Mark, later: Sequence[Head]) -> None:
    """Put the heads `later`, which are in both places now, after those of `mark`.

    Raises `TransientError` when it cannot.
    """
    heads = [*mark.heads, *later][-KEPT:]
    try:
        secrets.write(path(), "\n".join(canonical_json(head.as_line()) for head in heads), replace=True)
    except OSError as exc:
        raise TransientError(
            f"The high-water mark cannot be written ({exc.strerror}).", hint="See LEDGER_MARK_FILE in docs/settings.md."
        ) from exc


def put_aside() -> None:
    """Keep the file under its name and the time, as evidence: a new mark begins."""
    where = path()
    if where.exists():
        where.rename(where.with_name(f"{where.name}.until-{timezone.now():%Y%m%dT%H%M%S}"))
