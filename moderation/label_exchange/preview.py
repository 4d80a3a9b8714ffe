"""What an import would do, without doing any of it: the whole file is read, and nothing written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING

from catalog.feeds.base import FeedRow
from catalog.import_loop import Sorted, sorted_out
from core.actors import require_permission
from labeling import imported_votes
from labeling.models import Label
from labeling.question import Question, question
from moderation.label_exchange.importing import BATCH, File
from moderation.label_exchange.records import LabelRecord, records_of
from moderation.label_exchange.reviews import find_subjects
from moderation.queues.rules import policy_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User

    from core.actors import SystemActor

MOST_REASONS = 1_000
STATED = "stated"


@dataclass
class Preview:
    """Counts of a file. `labels` are texts by what their label would be; `reasons` why rows are bad → (n,
    first line).
    """

    n_rows: int = 0
    n_duplicates: int = 0
    n_bad: int = 0
    n_known: int = 0
    n_new: int = 0
    n_kept: int = 0
    n_ties: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add_bad(self, row: FeedRow[LabelRecord], reason: str) -> None:
        """Count a row that would not be taken."""
        self.n_bad += 1
        if reason in self.reasons or len(self.reasons) < MOST_REASONS:
            n, line = self.reasons.get(reason, (0, row.line))
            self.reasons[reason] = (n + 1, line)


def preview_labels(
    file: File, *, actor: User | SystemActor, on_progress: Callable[[int, float], None] | None = None
) -> Preview:
    """Return what `import_labels` would come to. Needs labeling.import_labels; raises as it does.

    Ties and labels are told from the file alone, by the method of the queue: without what earlier imports said about
    the same texts, and without how each rater errs, which is learnt once the votes are in.
    """
    require_permission(actor, "labeling.import_labels")
    preview = Preview()
    with file.open() as reading:
        asked = question(file.rules.question)
        tally = _Tally(asked.name, policy_for(asked.name).consensus_method)
        rows = sorted_out(records_of(reading, file.rules), key_of=lambda record: record.key)
        while batch := list(islice(rows, BATCH)):
            _look_at(asked, batch, preview, tally)
            if on_progress:
                on_progress(preview.n_rows, reading.share_read())
    preview.labels, preview.n_ties = tally.result()
    return preview


def _look_at(asked: Question, batch: list[Sorted[LabelRecord]], preview: Preview, tally: _Tally) -> None:
    found = find_subjects(asked, [each.row.record for each in batch if each.row.record])
    known = set()
    for row, is_repeated, _ in batch:
        preview.n_rows += 1
        record = row.record
        if record is None:
            preview.add_bad(row, row.error)
        elif is_repeated:
            preview.n_duplicates += 1
        elif (problem := found.problem_with(record)) and not (
            record.review and record.key_of_subject not in found.subjects
        ):
            preview.add_bad(row, problem)
        else:
            subject = found.subjects.get(record.key_of_subject, "")
            if tally.add(subject or record.key_of_subject, record):
                preview.n_known += bool(subject)
                preview.n_new += not subject
            known.add(subject)
    ours = Label.objects.filter(question=asked.name, subject__in=known).exclude(source__startswith="import:")
    decided = set(ours.values_list("subject", flat=True))
    preview.n_kept += sum(
        found.subjects.get(each.row.record.key_of_subject) in decided
        for each in batch
        if each.row.record and not each.is_repeated
    )


class _Tally:
    """The votes on each text, or the label that is stated. Texts are kept as hashes, and equal tallies once."""

    def __init__(self, question: str, method: str) -> None:
        self.question, self.method = question, method
        self.of: dict[bytes, tuple[str, ...]] = {}
        self.known: dict[tuple[str, ...], tuple[str, ...]] = {}

    def add(self, key: str, record: LabelRecord) -> bool:
        """Count what `record` says; returns whether it is the first about its text."""
        digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=15).digest()
        before = self.of.get(digest)
        if before is None or before[0] != STATED:
            said = (STATED, record.label) if not record.rater else (*sorted((*(before or ()), record.label)),)
            self.of[digest] = self.known.setdefault(said, said)
        return before is None

    def result(self) -> tuple[Counter[str], int]:
        """Return how many texts get which label, and how many none."""
        labels: Counter[str] = Counter()
        tallies = Counter(self.of.values())
        voted = [said for said in tallies if said[0] != STATED]
        for said in tallies.keys() - set(voted):
            labels[said[1]] += tallies[said]
        for said, label in zip(voted, imported_votes.preview(self.question, voted, method=self.method), strict=True):
            labels[label] += tallies[said]
        n_ties = labels.pop("", 0)
        return labels, n_ties
