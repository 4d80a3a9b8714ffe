"""What every policy check takes and gives: a draft in, hits with spans out; plain data, no tables, no models."""

from __future__ import annotations

import abc
import enum
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

from django.conf import settings

from core.facts import Fact as Fact
from core.loading import load_class
from moderation.policy.text import Text

logger = logging.getLogger(__name__)

# A hostile draft can trip a rule on every character; a reviewer is helped by the first hundred hits, not the rest.
MAX_HITS = 100
MAX_MESSAGE = 500
# No copy is longer. What lies beyond is read by no check, and blocks.
MAX_EXAMINED = 20_000


class Severity(enum.StrEnum):
    """What a hit asks for: `info` is shown, `warn` is confirmed or dismissed by a person, `block` stops the draft."""

    INFO = "info"
    WARN = "warn"
    BLOCK = "block"


@dataclass(frozen=True)
class OtherCopy:
    """Copy of another product that a draft may repeat. `ref` names it for a machine, `name` for a person."""

    ref: str
    name: str
    text: str


@dataclass(frozen=True)
class Draft:
    """A text and what it may claim. `prompt_lines` are the instructions it was written under, to see if they leak.

    `others` is live copy of other products that may be alike.
    """

    text: str
    channel: str
    locale: str
    title: str
    brand: str = ""
    category: str = ""
    facts: Sequence[Fact] = ()
    prompt_lines: Sequence[str] = ()
    others: Sequence[OtherCopy] = ()

    @cached_property
    def said(self) -> Text:
        """Return the text, read once for all checks."""
        return Text(self.text)

    @cached_property
    def own(self) -> Sequence[tuple[str, Text]]:
        """Return what the product says of itself, by where: its facts by name, then brand and title."""
        facts = [(fact.name, Text(fact.value)) for fact in self.facts]
        return (*facts, ("brand", Text(self.brand)), ("title", Text(self.title)))


@dataclass(frozen=True)
class Hit:
    """One thing found. `start` and `end` index `Draft.text` (end is one past the last); both None = the whole text."""

    code: str
    severity: Severity
    message: str
    start: int | None = None
    end: int | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CheckResult:
    """The hits of one check in one draft, and which version of the check looked."""

    check_name: str
    check_version: str
    hits: tuple[Hit, ...]


class Check(abc.ABC):
    """A rule of the house. Pure and deterministic: the same draft gives the same hits, whoever asks.

    `version` (at most 20 characters) is raised with every change that can change a hit.
    """

    name: ClassVar[str]
    version: str

    @abc.abstractmethod
    def find(self, draft: Draft) -> list[Hit]:
        """Return what is wrong with `draft`, in time linear in its length. Evidence is JSON."""


def run_checks(draft: Draft, checks: Iterable[Check]) -> list[CheckResult]:
    """Return one result for each check, in order.

    Fails closed: a check that raises, or points outside the text, yields one `check_failed` warning for a person, and
    text beyond `MAX_EXAMINED` characters blocks as `not_examined`.
    """
    examined = replace(draft, text=draft.text[:MAX_EXAMINED])
    length = len(draft.text)
    return [CheckResult(check.name, check.version, tuple(_find(check, examined, length))) for check in checks]


def load_checks() -> list[Check]:
    """Return the checks of `settings.POLICY_CHECKS`, in order. Raises `ImproperlyConfigured` for a wrong path."""
    return [load_class(path, Check)() for path in settings.POLICY_CHECKS]


def _find(check: Check, draft: Draft, length: int) -> list[Hit]:
    try:
        hits = check.find(draft)
        for hit in hits:
            _require_span(hit, length=len(draft.text))
    except Exception as exc:
        logger.exception("policy check %s failed", check.name)
        return [
            Hit(
                code="check_failed",
                severity=Severity.WARN,
                message=f"The check {check.name} failed ({type(exc).__name__}); a person has to look in its place.",
                evidence={"check": check.name, "error": type(exc).__name__},
            )
        ]
    if length > MAX_EXAMINED:
        message = f"Only the first {MAX_EXAMINED} characters were examined."
        hits = [*hits, Hit("not_examined", Severity.BLOCK, message, MAX_EXAMINED, length)]
    return _capped([_shortened(hit) for hit in hits])


def _require_span(hit: Hit, *, length: int) -> None:
    if hit.start is None and hit.end is None:
        return
    if hit.start is None or hit.end is None or not 0 <= hit.start <= hit.end <= length:
        raise ValueError(f"{hit.code} points at {hit.start}:{hit.end} in a text of {length} characters")


def _shortened(hit: Hit) -> Hit:
    if len(hit.message) <= MAX_MESSAGE:
        return hit
    return Hit(hit.code, hit.severity, hit.message[: MAX_MESSAGE - 1] + "…", hit.start, hit.end, hit.evidence)


def _capped(hits: list[Hit]) -> list[Hit]:
    """Keep the gravest `MAX_HITS` in the order of the text, and say that there were more."""
    if len(hits) <= MAX_HITS:
        return hits
    gravity = {Severity.BLOCK: 0, Severity.WARN: 1, Severity.INFO: 2}
    kept = sorted(sorted(range(len(hits)), key=lambda i: (gravity[hits[i].severity], i))[: MAX_HITS - 1])
    more = Hit(
        code="more_hits",
        severity=Severity.WARN,
        message=f"{len(hits) - len(kept)} further hits are not listed.",
        evidence={"not_listed": len(hits) - len(kept)},
    )
    return [*(hits[i] for i in kept), more]
