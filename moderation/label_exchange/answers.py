"""How a row of a file says its label: one answer of a closed list, or several, in a list or a column each."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from catalog.feeds.base import BadRow
from core import label_sets
from core.label_sets import NONE
from labeling.exchange.rows import as_text
from labeling.question import Question

# Between several answers in one cell.
BETWEEN = re.compile(r"[+|;,]")
HOLDS = {"1": True, "yes": True, "true": True, "x": True, "0": False, "no": False, "false": False, "": False}


class LabelReader:
    """Reads the label of rows of `asked`: under one of the columns `places`; of several answers also from a column
    each, `columns` says which if it is not called as the answer. `renamed`: what the file calls an answer → the answer.
    """

    def __init__(
        self, asked: Question, *, places: Sequence[str], renamed: Mapping[str, str], columns: Mapping[str, str]
    ) -> None:
        self.asked, self.places = asked, tuple(places)
        self.names = {**{name: name for name in asked.labels}, **renamed}
        if asked.is_multiple:
            self.names.setdefault(NONE, NONE)
        self.column_of = {name: columns.get(name, name) for name in asked.labels} if asked.is_multiple else {}

    def read(self, values: Mapping[str, Any]) -> str:
        """Return the label that `values` say; empty where they say none. Raises `BadRow` for what is no answer."""
        place = next((place for place in self.places if place in values), "")
        value = values.get(place)
        if not self.asked.is_multiple:
            said = _text(value, place)
            return self._known(said) if said else ""
        if _is_blank(value, place):
            return self._of_columns(values)
        return self._joined([self._known(one) for one in self._parts(value)])

    def _known(self, said: str) -> str:
        label = self.names.get(said) or self.names.get(said.casefold())
        if not label:
            raise BadRow(f"the label {said[:60]!r} is none of {', '.join(self._allowed())}")
        return label

    def _allowed(self) -> list[str]:
        return [*self.asked.labels, *([NONE] if self.asked.is_multiple else [])]

    def _parts(self, value: Any) -> list[str]:
        """Return the several answers in a value: a list, JSON's too, Label Studio's `choices`, or parts of a text."""
        if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                raise BadRow(f"the list of answers {value[:60]!r} cannot be read") from None
        if isinstance(value, Mapping) and isinstance(value.get("choices"), list):
            value = value["choices"]
        if isinstance(value, list | tuple):
            return [_text(one, "the list of answers") for one in value]
        text = _text(value, "label")
        if text in self.names or text.casefold() in self.names:
            return [text]
        # A text of separators says nothing: an empty list says that none holds.
        return [part for one in BETWEEN.split(text) if (part := one.strip())] or [text]

    def _joined(self, said: Collection[str]) -> str:
        if NONE in said and len(set(said)) > 1:
            raise BadRow(f"{NONE!r} stands alone, and the row also says {', '.join(sorted(set(said) - {NONE}))}")
        return label_sets.join(said, self.asked.labels)

    def _of_columns(self, values: Mapping[str, Any]) -> str:
        there = {name: column for name, column in self.column_of.items() if column in values}
        said = {name: _text(values[column], column).casefold() for name, column in there.items()}
        if not any(said.values()):
            return ""
        for name, word in said.items():
            if word not in HOLDS:
                raise BadRow(f"{there[name]} says {word[:40]!r}; of each answer a row says 1 or 0, yes or no")
        return label_sets.join([name for name, word in said.items() if HOLDS[word]], self.asked.labels)


def _is_blank(value: Any, place: str) -> bool:
    """Whether a cell is empty: also of blanks, or of what tables have for no value (NaN). An empty list is not."""
    return not isinstance(value, list | tuple | Mapping) and not _text(value, place)


def _text(value: Any, place: str) -> str:
    try:
        return as_text(value).strip()
    except ValueError as exc:
        raise BadRow(f"{place} has {exc}") from exc
