"""Spelling and grammar of English drafts, by Harper: hints for the person who reviews, and never a change by itself."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from moderation.policy.numbers import read_numbers

if TYPE_CHECKING:
    from harper import Lint, Linter

log = logging.getLogger(__name__)
# The first text loads the dictionary: 8 s on two slow cores. After that a sentence takes some 40 ms.
TIMEOUT_S: Final = 30.0
LONGEST: Final = 5_000  # characters that are read
MOST: Final = 8  # hints of a text
TOO_LONG: Final = "Spelling and grammar were not looked at: it took too long."
# Kinds of Harper's that say what is wrong, not what would be nicer.
KINDS: Final = frozenset(
    (
        *("Agreement", "BoundaryError", "Eggcorn", "Grammar", "Malapropism", "Miscellaneous", "Punctuation"),
        *("Repetition", "Spelling", "Typo", "Usage", "WordChoice"),
    )
)
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_REMOVE, _INSERT_AFTER = 1, 2


@dataclass(frozen=True)
class Hint:
    """What may be wrong at text[start:end], in words, and what to write instead; an empty `instead` cuts it."""

    start: int
    end: int
    instead: str
    message: str


@dataclass(frozen=True)
class Reading:
    """The hints of a text. `by` is what read it; empty where nothing did, and `note` says in words why."""

    hints: tuple[Hint, ...] = ()
    by: str = ""
    note: str = ""

    @property
    def as_json(self) -> dict[str, Any]:
        """Return it as plain data, for the row of a draft."""
        return asdict(self)


def proofread(text: str, *, locale: str, keep: Collection[str] = (), dialect: str = "american") -> Reading:
    """Return what may be wrong with the spelling and grammar of an English text, at most `MOST` hints in its order.

    Words of `keep` (title, brand, values of facts) count as right. What touches a number, a unit, one of these or a
    name is left out, and what has no replacement. Offline, within `TIMEOUT_S`; where it fails there are no hints, and a
    note. Of texts that come while one takes too long none waits.
    """
    if not locale.startswith("en"):
        return Reading(note="Spelling and grammar are looked at in English alone.")
    words = sorted({word for value in keep for word in _WORD.findall(value)})
    if any(not asked.done() for asked in _late()):
        return Reading(note=TOO_LONG)
    _late().clear()
    asked = _reader().submit(_hints, text[:LONGEST], words, dialect)
    try:
        found = asked.result(timeout=TIMEOUT_S)
    except TookTooLong:
        _late().append(asked)
        return Reading(note=TOO_LONG)
    except Exception as exc:
        log.exception("spelling and grammar cannot be looked at")
        return Reading(note=f"Spelling and grammar were not looked at: {type(exc).__name__}.")
    own = {word.casefold() for word in words}
    spans = [(number.start, number.end) for number in read_numbers(text)]
    spans += [match.span() for value in keep if len(value) > 1 for match in re.finditer(re.escape(value), text)]
    hints = [hint for hint in found if not _touches(hint, text, spans, own)]
    return Reading(tuple(hints[:MOST]), by=f"harper-py {version('harper-py')}")


def _touches(hint: Hint, text: str, spans: Collection[tuple[int, int]], own: Collection[str]) -> bool:
    """Whether a hint is about a number, a unit, a value of the product or a name."""
    said = text[hint.start : hint.end]
    beside = text[max(0, hint.start - 1) : hint.end + 1]
    if any(sign.isdigit() for sign in beside + hint.instead):
        return True
    if any(hint.start < end and start < hint.end for start, end in spans):
        return True
    words = _WORD.findall(said)
    if any(word.casefold() in own for word in words):
        return True
    # In capitals, or with one in the middle of a sentence: an abbreviation or a name.
    is_first = not text[: hint.start].rstrip() or text[: hint.start].rstrip()[-1] in '.!?:\n“"'
    return any(
        len(word) > 1 and (word[1:] != word[1:].lower() or (word[0].isupper() and not is_first)) for word in words
    )


def _hints(text: str, words: list[str], dialect: str) -> list[Hint]:
    linter = _linter(dialect)
    linter.clear_words()
    if words:
        linter.import_words(words)
    lints = linter.lint(text, language="plaintext")
    return list(_read(lints))


def _read(lints: list[Lint]) -> Iterator[Hint]:
    for lint in sorted(lints, key=lambda lint: lint.span.start):
        if lint.lint_kind not in KINDS or not lint.suggestions:
            continue
        said, first = lint.problem_text, lint.suggestions[0]
        instead = first.replacement_text
        if int(first.kind) == _INSERT_AFTER:
            instead = said + instead
        elif int(first.kind) == _REMOVE:
            instead = ""
        if len(said) == 1 and said.isupper() and instead.isupper():
            instead = instead.capitalize()  # “A” before a vowel: “An”, not “AN”
        if instead != said:
            yield Hint(
                lint.span.start, lint.span.end, instead, lint.message.replace("`", "“", 1).replace("`", "”", 1)[:200]
            )


@lru_cache(maxsize=1)
def _reader() -> ThreadPoolExecutor:
    """One thread reads all texts of a process: a linter is not thread-safe, and takes 100 MB."""
    return ThreadPoolExecutor(1, thread_name_prefix="proofreading")


@lru_cache(maxsize=1)
def _late() -> list[Future[list[Hint]]]:
    """Return what was asked of the reader and did not come in time."""
    return []


@lru_cache(maxsize=1)
def _linter(dialect: str) -> Linter:
    from harper import Dialect, Linter

    return Linter(Dialect[dialect.upper()])


# A thread does not come along into a forked worker; the linter it held does not either.
os.register_at_fork(after_in_child=_reader.cache_clear)
os.register_at_fork(after_in_child=_linter.cache_clear)
os.register_at_fork(after_in_child=_late.cache_clear)


def hints_of(reading: Mapping[str, Any]) -> list[Hint]:
    """Return the hints that the row of a draft holds."""
    return [Hint(**hint) for hint in reading.get("hints", ())]
