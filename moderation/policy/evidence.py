"""What a product is known to be, read from its facts, title and brand: the numbers, materials and colours to hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

from catalog.units import canonical_unit
from moderation.policy.attributes import Attribute
from moderation.policy.base import Draft, Fact
from moderation.policy.binding import Binding, bind
from moderation.policy.folding import fold
from moderation.policy.lexicons import Lexicon, load_lexicon
from moderation.policy.measures import Measure, stated_by
from moderation.policy.numbers import Number, read_numbers

# Facts that say what the thing as a whole is made of; they contradict another material, other facts only fail to back
# it.
_MATERIAL_FACT = re.compile(r"material|fabric|composition|made of|材质|面料|材料|成分|质地")
_COLOUR_FACT = re.compile(r"colou?r|颜色|色系")
_UNIT_IN_NAME = re.compile(r"[(\[（]([^()\[\]（）]{1,12})[)\]）]")


@dataclass(frozen=True)
class Source:
    """A fact, or the title or the brand under that name."""

    name: str
    text: str
    has_evidence: bool = False


@dataclass(frozen=True)
class KnownNumber:
    """A number, where it is known from, and what it is of; `part` is "" where it is of the whole thing."""

    source: Source
    number: Number
    measure: Measure | None = None
    part: str = ""

    @property
    def text(self) -> str:
        """How the source writes it: "1.25 kg"."""
        written = self.source.text[self.number.start : self.number.end]
        return written or f"{self.number.value} {self.number.unit}".strip()


@dataclass(frozen=True)
class KnownWord:
    """A canonical material or colour and where it is known from."""

    source: Source
    name: str


class Evidence:
    """The facts of a draft, read once and indexed.

    Facts come first, so a claim is linked to a fact before the title.
    """

    def __init__(self, draft: Draft) -> None:
        self._facts = tuple(draft.facts)
        self.sources: Sequence[Source] = (
            *(Source(fact.name, fact.value, fact.has_evidence) for fact in draft.facts),
            Source("title", draft.title),
            Source("brand", draft.brand),
            Source("category", draft.category),
        )

    @cached_property
    def numbers(self) -> Sequence[KnownNumber]:
        """Return every number of the facts, the title and the brand."""
        return tuple(self._numbers())

    @cached_property
    def materials(self) -> Sequence[KnownWord]:
        """Return every material they name."""
        return tuple(self._words(load_lexicon("materials")))

    @cached_property
    def colours(self) -> Sequence[KnownWord]:
        """Return every colour they name, and those that a material has by itself."""
        lexicon = load_lexicon("colours")
        by_material = {
            material: colour for colour, materials in lexicon.materials.items() for material in sorted(materials)
        }
        own = (
            KnownWord(known.source, by_material[known.name]) for known in self.materials if known.name in by_material
        )
        return (*self._words(lexicon), *own)

    @cached_property
    def stated_materials(self) -> Sequence[KnownWord]:
        """Return the materials that a fact about the material names."""
        return tuple(known for known in self.materials if _MATERIAL_FACT.search(known.source.name.lower()))

    @cached_property
    def stated_colours(self) -> Sequence[KnownWord]:
        """Return the colours that a fact about the colour names."""
        return tuple(known for known in self.colours if _COLOUR_FACT.search(known.source.name.lower()))

    @cached_property
    def folded(self) -> Sequence[tuple[Source, str]]:
        """Return the sources with their folded text."""
        return tuple((source, fold(source.text).text) for source in self.sources)

    def find_wording(self, wording: str) -> Source | None:
        """Return the first source that has `wording` (folded) as a whole word."""
        pattern = re.compile(rf"(?<![a-z0-9]){re.escape(wording)}(?![a-z0-9])")
        return next((source for source, text in self.folded if pattern.search(text)), None)

    @property
    def facts(self) -> Sequence[Source]:
        """Return the facts alone, without title, brand and category."""
        return self.sources[: len(self._facts)]

    def values_of(self, attribute: Attribute) -> Sequence[KnownWord]:
        """Return the values of `attribute` that any source names."""
        return tuple(self._words(attribute.values))

    def stated_values(self, attribute: Attribute) -> Sequence[KnownWord]:
        """Return the values that facts about `attribute` state."""
        facts = [source for source in self.facts if attribute.is_stated_by(source.name)]
        return tuple(
            KnownWord(source, name) for source in facts for name in _stated_names(source.text, attribute.values)
        )

    def find_text(self, said: str) -> Source | None:
        """Return the first source whose folded text holds `said`, anywhere (圆领 in 小圆领)."""
        return next((source for source, text in self.folded if said in text), None)

    def _numbers(self) -> Iterator[KnownNumber]:
        for fact in self._facts:
            source, stated = Source(fact.name, fact.value), stated_by(fact.name)
            numbers = read_numbers(fact.value)
            # "Weight (g): 240" and "Width in cm: 26" carry the unit in the name.
            named = _UNIT_IN_NAME.search(fact.name) or re.search(r"\bin ([a-z]{1,12})$", fact.name.lower())
            unit = (canonical_unit(named[1]) or "") if named else ""
            for number, inside in zip(numbers, _bound(fact, numbers), strict=True):
                # A value may say more than the name: "26 cm wide, 30 cm high" of the fact Dimensions.
                is_named = stated.measure is not None and not stated.measure.is_generic
                measure = inside.measure if inside and not is_named else stated.measure
                part = stated.part or (inside.part if inside else "")
                yield KnownNumber(source, number, measure, part)
                if unit and not number.unit and number.value is not None:
                    yield KnownNumber(source, replace(number, unit=unit), measure, part)
            if fact.number is not None:
                unit = canonical_unit(fact.unit) or "" if fact.unit else ""
                yield KnownNumber(source, Number(0, 0, Decimal(str(fact.number)), unit), stated.measure, stated.part)
            for number in read_numbers(fact.name):
                yield KnownNumber(source, replace(number, start=0, end=0))
        for source in self.sources[len(self._facts) :]:
            numbers = read_numbers(source.text)
            for number, inside in zip(numbers, bind(source.text, numbers), strict=True):
                yield KnownNumber(source, number, inside.measure if inside else None)

    def _words(self, lexicon: Lexicon) -> Iterator[KnownWord]:
        for source in self.sources:
            for mention in lexicon.mentions(source.text):
                yield KnownWord(source, mention.name)


def _stated_names(value: str, lexicon: Lexicon) -> list[str]:
    """Return what the value of a fact names; a word that counts only beside a cue counts alone here ("low")."""
    alone = lexicon.cued_names.get(fold(value).text.strip())
    return [alone] if alone else [mention.name for mention in lexicon.mentions(value)]


def _bound(fact: Fact, numbers: Sequence[Number]) -> Sequence[Binding | None]:
    """Return what the numbers of a fact's value are of, where value or name say so ("Size (L x W x H)")."""
    order = re.search(r"[LWHD](?:\s?[x×*]\s?[LWHD]){1,2}", fact.name, re.I)
    return bind(f"{fact.value} ({order[0]})" if order else fact.value, numbers)
