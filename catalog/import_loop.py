"""From the rows of a file to a finished import: in batches, resumable, every bad row named, no good one lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Generic, NamedTuple

from django.db import DatabaseError, DataError, IntegrityError, transaction

from catalog.feeds.base import FeedRow, R
from catalog.import_runs import Problem, Progress, advance, close_run, one_at_a_time, open_run
from catalog.models import ImportRun
from catalog.seen_keys import SeenKeys
from core.ahead import made_ahead
from core.exceptions import PermanentError

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from core.actors import SystemActor

BATCH = 2_000
MOST_CHARACTERS = 4_000_000  # in a batch, however few rows that are
BATCHES_AHEAD = 2
OnProgress = Callable[[ImportRun, float], None]


@dataclass(frozen=True)
class Written:
    """What became of the good rows of one batch; `problems` are those that the database had something against.

    `counts` are further counts by name, which are added up over the run.
    """

    n_created: int
    n_updated: int
    n_unchanged: int
    problems: Sequence[Problem] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Job(Generic[R]):
    """One kind of import of one file.

    `key_of` says what two rows of the same thing have in common; `write` puts the good rows of a batch into the
    database, in the transaction of the caller; `finish` is called once all rows are in, perhaps again after a crash.
    """

    kind: str
    path: Path
    file_hash: str
    read_as: str
    key_of: Callable[[R], str]
    write: Callable[[Sequence[FeedRow[R]], ImportRun], Written]
    finish: Callable[[ImportRun], None] | None = None
    batch: int = field(default_factory=lambda: BATCH)


def run_import(
    job: Job[R],
    rows: Iterator[FeedRow[R]],
    *,
    share_read: Callable[[], float],
    actor: User | SystemActor,
    resume: bool,
    on_progress: OnProgress | None,
) -> ImportRun:
    """Import `rows`, all of the file from its first, and return the run; one that was interrupted goes on.

    Raises `TransientError` when another process imports the file, and `PermanentError` when the file breaks off; what
    came before stands then. Whoever calls has checked the permission.
    """
    # The first row is read before a run is opened: a wrong format or mapping leaves no trace.
    first = list(islice(rows, 1))
    breaks: list[FeedRow[R]] = []
    with one_at_a_time(job.file_hash, read_as=job.read_as):
        run = open_run(
            kind=job.kind, path=job.path, file_hash=job.file_hash, feed_format=job.read_as, resume=resume, actor=actor
        )
        try:
            # What an earlier process committed is read again, not skipped unread, to know the keys it has seen.
            every = _watched(chain(first, rows), breaks)
            remaining = islice(sorted_out(every, key_of=job.key_of), run.n_rows, None)
            with made_ahead(_batches(remaining, job.batch), most=BATCHES_AHEAD) as batches:
                for batch in batches:
                    _commit(run, batch, job)
                    if on_progress:
                        on_progress(run, share_read())
            if job.finish and not breaks:
                job.finish(run)
        except BaseException:
            # A kill -9 leaves the run `running`, which resumes just as well.
            with suppress(DatabaseError):
                close_run(run, status=ImportRun.Status.INTERRUPTED, actor=actor)
            raise
        close_run(run, status=ImportRun.Status.FAILED if breaks else ImportRun.Status.COMPLETED, actor=actor)
    if breaks:
        raise PermanentError(
            f"{run.file_name} could not be read to its end: line {breaks[0].line}: {breaks[0].error}.",
            hint="The rows before it were taken. Mend the file and import it again.",
        )
    return run


class Sorted(NamedTuple, Generic[R]):
    """A row, whether it repeats an earlier one word for word, and how long it is."""

    row: FeedRow[R]
    is_repeated: bool
    n_characters: int


def sorted_out(rows: Iterable[FeedRow[R]], *, key_of: Callable[[R], str]) -> Iterator[Sorted[R]]:
    """Yield each row, told whether it repeats an earlier one word for word; a differing repetition becomes a bad row.

    Holds some fifty bytes per key (`SeenKeys`).
    """
    seen = SeenKeys()
    for row in rows:
        if row.record is None:
            yield Sorted(row, False, len(row.raw))
            continue
        first = seen.first(key_of(row.record), row.line, hash(row.record))
        if first is None or first[1]:
            yield Sorted(row, first is not None, _length(row))
        else:
            reason = f"line {first[0]} has the same key and other content; the first of such rows counts"
            yield Sorted(FeedRow(row.line, error=reason, sku=row.sku, raw=row.record.title), False, 0)


def _batches(rows: Iterable[Sorted[R]], n_rows: int) -> Iterator[list[Sorted[R]]]:
    batch: list[Sorted[R]] = []
    n_characters = 0
    for row in rows:
        batch.append(row)
        n_characters += row.n_characters
        if len(batch) >= n_rows or n_characters >= MOST_CHARACTERS:
            yield batch
            batch, n_characters = [], 0
    if batch:
        yield batch


def _length(row: FeedRow[R]) -> int:
    texts: tuple[object, ...] = row.record if isinstance(row.record, tuple) else ()
    return len(row.raw) + sum(len(text) for text in texts if isinstance(text, str))


def _watched(rows: Iterable[FeedRow[R]], breaks: list[FeedRow[R]]) -> Iterator[FeedRow[R]]:
    for row in rows:
        if row.breaks_off:
            breaks.append(row)
        yield row


def _commit(run: ImportRun, batch: Sequence[Sorted[R]], job: Job[R]) -> None:
    good = [row for row, is_repeated, _ in batch if row.record is not None and not is_repeated]
    problems = [problem_of(row) for row, _, _ in batch if row.record is None]
    with transaction.atomic():
        written = _write(good, run, job)
        advance(
            run,
            Progress(
                n_rows=len(batch),
                n_created=written.n_created,
                n_updated=written.n_updated,
                n_unchanged=written.n_unchanged,
                n_duplicates=sum(row.is_repeated for row in batch),
                problems=sorted([*problems, *written.problems], key=lambda problem: problem.line),
                counts=_added(written.counts, Counter(note for row in good for note in row.notes)),
            ),
        )


def _write(rows: Sequence[FeedRow[R]], run: ImportRun, job: Job[R]) -> Written:
    """Have `rows` written; where the database refuses one of them, by halves until that one is found, and named."""
    try:
        with transaction.atomic():
            return job.write(rows, run)
    except (DataError, IntegrityError, UnicodeError) as exc:
        if len(rows) < 2:
            reason = str(exc).strip().partition("\n")[0][:200]
            return Written(0, 0, 0, [problem_of(row, f"the database does not take it: {reason}") for row in rows])
    middle = len(rows) // 2
    every = [_write(half, run, job) for half in (rows[:middle], rows[middle:])]
    return Written(
        n_created=sum(one.n_created for one in every),
        n_updated=sum(one.n_updated for one in every),
        n_unchanged=sum(one.n_unchanged for one in every),
        problems=[problem for one in every for problem in one.problems],
        counts=_added(*(one.counts for one in every)),
    )


def _added(*counts: Mapping[str, int]) -> dict[str, int]:
    added: dict[str, int] = {}
    for name, value in chain.from_iterable(each.items() for each in counts):
        added[name] = added.get(name, 0) + value
    return added


def problem_of(row: FeedRow[R], reason: str = "") -> Problem:
    """Return the line of the error file about `row`, which is bad by itself or for `reason`."""
    raw = row.raw or (row.record.title if row.record is not None else "")
    return Problem(row.line, row.sku[:200], reason or row.error, raw)
