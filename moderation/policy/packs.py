"""Policy packs: reviewed YAML files of rules with law, examples and dates, read strictly into immutable values."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from core.exceptions import PermanentError
from moderation.policy.base import Draft, Fact, Severity
from moderation.policy.literals import literals

PACKS_FOLDER: Final = Path(__file__).parent / "packs"
HINT: Final = "docs/policies.md says how a pack is written."
M = TypeVar("M", bound=BaseModel)
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,59}$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Strict(BaseModel):
    """No unknown keys, and nothing changes after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))


class Source(Strict):
    """Where a rule comes from: the law as it is cited, the article, and from when it has applied."""

    law: Text
    article: str = ""
    valid_from: dt.date | None = None
    url: str = ""


class Example(Strict):
    """A draft that a rule must catch or leave alone. In a file a plain text will do."""

    text: Text
    locale: str = ""
    channel: str = "description"
    title: str = ""
    brand: str = ""
    category: str = ""
    facts: Mapping[str, str] = {}

    def draft(self, locale: str) -> Draft:
        """Return the example as a draft, in `locale` unless it names one of its own."""
        facts = [Fact(name, value) for name, value in self.facts.items()]
        return Draft(self.text, self.channel, self.locale or locale, self.title, self.brand, self.category, facts)


def _as_example(value: Any) -> Any:
    return {"text": value} if isinstance(value, str) else value


def _compiles(value: str) -> str:
    try:
        re.compile(value)
    except re.error as exc:
        raise ValueError(f"{value!r} is no regular expression: {exc}") from exc
    return value


Pattern = Annotated[str, StringConstraints(min_length=1), BeforeValidator(_compiles)]
Examples = tuple[Annotated[Example, BeforeValidator(_as_example)], ...]


class Context(Strict):
    """What stands around a term. It fits if any of its expressions does, on folded text within the sentence.

    `before` has to end where the term begins, `after` has to begin where it ends, `sentence` may be anywhere.
    """

    note: str = ""
    before: tuple[Pattern, ...] = ()
    after: tuple[Pattern, ...] = ()
    sentence: tuple[Pattern, ...] = ()

    @cached_property
    def expressions(self) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None, re.Pattern[str] | None]:
        """Return before, after and sentence as one expression each; None where there is none."""
        before = re.compile(f"(?:{'|'.join(self.before)})$") if self.before else None
        after = re.compile("|".join(self.after)) if self.after else None
        return before, after, re.compile("|".join(self.sentence)) if self.sentence else None

    def fits(self, before: str, term: str, after: str) -> bool:
        """Say whether `term` stands in this context; `before` and `after` are the rest of its sentence."""
        ending, beginning, anywhere = self.expressions
        return bool(
            (ending and ending.search(before))
            or (beginning and beginning.match(after))
            or (anywhere and anywhere.search(f"{before}{term}{after}"))
        )


class Rule(Strict):
    """One rule. `terms` are literal words, `patterns` regular expressions, both matched on folded text.

    `together` names lists of words of the pack: one of each has to stand in one sentence, near the others.
    `unless` lists longer wordings in which a match is innocent. Of the contexts of the pack, one of `only_if` has to
    fit for a match to count; one of `not_if` makes it an exempted one, which is shown and asks for nothing.
    What the sentence denies, quotes or tells of counts only where `counts_if` says so.
    `floor` is the share of answers, 0 to 1, that have to confirm it, else a softer severity is proposed;
    `may_soften` says whether one ever is (default: unless it is law and blocks).
    Empty `channels` and `categories` mean all; a category fits if it or the title contains one of the words.
    """

    id: Name
    code: Name
    severity: Severity
    locales: tuple[str, ...] = Field(min_length=1)
    channels: tuple[str, ...] = ()
    categories: tuple[Text, ...] = ()
    not_categories: tuple[Text, ...] = ()
    message: Annotated[Text, StringConstraints(max_length=400)]
    sources: tuple[Source, ...] = Field(min_length=1)
    valid_from: dt.date | None = None
    terms: tuple[Text, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    together: tuple[Name, ...] = ()
    unless: tuple[Text, ...] = ()
    unless_patterns: tuple[Pattern, ...] = ()
    only_if: tuple[Name, ...] = ()
    not_if: tuple[Name, ...] = ()
    counts_if: tuple[Literal["denied", "notice", "quoted", "told"], ...] = ()
    floor: float | None = Field(default=None, ge=0, le=1)
    may_soften: bool | None = None
    bad: Examples = Field(min_length=1)
    good: Examples = Field(min_length=1)

    @model_validator(mode="after")
    def _finds_something(self) -> Rule:
        if not (self.terms or self.patterns or self.together):
            raise ValueError("it has neither terms nor patterns")
        if len(self.together) == 1:
            raise ValueError("together takes two lists of words or more")
        if self.pattern.match(""):
            raise ValueError("it matches the empty text")
        return self

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Return the rule as one expression. Innocent wordings come first and are told by the missing group `hit`.

        A word of `terms` is the group `term` as well.
        """
        parts = [*self.unless_patterns]
        if self.unless:
            parts.insert(0, literals(self.unless, loose=True))
        wanted = [*self.patterns] or ["(?!)"]
        if self.terms:
            wanted.insert(0, f"(?P<term>{literals(self.terms, loose=True)})")
        else:
            wanted.insert(0, "(?P<term>(?!))")
        parts.append(f"(?P<hit>{'|'.join(wanted)})")
        return re.compile("|".join(parts), re.M)

    def speaks(self, locale: str) -> bool:
        """Say whether the rule is for the language of `locale`."""
        language = locale.split("-")[0].lower()
        return any(own == "any" or own.split("-")[0].lower() == language for own in self.locales)


class Pack(Strict):
    """The rules of one jurisdiction or of the house, with the contexts and the lists of words that they share."""

    pack: Name
    title: Text
    jurisdiction: Text
    valid_from: dt.date
    reading: str = Field(default="", description="what is law here, and what is how we read it")
    contexts: Mapping[Name, Context] = {}
    words: Mapping[Name, tuple[Text, ...]] = {}
    rules: tuple[Rule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Pack:
        seen: set[str] = set()
        for rule in self.rules:
            if rule.id in seen:
                raise ValueError(f"rule {rule.id}: there are two of this id")
            seen.add(rule.id)
            if unknown := {*rule.only_if, *rule.not_if} - self.contexts.keys():
                raise ValueError(f"rule {rule.id}: no context {', '.join(sorted(unknown))}")
            if unknown := {*rule.together} - self.words.keys():
                raise ValueError(f"rule {rule.id}: no list of words {', '.join(sorted(unknown))}")
        if idle := self.words.keys() - {name for rule in self.rules for name in rule.together}:
            raise ValueError(f"no rule uses the list of words {', '.join(sorted(idle))}")
        used = {name for rule in self.rules for name in (*rule.only_if, *rule.not_if)}
        if idle := self.contexts.keys() - used:
            raise ValueError(f"no rule uses the context {', '.join(sorted(idle))}")
        return self

    @cached_property
    def lists(self) -> Mapping[str, re.Pattern[str]]:
        """Return each list of words as one expression."""
        return {name: re.compile(literals(words, loose=True)) for name, words in self.words.items()}

    def valid(self, rule: Rule, on: dt.date) -> bool:
        """Say whether `rule` has come into force by `on`."""
        return max(self.valid_from, rule.valid_from or self.valid_from) <= on


@lru_cache
def load_packs(folder: Path = PACKS_FOLDER) -> tuple[Pack, ...]:
    """Return the packs of `folder`, by name. Raises `PermanentError` that names file, rule and mistake."""
    packs = tuple(read_pack(path) for path in sorted(folder.glob("*.yaml")))
    if not packs:
        raise PermanentError(f"{folder.name} holds no policy pack.", hint=HINT)
    return packs


def read_pack(path: Path) -> Pack:
    """Return the pack in `path`, which has to be named after it. Raises `PermanentError`."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise PermanentError(f"{path.name} is no YAML: {exc}.", hint=HINT) from exc
    pack = parse_pack(document, name=path.name)
    if pack.pack != path.stem:
        raise PermanentError(f"{path.name} holds the pack {pack.pack}: name the file after it.", hint=HINT)
    return pack


def parse_pack(document: Any, *, name: str) -> Pack:
    """Return the pack that `document` (plain data) holds. Raises `PermanentError` naming `name`, rule and mistake."""
    return validated(Pack, document, name=name)


def validated(model: type[M], document: Any, *, name: str) -> M:
    """Return `document` as a `model`. Raises `PermanentError` naming `name` and the first mistakes with their place."""
    try:
        return model.model_validate(document)
    except ValidationError as exc:
        mistakes = "; ".join(mistake(document, error["loc"], error["msg"]) for error in exc.errors()[:5])
        raise PermanentError(f"{name}: {mistakes}.", hint=HINT) from exc


def dump_packs(packs: Iterable[Pack]) -> list[dict[str, Any]]:
    """Return `packs` as plain data that `parse_pack` reads again: what a policy version keeps."""
    return [pack.model_dump(mode="json", exclude_defaults=True) for pack in packs]


def mistake(document: Any, place: tuple[int | str, ...], message: str) -> str:
    """Return a mistake with the rule it is in: `rule absolute_terms, severity: …`."""
    message = message.removeprefix("Value error, ")
    if place[:1] == ("rules",) and len(place) > 1 and isinstance(place[1], int):
        entry = document["rules"][place[1]]
        rule = entry.get("id", place[1] + 1) if isinstance(entry, dict) else place[1] + 1
        return f"rule {rule}, {'.'.join(map(str, place[2:]))}: {message}" if place[2:] else f"rule {rule}: {message}"
    return f"{'.'.join(map(str, place))}: {message}" if place else message
