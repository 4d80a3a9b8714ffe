"""How a feed is written as a whole: its decimal signs, column by column, and the language of its texts.

What a row says plainly needs neither. The first that has two readings has the feed read through once more, by `study`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from catalog.feeds.bad_row import BadRow
from catalog.feeds.numerals import COMMA, Numerals, Plainly, note_of, with_points
from catalog.languages import ENGLISH, Languages, language_in, surely_in
from catalog.models import Locale

_OURS = frozenset(Locale.values)
ASSUMED = "rows taken for English, though too little text tells; say --locale if they are not"
_HINT = 'say which it is: --locale en or zh-Hans (in a mapping: locale = "en")'


class Habits:
    """What is known of a feed beside the row in hand, and what is noted about that.

    `decimal` and `locale` are what the merchant said, which settles it; `usual` is the decimal sign where nothing
    tells. `study` is called once, if ever, and has `numerals` and `languages` hear the whole feed.
    """

    def __init__(
        self, study: Callable[[Habits], None], *, decimal: str = "", locale: str = "", usual: str = ""
    ) -> None:
        self.numerals = Numerals(decimal=decimal, usual=usual)
        self.languages = Languages()
        self.locale = locale
        self._study, self._is_studied = study, False
        self._notes: list[str] = []

    def plainly(self, column: str) -> Plainly:
        """Return what reads the numbers of a column, and takes note where they have a decimal comma."""
        return partial(self._with_points, column)

    def locale_of(self, text: str, more: str = "", *, is_review: bool = False) -> str:
        """Return the locale of a text: by itself, or by what the others are in. Raises `BadRow` where neither tells."""
        if self.locale:
            return self.locale
        if name := surely_in(text, more, is_review=is_review):
            return _ours(name)
        self._read_through()
        name = self.languages.common
        if not name:
            self.note(ASSUMED)
            return ENGLISH
        if name not in _OURS:
            raise BadRow(f"the language of the text cannot be told, and the feed is in {name}; {_HINT}")
        return name

    def note(self, what: str) -> None:
        """Have `what` counted of the row in hand."""
        self._notes.append(what)

    def take_notes(self) -> tuple[str, ...]:
        """Return what was noted since this was last called."""
        if not self._notes:
            return ()
        notes, self._notes = tuple(self._notes), []
        return notes

    def _with_points(self, column: str, text: str) -> str:
        signs = set[str]()
        plain = with_points(text, decimal=partial(self._decimal_of, column), signs=signs)
        if COMMA in signs and (what := note_of(column)) not in self._notes:
            self.note(what)
        return plain

    def _decimal_of(self, column: str) -> str:
        if not self.numerals.said:
            self._read_through()
        return self.numerals.decimal_of(column)

    def _read_through(self) -> None:
        if not self._is_studied:
            self._is_studied = True
            self._study(self)


def language_alone(text: str, more: str = "", *, is_review: bool = False) -> str:
    """Return the locale of a text that nothing is known of besides; English where it tells none. Raises `BadRow`."""
    return _ours(language_in(text, more, is_review=is_review) or ENGLISH)


def _ours(name: str) -> str:
    if name not in _OURS:
        raise BadRow(
            f"the text looks like {name}, and we read {', '.join(Locale.values)}; if it is one of them, say its locale"
        )
    return name
