"""How far an import has come: rows, counters and error file advance together, so that a killed run resumes exactly."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from audit import ledger
from catalog.models import ImportRun
from core.exceptions import StaleState, TransientError
from core.locks import try_advisory_lock
from core.refs import ref
from core.spreadsheets import escape_formula

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from core.actors import SystemActor

ERROR_COLUMNS = ("line", "sku", "reason", "raw")


@dataclass(frozen=True)
class Problem:
    """One line of the error file."""

    line: int
    sku: str
    reason: str
    raw: str


@dataclass(frozen=True)
class Progress:
    """What one committed batch adds to a run."""

    n_rows: int
    n_created: int
    n_updated: int
    n_unchanged: int
    n_duplicates: int
    problems: Sequence[Problem]
    counts: Mapping[str, int] = field(default_factory=dict)


@contextmanager
def one_at_a_time(file_hash: str, *, read_as: str) -> Iterator[None]:
    """Have the file with this hash to oneself; raises `TransientError` when another process is importing it, which says
    so where that one reads it in another way than `read_as`.
    """
    with try_advisory_lock(_lock_of(file_hash)) as is_alone:
        if not is_alone:
            running = ImportRun.objects.filter(file_hash=file_hash, status=ImportRun.Status.RUNNING)
            others = dict(running.values_list("feed_format", "pk"))
            if others and read_as not in others:
                raise TransientError(
                    f"this file is being imported by another process, which reads it in another way (import "
                    f"{max(others.values())}): with another format, other columns or other labels.",
                    hint="Wait for it to end, see whether what it brought is right, and import the file again if not.",
                )
            raise TransientError("this file is being imported by another process.", hint="Wait for it to end.")
        yield


def open_run(
    *, kind: str, path: Path, file_hash: str, feed_format: str, resume: bool, actor: User | SystemActor
) -> ImportRun:
    """Return the run to work on: the unfinished one of this file, as far as it came, or a new one.

    With `resume=False` an unfinished one starts again at the first row.
    """
    with transaction.atomic():
        open_runs = ImportRun.objects.filter(status__in=ImportRun.OPEN).select_for_update(no_key=True)
        run = open_runs.filter(kind=kind, file_hash=file_hash, feed_format=feed_format).first()
        action = "resumed" if run else "started"
        if run is None:
            run = ImportRun(kind=kind, file_hash=file_hash, feed_format=feed_format)
        elif not resume:
            action = "restarted"
            for counter in ("n_rows", "n_created", "n_updated", "n_unchanged", "n_bad", "n_duplicates"):
                setattr(run, counter, 0)
            run.counts = {}
        run.went_on_after = run.n_rows
        run.status, run.file_name = ImportRun.Status.RUNNING, printable_name(path)
        run.save()
        run.error_file = str(error_path(run))
        run.save(update_fields=["error_file"])
        _record(run, action, actor=actor)
    _cut_error_file(run)
    return run


def advance(run: ImportRun, progress: Progress) -> None:
    """Add a batch to `run`; call inside the transaction that writes its rows.

    The error file cannot roll back: a batch that dies between here and its commit leaves lines beyond `n_bad`, which
    the next `open_run` cuts off.
    """
    if progress.problems:
        with Path(run.error_file).open("a", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows(_cells(problem) for problem in progress.problems)
    added = {
        "n_rows": progress.n_rows,
        "n_created": progress.n_created,
        "n_updated": progress.n_updated,
        "n_unchanged": progress.n_unchanged,
        "n_duplicates": progress.n_duplicates,
        "n_bad": len(progress.problems),
    }
    counts = {**run.counts, **{name: run.counts.get(name, 0) + value for name, value in progress.counts.items()}}
    at = ImportRun.objects.filter(pk=run.pk, status=ImportRun.Status.RUNNING, n_rows=run.n_rows)
    if at.update(counts=counts, **{name: F(name) + value for name, value in added.items()}) != 1:
        raise StaleState(f"import {run.pk} was moved by another process")
    for name, value in added.items():
        setattr(run, name, getattr(run, name) + value)
    run.counts = counts


def close_run(run: ImportRun, *, status: ImportRun.Status, actor: User | SystemActor) -> None:
    """End `run`.

    An error file without errors is removed; what is left of earlier runs of a file of its name is closed.
    """
    run.refresh_from_db()
    if status == ImportRun.Status.COMPLETED and not run.n_bad:
        error_path(run).unlink(missing_ok=True)
        run.error_file = ""
    with transaction.atomic():
        run.status = status
        run.finished_at = timezone.now() if status not in ImportRun.OPEN else None
        run.save(update_fields=["status", "finished_at", "error_file"])
        _record(run, str(status.value), actor=actor)
        if status == ImportRun.Status.COMPLETED:
            _supersede_older(run, actor=actor)


def _supersede_older(run: ImportRun, *, actor: User | SystemActor) -> None:
    """Close the runs of earlier files of this name that stopped, and that nobody will go on with."""
    left = ImportRun.objects.filter(kind=run.kind, file_name=run.file_name, status__in=ImportRun.OPEN)
    for old in left.filter(started_at__lt=run.started_at).order_by("pk"):
        with try_advisory_lock(_lock_of(old.file_hash)) as is_alone:
            if is_alone:
                old.status, old.finished_at = ImportRun.Status.SUPERSEDED, timezone.now()
                old.save(update_fields=["status", "finished_at"])
                _record(old, str(old.status.value), actor=actor)


def _lock_of(file_hash: str) -> str:
    return f"catalog.import {file_hash}"


def error_path(run: ImportRun) -> Path:
    """Return where the error file of `run` lies."""
    return Path(settings.VAR_DIR) / "imports" / f"{run.pk}-errors.csv"


def printable_name(path: Path) -> str:
    """Return the name of a file as text that can be stored and shown, whatever bytes it is made of."""
    name = os.fsencode(path.name).decode("utf-8", "replace").replace("\ufffd", "?")
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:300]


def _record(run: ImportRun, what: str, *, actor: User | SystemActor) -> None:
    counters = ("n_rows", "n_created", "n_updated", "n_unchanged", "n_bad", "n_duplicates")
    payload = {
        "kind": run.kind,
        "file_hash": run.file_hash,
        "format": run.feed_format,
        **{name: getattr(run, name) for name in counters},
        **run.counts,
    }
    ledger.append(f"catalog.import.{what}", subject=ref(run), actor=actor, payload=payload)


def _cut_error_file(run: ImportRun) -> None:
    """Keep the header and the `n_bad` problems that were committed."""
    path = error_path(run)
    path.parent.mkdir(parents=True, exist_ok=True)
    kept: list[list[str]] = []
    if path.exists():
        with path.open(newline="", encoding="utf-8") as stream:
            kept = [row for row, _ in zip(csv.reader(stream), range(run.n_bad + 1), strict=False)]
    beside = path.with_suffix(".new")
    with beside.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(kept or [list(ERROR_COLUMNS)])
    beside.replace(path)


def _cells(problem: Problem) -> list[str]:
    texts = (problem.sku, problem.reason, problem.raw)
    return [str(problem.line), *map(_writable, texts)]


def _writable(text: str) -> str:
    # A lone surrogate or a NUL cannot be written or read back.
    return escape_formula(text.replace("\x00", "").encode("utf-8", "replace").decode())
