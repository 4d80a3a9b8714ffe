"""How brands speak, as data: preferred and forbidden terms, tone and length of sentences, read strictly from YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints, ValidationError
from pydantic import model_validator as validator_of_model

from core.exceptions import PermanentError
from core.yaml_places import line_of
from moderation.policy.folding import fold
from moderation.policy.literals import literals
from moderation.policy.packs import Strict

HINT: Final = "docs/policies.md says how brand voices are written."
MOST_TERMS: Final = 200
_GAP: Final = re.compile(r"[\s-]+")


def key_of(text: str) -> str:
    """Return `text` as terms and brands are compared: folded, with one space for spaces and hyphens."""
    return _GAP.sub(" ", fold(text).text).strip()


def _as_term(text: str) -> str:
    if not any(char.isalnum() for char in key_of(text)):
        raise ValueError("a term holds a letter or a digit")
    if "*" in text:
        raise ValueError("a term is written out, without *; list each form")
    return text


_Words = StringConstraints(min_length=1, max_length=60, strip_whitespace=True)
Term = Annotated[str, _Words, AfterValidator(_as_term)]
Brand = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Tone = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]


class Preferred(Strict):
    """Say one term, and not the others."""

    say: Term
    instead_of: tuple[Term, ...] = Field(alias="not", min_length=1, max_length=20)


class Forbidden(Strict):
    """A term that the brand does not use, and what it says in its place. In a file the term alone will do."""

    term: Term
    instead: Term | None = None


def _as_forbidden(value: Any) -> Any:
    return {"term": value} if isinstance(value, str) else value


class Voice(Strict):
    """How one brand speaks in one language. `longest_sentence` counts words, and characters of Chinese."""

    tone: Tone = ""
    longest_sentence: int | None = Field(default=None, ge=5, le=200)
    preferred: tuple[Preferred, ...] = Field(default=(), max_length=MOST_TERMS)
    forbidden: tuple[Annotated[Forbidden, BeforeValidator(_as_forbidden)], ...] = Field(
        default=(), max_length=MOST_TERMS
    )

    @validator_of_model(mode="after")
    def _agrees_with_itself(self) -> Voice:
        if not (self.tone or self.longest_sentence or self.preferred or self.forbidden):
            raise ValueError("it says nothing: give tone, longest_sentence, preferred or forbidden")
        seen: set[str] = set()
        for term, _ in self._unwanted():
            if key_of(term) in seen:
                raise ValueError(f"“{term}” is listed twice as a term not to use")
            seen.add(key_of(term))
        for term in self.wanted:
            if key_of(term) in seen:
                raise ValueError(f"“{term}” is to be said, and not to be used")
        return self

    def _unwanted(self) -> Iterator[tuple[str, str]]:
        for preferred in self.preferred:
            yield from ((term, preferred.say) for term in preferred.instead_of)
        for forbidden in self.forbidden:
            yield forbidden.term, forbidden.instead or ""

    @cached_property
    def instead(self) -> Mapping[str, str]:
        """Return what is said in the place of each unwanted term, by `key_of` the term; empty where nothing is."""
        return {key_of(term): instead for term, instead in self._unwanted()}

    @cached_property
    def wanted(self) -> tuple[str, ...]:
        """Return the terms that the brand does use."""
        says = [preferred.say for preferred in self.preferred]
        return (*says, *(one.instead for one in self.forbidden if one.instead))

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        """Return one expression for all terms in folded text; None where there are none.

        Those that the brand uses are in it: “water bottle” is no “bottle”, where that is what it says.
        """
        terms = [*(term for term, _ in self._unwanted()), *self.wanted]
        return re.compile(literals(terms, loose=True)) if self.instead else None


class BrandVoices(Strict):
    """The voices of all brands, by brand and language."""

    brand_voices: Mapping[Brand, Mapping[Literal["en", "zh-Hans"], Voice]] = {}

    @validator_of_model(mode="after")
    def _names_each_brand_once(self) -> BrandVoices:
        seen: dict[str, str] = {}
        for brand in self.brand_voices:
            if other := seen.get(key_of(brand)):
                raise ValueError(f"{other} and {brand} are one brand")
            seen[key_of(brand)] = brand
        return self

    @cached_property
    def _by_key(self) -> Mapping[str, Mapping[Any, Voice]]:
        return {key_of(brand): voices for brand, voices in self.brand_voices.items()}

    def voice_for(self, brand: str, locale: str) -> Voice | None:
        """Return how `brand` speaks in `locale`, None where nothing is said about that."""
        return self._by_key.get(key_of(brand), {}).get(locale)

    def dump(self) -> dict[str, Any]:
        """Return them as plain data by brand, which `parse_voices` reads again: what a policy version keeps."""
        dumped: dict[str, Any] = self.model_dump(mode="json", exclude_defaults=True, by_alias=True)
        return dict(dumped.get("brand_voices", {}))


# What may stand where, by how deep it stands in the file.
_ALLOWED: Final[Mapping[str, type[BaseModel]]] = {"preferred": Preferred, "forbidden": Forbidden}


def parse_voices(by_brand: Any) -> BrandVoices:
    """Return the voices that a policy version keeps, as `BrandVoices.dump` gave them."""
    return BrandVoices.model_validate({"brand_voices": by_brand})


def read_voices(path: Path) -> BrandVoices:
    """Return the voices in the file `path`. Raises `PermanentError` that names file, line and what is allowed."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise PermanentError(f"{path.name} cannot be read: {exc}.", hint=HINT) from exc
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(exc, "problem", None) or str(exc)
        raise PermanentError(f"{path.name}{where}: this is no YAML: {problem}.", hint=HINT) from exc
    if not isinstance(document, dict) or "brand_voices" not in document:
        raise PermanentError(f"{path.name}, line 1: the file begins with brand_voices:", hint=HINT)
    if repeated := next(_repeated(root), None):
        line = repeated.start_mark.line + 1
        raise PermanentError(f"{path.name}, line {line}: {repeated.value} is there twice.", hint=HINT)
    try:
        return BrandVoices.model_validate(document)
    except ValidationError as exc:
        errors = sorted((line_of(root, error["loc"]), _told(error)) for error in exc.errors())
        mistakes = "; ".join(f"line {line}: {told}" for line, told in errors[:5])
        raise PermanentError(f"{path.name}, {mistakes}.", hint=HINT) from exc


def _told(error: Any) -> str:
    """Return a mistake with its place below the brand, and what may stand there."""
    place = [str(part) for part in error["loc"] if part != "[key]"]
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        parent = _ALLOWED[place[3]] if len(place) > 4 else (Voice if len(place) == 4 else BrandVoices)
        names = [field.alias or name for name, field in parent.model_fields.items()]
        message = f"there is no such key; allowed: {', '.join(names)}"
    where = " → ".join(place[1:] or place)
    return f"{where}: {message}" if where else message


def _repeated(node: Any) -> Iterator[yaml.ScalarNode]:
    """Yield keys that stand twice in one mapping: YAML would silently take the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    yield key
                seen.add(key.value)
            yield from _repeated(value)
    elif isinstance(node, yaml.SequenceNode):
        for one in node.value:
            yield from _repeated(one)
