"""What customers write, as feeds state it: reviews and messages, each with its fields and the way one is made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from catalog.cleaning import clean_line
from catalog.feeds.bad_row import BadRow
from catalog.feeds.base import (
    MAX_AUTHOR,
    REVIEW_ALONE,
    SAY_FORMAT,
    Record,
    checked_key,
    checked_line,
    checked_text,
    locale_of,
    make_review,
)
from catalog.feeds.dates import parse_moment
from catalog.feeds.habits import Habits
from catalog.feeds.mapping import REVIEW_FIELDS, Mapping, Row
from catalog.models import MessageChannel
from core.spreadsheets import unguarded

T = TypeVar("T", bound=Record)
MESSAGE_FIELDS = ("text", "external_id", "sku", "channel", "locale", "author", "received_at")


class MessageRecord(NamedTuple):
    """A message of a customer as a feed states it. `author` is who wrote it, as the shop calls them; it is not kept."""

    text: str
    locale: str
    external_id: str = ""
    sku: str = ""
    channel: str = MessageChannel.OTHER.value
    author: str = ""
    received_at: dt.datetime | None = None

    @property
    def title(self) -> str:
        """Nothing: a row that is not taken is named by its line, and no words of it are written down elsewhere."""
        return ""


class TextKind(NamedTuple, Generic[T]):
    """One kind of texts: its fields, the one with its date, and what makes a record of them as `make_review` does."""

    fields: tuple[str, ...]
    date: str
    make: Callable[..., T]

    def record(self, row: Row, rules: Mapping, habits: Habits) -> T:
        """Return the record that `rules` make of `row`. Raises `BadRow`."""
        values = {name: rule.of(row) for name, rule in rules.fields.items()}
        for name in ("sku", "external_id"):
            values[name] = unguarded(values.get(name, ""), is_key=True)
        date_form = rules.fields[self.date].format if self.date in rules.fields else ""
        return self.make(**values, date_form=date_form, language=partial(habits.locale_of, is_review=True))


def make_message(
    *,
    text: str,
    external_id: str = "",
    sku: str = "",
    channel: str = "",
    locale: str = "",
    author: str = "",
    received_at: str = "",
    date_form: str = "",
    language: Callable[[str], str] = REVIEW_ALONE,
) -> MessageRecord:
    """Clean and check a message of a customer. Raises `BadRow` with the reason.

    `date_form` says how its date is written; an empty `locale` is what `language` makes of the text.
    """
    text = checked_text("text", text)
    if not text:
        raise BadRow("the text is empty")
    channel = clean_line(channel).casefold() or MessageChannel.OTHER.value
    if channel not in MessageChannel.values:
        raise BadRow(f"the channel {channel[:40]!r} is none of {', '.join(MessageChannel.values)}")
    return MessageRecord(
        text=text,
        locale=locale_of(locale) if locale.strip() else language(text),
        external_id=checked_key("external_id", external_id),
        sku=checked_key("sku", sku),
        channel=channel,
        author=checked_line("author", author, MAX_AUTHOR),
        received_at=parse_moment("received_at", clean_line(received_at), form=date_form, hint=SAY_FORMAT),
    )


REVIEWS = TextKind(REVIEW_FIELDS, "written_at", make_review)
MESSAGES = TextKind(MESSAGE_FIELDS, "received_at", make_message)
