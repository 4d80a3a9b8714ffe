"""What a row of a file of labels means: a customer review, its label, and whose vote it is, if anybody's."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.cleaning import clean_line
from catalog.feeds.base import BadRow, FeedRow, ReviewRecord, make_review, parse_moment
from catalog.import_writes import external_id_of
from catalog.models import CustomerReview
from core.exceptions import PermanentError
from core.hashing import hash_json
from core.label_sets import NONE
from core.refs import pk_of
from labeling.exchange.rows import (
    VOTE_FIELDS,
    Reading,
    Row,
    as_text,
    in_our_names,
    other_names,
    raw_of,
    spread,
)
from labeling.question import Question, question
from labeling.subject import subject_of
from moderation.label_exchange.answers import LabelReader
from moderation.label_exchange.columns import REVIEW, columns_of, key_in, named_by, reference_in, stated_in
from moderation.models.reviews import COPY_VERDICT

USUAL = "sentiment"
LONGEST_S = 366 * 24 * 3600
LONGEST_RATER = 500
MOST_TOGETHER = 10_000
LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)
CORRECTED = "the same person answered this again later; that answer counts"


@dataclass(frozen=True)
class Rules:
    """How a file is read: field → column, label there → label here, and whose people the raters are.

    Raters of the same name in the same `pool` are one person, in every file. `question` is the question it answers.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    pool: str = ""
    question: str = USUAL

    def check(self, reading: Reading) -> None:
        """Raise `PermanentError` for a question that takes no file, for a field, a label or, where the file has a
        header, a column that there is not.
        """
        asked = answered_by_files(self.question)
        places = columns_of(asked)
        # Of several answers each may have a column of its own.
        known, own = asked.labels, asked.labels if asked.is_multiple else ()
        if strangers := sorted(set(self.columns) - {*places, *own}):
            fields = ", ".join([*places, *own])
            raise PermanentError(f"There is no field {', '.join(strangers)}.", hint=f"Fields: {fields}.")
        read_from = [self.columns.get(name, name) for name in own]
        if twice := sorted({column for column in read_from if read_from.count(column) > 1}):
            raise PermanentError(
                f"Several answers would be read from the column {', '.join(twice)}.",
                hint="Each answer has a column of its own: --column ANSWER=COLUMN.",
            )
        if strangers := sorted(set(self.labels.values()) - {*known, *([NONE] if own else [])}):
            raise PermanentError(f"There is no label {', '.join(strangers)}.", hint=f"Labels: {', '.join(known)}.")
        if reading.columns is None:
            return
        columns = {*reading.columns, *other_names(reading.columns)}
        there = f"It has: {', '.join(reading.columns)[:500]}. Say which is which: --column label=stars."
        if absent := sorted(set(self.columns.values()) - columns):
            raise PermanentError(f"the file has no column {', '.join(absent)}.", hint=there)
        found = {name for name in places if set(self.looked_for(name)) & columns}
        if columns & {self.columns.get(name, name) for name in own}:
            found.add("label")
        if "label" not in found or not found & {*named_by(asked)}:
            named = named_by(asked)[0]
            raise PermanentError(f"nothing says which columns are the {named} and the label.", hint=there)

    def looked_for(self, name: str) -> tuple[str, ...]:
        """Return the columns that the field `name` is looked for in."""
        if name in self.columns:
            return (self.columns[name],)
        places = columns_of(question(self.question))
        if name != "label":
            return places[name]
        # A question may be called what another field is: a column of that name is not its answer first.
        is_a_field = any(self.question in columns for columns in places.values())
        return ("label", self.question) if is_a_field else (self.question, "label")

    @property
    def key(self) -> str:
        """A hash of what makes the same file mean something else."""
        said = {"columns": dict(self.columns), "labels": dict(self.labels), "pool": self.pool}
        # Left out where it is the usual one: an import that an earlier version began goes on.
        return hash_json(said if self.question == USUAL else {**said, "kind": self.question})


def answered_by_files(name: str) -> Question:
    """Return the question `name`, whose labels come in with files. Raises `PermanentError` where they do not.

    They do where people answer out of a closed list, and nothing is published by it.
    """
    found = question(name)
    if not found.has_page or not found.labels or name == COPY_VERDICT:
        raise PermanentError(
            f"{name} is not answered by files.", hint="A verdict on copy is a decision, which a person makes here."
        )
    return found


@dataclass(frozen=True, slots=True)
class LabelRecord:
    """A label (`rater` empty) or a vote. `pk` or an external id name a review; `review` has its text, if the row does.

    `has_own_id`: the external id was given, and is not the hash of the content; of other subjects, not our reference.
    `stated`: what the row says of which one our reference means (`Subject.told_by`).
    """

    label: str
    rater: str
    external_id: str
    has_own_id: bool
    pk: uuid.UUID | None = None
    review: ReviewRecord | None = None
    at: dt.datetime | None = None
    seconds: float | None = None
    stated: tuple[tuple[str, str], ...] = ()

    @property
    def key_of_subject(self) -> str:
        """What names the subject. Of a review: the key of ours, the shop's id, or the hash of the content."""
        return str(self.pk) if self.pk else self.external_id

    @property
    def key(self) -> str:
        """What two rows about the same review by the same rater have in common."""
        return f"{self.key_of_subject}\n{self.rater}"

    @property
    def title(self) -> str:
        """What stands for the row where it could not be taken."""
        return self.review.text[:200] if self.review else self.external_id or str(self.pk)


def records_of(reading: Reading, rules: Rules) -> Iterator[FeedRow[LabelRecord]]:
    """Yield the labels and votes of a file, or why a row of it is none.

    Of a rater's answers in a row the latest counts.
    """
    read = _Reader(rules, reading.columns)
    return latest(read.record(row) for whole in reading.rows for row in spread(whole))


def latest(rows: Iterable[FeedRow[LabelRecord]]) -> Iterator[FeedRow[LabelRecord]]:
    """Yield `rows`; of what one rater said about a review in rows that follow each other, the latest alone.

    People correct themselves; what they said before is named. Where the times are the same, or are not told, the later
    row is the later answer. Rows that lie apart are told by who reads them.
    """
    together: list[FeedRow[LabelRecord]] = []
    key = ""
    for row in rows:
        # A row that cannot be read, a skipped task perhaps, does not part what stands around it.
        key_of_row = row.record.key_of_subject if row.record else key
        if key_of_row != key or len(together) >= MOST_TOGETHER:
            yield from _with_the_latest(together)
            together, key = [], key_of_row
        together.append(row)
    yield from _with_the_latest(together)


def _with_the_latest(rows: Sequence[FeedRow[LabelRecord]]) -> Iterator[FeedRow[LabelRecord]]:
    final: dict[str, LabelRecord] = {}
    for row in rows if len(rows) > 1 else ():
        if row.record and row.record.rater:
            held = final.setdefault(row.record.rater, row.record)
            if (row.record.at or LONG_AGO) >= (held.at or LONG_AGO):
                final[row.record.rater] = row.record
    for row in rows:
        record = row.record
        if record and final.get(record.rater, record) != record:
            yield FeedRow(row.line, error=CORRECTED, sku=row.sku, raw=record.title)
        else:
            yield row


class _Reader:
    def __init__(self, rules: Rules, columns: Sequence[str] | None) -> None:
        self.asked = question(rules.question)
        there = {name: rules.looked_for(name) for name in columns_of(self.asked)}
        if columns is not None:
            # Those of a list of votes are no columns of their own.
            known = {*columns, *other_names(columns), *VOTE_FIELDS}
            there = {name: tuple(column for column in places if column in known) for name, places in there.items()}
        self.asked_for = " or ".join(there["label"])
        self.answers = LabelReader(self.asked, places=there.pop("label"), renamed=rules.labels, columns=rules.columns)
        self.places = list(there.items())

    def record(self, row: Row) -> FeedRow[LabelRecord]:
        """Return the record of `row`, or what is wrong with it."""
        error, sku = row.error, ""
        if not error:
            try:
                stated = in_our_names(row.values)
                answers = stated if row.answers is None else in_our_names(row.answers)
                values = {name: _text(stated, columns) for name, columns in self.places}
                sku, label = values.get("sku", ""), self.answers.read(answers)
                if not label and row.answers:
                    raise BadRow(f"nothing answers {self.asked_for}; answered: {', '.join(row.answers)[:200]}")
                return FeedRow(row.line, self._record(values, label), sku=sku)
            except (BadRow, ValueError) as exc:
                error = str(exc)
        raw = "" if subject_of(self.asked.about).is_personal else row.raw or raw_of(row.values)
        return FeedRow(row.line, error=error, sku=sku, raw=raw, breaks_off=row.breaks_off)

    def _record(self, values: Mapping[str, str], label: str) -> LabelRecord:
        if not label:
            raise BadRow("there is no label")
        if self.asked.about != REVIEW:
            return self._of_another(values, label)
        subject, review = values["subject"], None
        if values["text"]:
            review = make_review(
                text=values["text"],
                external_id=values["external_id"],
                sku=values["sku"],
                locale=values["locale"],
                title=values["title"],
                rating=values["rating"],
            )
        elif not (subject or values["external_id"]):
            raise BadRow("the text is empty")
        return LabelRecord(
            label=label,
            rater=_rater(values),
            pk=_pk(subject) if subject else None,
            review=review,
            external_id=external_id_of(review) if review else clean_line(values["external_id"]),
            has_own_id=bool(values["external_id"]),
            at=parse_moment("annotated_at", values["annotated_at"]),
            seconds=_seconds(values["seconds"]),
        )

    def _of_another(self, values: Mapping[str, str], label: str) -> LabelRecord:
        about = subject_of(self.asked.about)
        reference = reference_in(values, about)
        return LabelRecord(
            label=label,
            rater=_rater(values),
            external_id=reference or key_in(values, about),
            has_own_id=not reference,
            at=parse_moment("annotated_at", values["annotated_at"]),
            seconds=_seconds(values["seconds"]),
            stated=stated_in(values, about) if reference else (),
        )


def _rater(values: Mapping[str, str]) -> str:
    rater = values["rater"]
    if len(rater) > LONGEST_RATER:
        raise BadRow(f"the rater's name is {len(rater):,} characters long; at most {LONGEST_RATER}")
    return rater


def _text(values: Mapping[str, Any], columns: tuple[str, ...]) -> str:
    for column in columns:
        if column in values:
            try:
                return as_text(values[column]).strip()
            except ValueError as exc:
                raise BadRow(f"{column} has {exc}") from exc
    return ""


def _pk(subject: str) -> uuid.UUID:
    try:
        return uuid.UUID(pk_of(subject, CustomerReview))
    except ValueError:
        raise BadRow(f"the subject {subject[:80]!r} is no customer review") from None


def _seconds(text: str) -> float | None:
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= LONGEST_S:
        raise BadRow(f"the seconds {text[:40]!r} are no number from 0 to {LONGEST_S:,}")
    return seconds
