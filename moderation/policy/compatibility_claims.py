"""Claims to fit a model or a make: iPhone 15, Nespresso, USB-C."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from moderation.policy.claims import Claim
from moderation.policy.evidence import Evidence, Source
from moderation.policy.folding import Folded, fold
from moderation.policy.words import words_of

_FITS: Final = re.compile(
    r"\b(?:compatible with|works with|for use with|fits|fit for|designed for|made for|suitable for|supports)"
    r" (?:the |your |all |most |any )?(?P<what>[^.,;:!?()\n]{2,60})|(?:适用于|适配|兼容|适合|支持)(?P<zh>[^，。；：！？、()（）\n]{2,30})"
)
_MODEL: Final = re.compile(r"(?<![a-z0-9])(?=[a-z0-9+-]*[a-z])[a-z0-9][a-z0-9+-]*(?:[ -]?\d[a-z0-9]*)?")
_PROPER: Final = re.compile(
    r"(?<![A-Za-z])(?:[A-Z][A-Za-z0-9+&-]*|[a-z]{1,2}[A-Z][A-Za-z0-9]*|[A-Za-z]*\d[A-Za-z0-9-]*)"
)


_OCCASIONS: Final = frozenset(
    [
        "Christmas",
        "Easter",
        "Halloween",
        "Thanksgiving",
        "Hanukkah",
        "Diwali",
        "Ramadan",
        "Eid",
        "Valentine",
        "Valentines",
        "Mother",
        "Mothers",
        "Father",
        "Fathers",
        "Day",
        "New",
        "Year",
        "Spring",
        "Summer",
        "Autumn",
        "Fall",
        "Winter",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ]
)


def compatibility_claims(text: str, folded: Folded, evidence: Evidence) -> Iterator[Claim]:
    """Yield every model or make that `text` says the thing fits, with the fact that names it, or with what is wrong."""
    yield from _fits_all(text, folded, evidence)
    sources: list[tuple[Source, set[str]]] = []
    for match in _FITS.finditer(folded.text):
        group = "what" if match["what"] else "zh"
        start, end = folded.span(*match.span(group))
        # What a thing fits is a model or a make: iPhone 15, Nespresso, USB-C. "Fits small hands" claims none.
        names = [name for name in _PROPER.finditer(text, start, end) if not _is_no_make(text, name)]
        if not any(re.search(r"[A-Za-z]", name[0]) for name in names):
            continue
        wanted = {fold(name[0]).text for name in names}
        sources = sources or _words_of_sources(evidence)
        source = next((s for s, words in sources if wanted <= words), None)
        nearest = next((s for s, words in sources if wanted & words), None)
        span = folded.span(match.start(), match.start())[0], names[-1].end()
        said = text[span[0] : span[1]]
        if source:
            yield Claim(*span, "compatibility", said, source.name)
        else:
            closest = f"{nearest.name}: {nearest.text}" if nearest else ""
            yield Claim(*span, "compatibility", said, None, "unsupported_compatibility", closest)


# "Every Android phone", 所有安卓机型: more than a fact that names models says.
_ALL: Final = re.compile(
    r"\b(?:all|any|every) (?:[a-z]{2,12} ){0,2}?"
    r"(?:models?|phones?|smartphones?|devices?|machines?|cars?|vehicles?|laptops?)\b"
    r"|(?:所有|全部|任何|各种|全系)[^，。；！？\n]{0,6}?(?:机型|型号|手机|设备|车型|机器|电脑)"
)
_FIT_FACT: Final = re.compile(r"compatib|fits|works with|适配|适用|兼容")
_FITS_ALL: Final = re.compile(r"\b(?:all|any|every|universal)\b|所有|全部|任何|通用")


def _fits_all(text: str, folded: Folded, evidence: Evidence) -> Iterator[Claim]:
    named = [source for source in evidence.facts if _FIT_FACT.search(fold(source.name).text)]
    if not named:
        return
    source = next((source for source in named if _FITS_ALL.search(fold(source.text).text)), None)
    for match in _ALL.finditer(folded.text):
        start, end = folded.span(*match.span())
        if source:
            yield Claim(start, end, "compatibility", text[start:end], source.name)
        else:
            nearest = f"{named[0].name}: {named[0].text}"
            yield Claim(start, end, "compatibility", text[start:end], None, "unsupported_compatibility", nearest)


def _is_no_make(text: str, name: re.Match[str]) -> bool:
    """An occasion (Christmas) is no model, and a number is part of one only right after a name (iPhone 15)."""
    if name[0].isdigit():
        return not re.search(
            r"(?<![A-Za-z0-9_+-])[a-z]{0,2}[A-Z][\w+-]{0,20} $", text[max(0, name.start() - 24) : name.start()]
        )
    return name[0] in _OCCASIONS


def _words_of_sources(evidence: Evidence) -> list[tuple[Source, set[str]]]:
    found = []
    for source in evidence.sources:
        words = set(words_of(source.text).words) | {fold(match[0]).text for match in _PROPER.finditer(source.text)}
        found.append((source, words))
    return found
