"""Bring labels of reviews in: texts, votes and labels from a file, resumable, and our own people's word untouched."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.db import transaction

from audit.models import LedgerEntry
from catalog.feeds.base import FeedRow
from catalog.import_loop import Job, OnProgress, Written, problem_of, run_import
from catalog.import_runs import Problem
from catalog.models import ImportRun
from core.actors import require_permission, user_keys
from core.exceptions import PermanentError
from core.hashing import hash_path
from core.pseudonyms import pseudonym
from core.refs import ref
from labeling import imported_votes, labels
from labeling.exchange.formats import format_of, open_file
from labeling.exchange.rows import Reading
from labeling.labels import ImportedLabel
from labeling.models import Label, Vote
from labeling.question import Question, question
from labeling.subject import subject_of
from moderation.decisions.second_reviews import leads_of, open_blind
from moderation.label_exchange.records import USUAL, LabelRecord, Rules, records_of
from moderation.label_exchange.reviews import find_subjects
from moderation.models.queues import QueuePolicy
from moderation.queues.rules import policy_for

if TYPE_CHECKING:
    from core.actors import SystemActor

BATCH = 2_000
MOST_GOLD = 5_000
GOLD_BATCH = 20  # opening an item holds the ledger until the batch is committed
# What `export_labels` calls a person: their own vote may come back.
OUR_PSEUDONYM = re.compile("rater-[0-9a-f]{16}")


@dataclass(frozen=True)
class File:
    """A file of labels, and how it is read. Without a `file_format` its name says which it is."""

    path: Path
    rules: Rules = field(default_factory=Rules)
    file_format: str = ""

    @contextmanager
    def open(self) -> Iterator[Reading]:
        """Open it. Raises `PermanentError` for a file, a column, a field or a label that there is not."""
        with open_file(self.path, file_format=self.file_format or format_of(self.path)) as reading:
            self.rules.check(reading)
            yield reading


def import_labels(
    file: File,
    *,
    gold: bool = False,
    actor: User | SystemActor,
    resume: bool = True,
    on_progress: OnProgress | None = None,
) -> ImportRun:
    """Import a file of labels of the question that its rules name, and return the run.

    Needs labeling.import_labels, with `gold` moderation.set_gold.

    A row with a rater is a vote, one without states the label; without that, a text's label is what its imported votes
    come to by the method of the queue; where they are tied our people are asked. A review that is not there is made.
    With `gold` each text becomes a test of our people, its label the known answer. Counted in the run, beside its rows:
    `texts` made, `labels` set, `ties`, rows about labels of our own people (`kept`), `gold` opened. A run of the same
    file that was interrupted goes on, unless `resume` is off. Raises `PermanentError` for a file that cannot be read at
    all, and for one with `gold` that is no sample.
    """
    require_permission(actor, "labeling.import_labels")
    if gold:
        require_permission(actor, "moderation.set_gold")
        with file.open() as reading:
            if sum(1 for _ in islice(records_of(reading, file.rules), MOST_GOLD + 1)) > MOST_GOLD:
                raise PermanentError(
                    f"{file.path} has more than {MOST_GOLD:,} rows.", hint="People are tested with a few hundred."
                )

    question = file.rules.question

    def finish(run: ImportRun) -> None:
        imported_votes.settle(question, source=source_of(run), method=policy_for(question).consensus_method)
        counts = {**run.counts, "ties": labels.count_ties(question, source=source_of(run))}
        counts["labels"] = Label.objects.filter(question=question, source=source_of(run)).count()
        if question != USUAL:  # for the ledger's last line about the run
            counts["question"] = question
        if gold:
            counts["gold"] = counts.get("gold", 0) + _open_gold(file)
        ImportRun.objects.filter(pk=run.pk).update(counts=counts)

    read_as = f"{file.file_format or format_of(file.path)}:{file.rules.key[:12]}{'g' if gold else ''}"
    with file.open() as reading:
        job = Job[LabelRecord](
            kind="labels",
            path=file.path,
            file_hash=hash_path(file.path),
            read_as=read_as,
            batch=BATCH,
            key_of=lambda record: record.key,
            finish=finish,
            write=lambda rows, run: _write(rows, run, rules=file.rules),
        )
        return run_import(
            job,
            records_of(reading, file.rules),
            share_read=reading.share_read,
            actor=actor,
            resume=resume,
            on_progress=on_progress,
        )


def source_of(run: ImportRun) -> str:
    """Return what votes and labels that `run` brought name as their source."""
    return f"import:{run.pk}"


def question_of(run: ImportRun) -> str:
    """Return the question that the votes of `run` answer: a file answers one."""
    found = Vote.objects.filter(source=source_of(run)).order_by().values_list("question", flat=True)[:1]
    return next(iter(found), USUAL)


def brought_in_by(run: ImportRun) -> tuple[list[User], bool]:
    """Return who had a part in bringing `run` in, and whether somebody had whom the ledger does not name."""
    lines = LedgerEntry.objects.filter(subject=ref(run), action__startswith="catalog.import.")
    actors = set(lines.values_list("actor", flat=True))
    people = list(User.objects.filter(pk__in=user_keys(actors)))
    return people, len(people) < max(len(actors), 1)


def _write(rows: Sequence[FeedRow[LabelRecord]], run: ImportRun, *, rules: Rules) -> Written:
    name, pool = rules.question, rules.pool
    found = find_subjects(question(name), [row.record for row in rows if row.record], make=True)
    problems: list[Problem] = []
    brought: dict[tuple[str, str], ImportedLabel] = {}
    ours = _own_votes(name, rows, found.subjects)
    for row in rows:
        record = row.record
        if record is None:
            continue
        subject, problem = found.subjects.get(record.key_of_subject, ""), found.problem_with(record)
        rater = rater_of(record.rater, pool=pool) if record.rater else ""
        vote = ImportedLabel(subject, record.label, rater, record.at, record.seconds)
        if problem or brought.get((subject, rater), vote) != vote:
            reason = problem or "another row says something else about this review, in the name of the same rater"
            problems.append(problem_of(row, reason))
        elif (subject, record.rater) not in ours:
            brought[subject, rater] = vote
    # Of several answers each is a yes or no of its own: what votes come to is told at the end (imported_votes.settle).
    by_majority = policy_for(name).consensus_method == QueuePolicy.Consensus.MAJORITY
    by_majority = by_majority and not question(name).is_multiple
    taken = labels.upsert_imported(
        name, brought.values(), source=source_of(run), now=run.started_at, by_majority=by_majority
    )
    n_unchanged = len(rows) - len(problems) - taken.n_created - taken.n_updated
    counts = {"texts": found.n_made, "kept": taken.n_kept}
    return Written(taken.n_created, taken.n_updated, n_unchanged, problems, counts)


def _own_votes(
    question: str, rows: Sequence[FeedRow[LabelRecord]], subjects: Mapping[str, str]
) -> set[tuple[str, str]]:
    """Return (subject, rater as exports call them) of the votes that came from here and are back: they count once."""
    back = {
        subject
        for row in rows
        if row.record
        and OUR_PSEUDONYM.fullmatch(row.record.rater)
        and (subject := subjects.get(row.record.key_of_subject))
    }
    votes = Vote.objects.filter(question=question, subject__in=back).values_list("subject", "rater") if back else ()
    return {(subject, exported_name(rater)) for subject, rater in votes}


def rater_of(name: str, *, pool: str = "") -> str:
    """Return what votes call the rater whom a file of `pool` calls `name`."""
    return f"import:{pseudonym(f'{pool}/{name}', purpose='import')}"


def exported_name(rater: str) -> str:
    """Return what an export calls `rater`."""
    return f"rater-{pseudonym(rater, purpose='export')}"


def _open_gold(file: File) -> int:
    """Open an item with a known answer for each text of the file whose label an import brought; returns how many.

    A text that people were asked about before is not opened again.
    """
    asked, opened = question(file.rules.question), 0
    policy = policy_for(asked.name)
    with file.open() as reading:
        records = (row.record for row in records_of(reading, file.rules) if row.record)
        while batch := list(islice(records, GOLD_BATCH)):
            subjects = set(find_subjects(asked, batch).subjects.values())
            imported = Label.objects.filter(question=asked.name, subject__in=subjects, source__startswith="import:")
            known = dict(imported.values_list("subject", "label"))
            with transaction.atomic():
                for reference, row in never_asked(asked, list(known)).items():
                    open_blind(asked.name, row, purpose=Vote.Purpose.GOLD, policy=policy, gold_label=known[reference])
                    opened += 1
    return opened


def never_asked(asked: Question, references: Sequence[str]) -> dict[str, Any]:
    """Return those of `references` that are there and that people were not asked about here, each with its row."""
    before = leads_of(asked.name, references)
    rows = asked.rows([one for one in references if one not in before])
    # A picture that its product has no more is there, and not asked about.
    open_ = subject_of(asked.about).all().filter(pk__in=[row.pk for row in rows.values()])
    keys = set(open_.values_list("pk", flat=True)) if rows else set()
    return {reference: row for reference, row in sorted(rows.items()) if row.pk in keys}
