"""Claims made by a whole phrase: origin, certificates, compatibility, comparisons, first or only, yes or no."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from moderation.policy.claims import Claim, Kind
from moderation.policy.compatibility_claims import compatibility_claims
from moderation.policy.evidence import Evidence, Source
from moderation.policy.folding import Folded, fold
from moderation.policy.lexicons import load_lexicon
from moderation.policy.literals import LEXICONS, literals
from moderation.policy.ratio_claims import ratio_claims
from moderation.policy.text import Text
from moderation.policy.words import words_of


def statement_claims(said: Text, evidence: Evidence) -> Iterator[Claim]:
    """Yield every such claim of what is `said` with the fact that backs it, or with what is wrong."""
    text, folded = said.raw, said.folded
    for reading in said.readings:
        yield from _origins(text, reading, evidence)
    ratios = list(ratio_claims(text, folded, evidence))
    yield from ratios
    yield from _certificates(text, folded, evidence)
    yield from compatibility_claims(text, folded, evidence)
    told = [(claim.start, claim.end) for claim in ratios]
    for claim in _comparisons(text, folded, evidence):
        if not any(start < claim.end and claim.start < end for start, end in told):
            yield claim
    yield from _firsts(text, folded, evidence)
    yield from _flags(text, folded, evidence)


def _at(text: str, span: tuple[int, int], kind: Kind, source: Source | None, code: str, nearest: str = "") -> Claim:
    said = text[span[0] : span[1]]
    if source:
        return Claim(*span, kind, said, source.name)
    return Claim(*span, kind, said, None, code, nearest)


# --- Origin -------------------------------------------------------------------------------------------------------
_MADE_IN: Final = re.compile(
    r"\b(?:made|manufactured|produced|crafted|handcrafted|handmade|assembled|grown|brewed|roasted|woven|knitted|sewn"
    r"|born|stitched|forged|blown|fired|carved|distilled|bottled|spun|printed|built"
    r"|tanned|dyed|moulded|molded|cast|thrown"
    r"|hand-?(?:sewn|woven|stitched|forged|blown|thrown|painted)"
    r"|painted) (?:by hand |entirely |proudly )?in (?:the )?(?=[a-z])"
    r"|\b(?:product|imported|sourced|shipped|straight"
    r"|direct) (?:directly )?(?:of|from) (?:the )?(?:[a-z]{3,12} of )?(?=[a-z])"
    r"|(?:产地|原产地|原产国)(?:是|为|[:：])?|(?:原产|产自|来自|源自|进口自)(?:于)?"
)
_MADE: Final = re.compile(
    r"[- ](?:made|manufactured|crafted|engineered|built|grown|produced|craftsmanship)\b"
    r"|(?:制造|生产|原产|原装|出品|产(?!品)|进口|烧制|烧造|烧的|织造|酿造|种植|直邮|直采|师傅|匠人)"
)
_ORIGIN_FACT: Final = re.compile(r"origin|made in|country|manufactured|产地|原产|制造国|进口")


def _origins(text: str, folded: Folded, evidence: Evidence) -> Iterator[Claim]:
    countries = load_lexicon("countries")
    yield from _unlisted_places(text, evidence)
    if not countries.pattern.search(folded.text):
        return
    starts = {match.end(): match.start() for match in _MADE_IN.finditer(folded.text)}
    known = [(source, mention.name) for source in evidence.sources for mention in countries.mentions(source.text)]
    stated = next((source for source, _ in known if _ORIGIN_FACT.search(fold(source.name).text)), None)
    for match in countries.pattern.finditer(folded.text):
        name = countries.names.get(" ".join(match[0].split()))
        start = starts.get(match.start())
        made = _MADE.match(folded.text, match.end())
        if name is None or (start is None and not made and name != "imported"):
            continue
        source = next((source for source, other in known if countries.backs(other, name)), None)
        if name == "imported" and source is None and stated and all(other != "china" for _, other in known):
            source = stated  # from another country, sold here
        span = folded.span(match.start() if start is None else start, made.end() if made else match.end())
        # Italy may be Tuscany, and no fact says so.
        is_kin = any(countries.are_related(other, name) for _, other in known)
        code = "contradicted_origin" if stated and not is_kin else "unsupported_origin"
        yield _at(text, span, "origin", source, code, _quote(stated))


# A place that no list has is told by its capital letter.
_PLACE: Final = re.compile(
    r"\b(?:[Mm]ade|[Cc]rafted|[Hh]andmade|[Hh]andcrafted|[Mm]anufactured|[Ss]titched|[Ss]ewn"
    r"|[Ww]oven|[Ff]orged|[Bb]uilt"
    r"|[Bb]rewed|[Rr]oasted|[Dd]istilled|[Kk]nitted|[Bb]lown|[Cc]arved|[Tt]anned|[Aa]ssembled|[Pp]roduced)"
    r" (?:by hand |entirely |proudly )?in (?:the heart of )?(?P<place>[A-Z][a-z]{3,}(?: [A-Z][a-z]{2,})?)"
)
_NO_PLACE: Final = re.compile(
    r"(?:January|February|March|April|June|July|August|September|October|November|December|Spring|Summer|Autumn|Winter"
    r"|[A-Z][a-z]+day|Small|Limited|House|Premium|High|Various|Different|Many|Multiple|Three|Four|Five)\b"
)


def _unlisted_places(text: str, evidence: Evidence) -> Iterator[Claim]:
    countries = load_lexicon("countries")
    for match in _PLACE.finditer(text):
        place = match["place"]
        if _NO_PLACE.match(place) or countries.pattern.search(place.lower()):
            continue
        stated = next((source for source in evidence.facts if _ORIGIN_FACT.search(fold(source.name).text)), None)
        source = evidence.find_wording(place.lower())
        yield _at(text, match.span(), "origin", source, "unsupported_origin", _quote(stated))


# --- Certificates -------------------------------------------------------------------------------------------------
def _certificates(text: str, folded: Folded, evidence: Evidence) -> Iterator[Claim]:
    lexicon = load_lexicon("certificates")
    mentions = list(lexicon.mentions(folded))
    if not mentions:
        return
    known = [(source, mention.name) for source in evidence.sources for mention in lexicon.mentions(source.text)]
    for mention in mentions:
        source = next((source for source, name in known if lexicon.backs(name, mention.name)), None)
        said = fold(text[mention.start : mention.end]).text
        source = source or _named(said, evidence)
        if mention.name == "certified" and not source and known:
            source = known[0][0]
        if mention.name == "organic grown" and not source:
            source = next((source for source, name in known if name in ("organic", "gots")), None)
        yield _at(text, (mention.start, mention.end), "certification", source, "unsupported_certification")


def _named(said: str, evidence: Evidence) -> Source | None:
    """“Certificates: CE, RoHS” backs “CE marked”: the letters stand in a fact about certificates."""
    if any(char.isdigit() for char in said):
        return evidence.find_wording(said)  # the number of a standard is part of its name
    letters = said.split()[0].split("-")[0].removesuffix("认证").removesuffix("标志")
    if len(letters) < 2 or letters in ("organic", "certified", "fair", "dermatologically", "clinically"):
        return None
    source = evidence.find_wording(letters)
    return (
        source
        if source and re.search(r"certif|standard|mark|approval|认证|标准|证书", fold(source.name).text)
        else None
    )


# --- Comparisons --------------------------------------------------------------------------------------------------
_RIVALS: Final = (
    r"(?:other|any other|any|ordinary|conventional|traditional|regular|standard|normal|most|leading"
    r"|competing|comparable|similar|the competition|competitors|its rivals|rivals|before|ever before"
    r"|previous|the previous)"
)
_COMPARED: Final = re.compile(
    rf"\b(?:[a-z]{{3,14}}er|(?:more|less|better"
    rf"|worse)(?: [a-z]{{2,16}})?)(?: [a-z]{{1,14}}){{0,2}} than {_RIVALS}\b(?: [a-z]{{2,16}})?"
    r"|\b(?:twice|double|two times|three times|half) (?:as|the) [a-z]{2,16}(?: as)?"
    r"|\b\d{1,4}(?:\.\d)?(?:x| times| ?%| percent) (?:more|less|faster|lighter|stronger|longer|brighter|quieter"
    r"|better|bigger|larger|smaller|thinner|higher|lower|fewer|cheaper|as)\b(?: than(?: [a-z]{2,16}){1,2}"
    r"| [a-z]{2,16})?|\b(?:outperforms?|outlasts?|beats) (?:all |any |the |most |other )?[a-z]{2,16}"
    r"|(?:比|较|优于|胜过|超越|高于|强于)(?:其他|其它|普通|一般|传统|同类|市面上?|市场上|常规|竞品|以往|上一代|别的)[^，。；！？\n]{0,12}"
    r"|(?:普通|一般|传统|同类)[^，。；！？\n]{0,6}的?[\d两二三四五六七八九十]{1,3}倍"
)


def _comparisons(text: str, folded: Folded, evidence: Evidence) -> Iterator[Claim]:
    for match in _COMPARED.finditer(folded.text):
        source = _saying(match[0], evidence.facts)
        yield _at(text, folded.span(*match.span()), "comparison", source, "unsupported_comparison")


# --- First, only, number one --------------------------------------------------------------------------------------
_FIRST: Final = re.compile(
    r"\b(?:the )?(?:world|industry|market|nation|country|europe|america|china|asia|uk)(?:'s"
    r"|s)?[ -]first\b(?: [a-z-]{2,16}){0,3}|\b(?:the )?first (?:[a-z-]{2,16} ){0,3}(?:in the (?:world|industry|market"
    r"|country)|of its kind|ever|on the market|to (?:offer|use|feature|combine|introduce"
    r"|bring)(?: [a-z-]{2,16}){0,3})\b|\b(?:the )?only (?:[a-z-]{2,16} ){1,3}(?:in the (?:world|industry|market"
    r"|country)|on the market|of its kind"
    r"|that|to)\b|(?<![a-z0-9])(?:#1|no\. ?1|number one|number 1)\b(?: [a-z-]{2,16}){0,2}|\baward[- ]winning\b"
    r"|\bbest[- ]selling\b|(?:全球|世界|全国|国内|业内|行业|亚洲|中国|全网)(?:首款|首个|首创|首家|首发|首台|第一|唯一)[^，。；！？\n]{0,8}"
    r"|(?:销量|排名|市场占有率|市占率|好评率)第一|第一品牌|(?:荣获|斩获|获得)[^，。；！？\n]{1,14}(?:奖|大奖|金奖)"
)


def _firsts(text: str, folded: Folded, evidence: Evidence) -> Iterator[Claim]:
    """A claim to be the first or only one needs a fact that says so, and a proof attached to that fact."""
    for match in _FIRST.finditer(folded.text):
        span = folded.span(*match.span())
        said = [source for source in evidence.facts if _saying(match[0], [source])]
        proven = next((source for source in said if source.has_evidence), None)
        if said and not proven:
            yield Claim(*span, "first or only", text[span[0] : span[1]], None, "unproven_claim", _quote(said[0]))
        else:
            yield _at(text, span, "first or only", proven, "unsupported_first")


_SMALL_WORDS: Final = frozenset(
    [
        "the",
        "a",
        "an",
        "in",
        "of",
        "to",
        "as",
        "than",
        "its",
        "is",
        "that",
        "on",
        "at",
        "with",
        "for",
        "的",
        "了",
        "在",
        "是",
    ]
)


def _saying(claim: str, facts: Sequence[Source]) -> Source | None:
    """Return the first fact that says it too: its numbers all, and two thirds of its other words."""
    said = [word for word in words_of(claim).words if word not in _SMALL_WORDS]
    numbers = {word for word in said if any(char.isdigit() for char in word)}
    for fact in facts:
        words = set(words_of(f"{fact.name} {fact.text}").words)
        if said and numbers <= words and 3 * sum(word in words for word in said) >= 2 * len(said):
            return fact
    return None


# --- Yes or no ----------------------------------------------------------------------------------------------------
_YES: Final = frozenset(["yes", "true", "y", "是", "支持", "有", "可以", "可用", "可"])
_NO: Final = frozenset(["no", "false", "n", "否", "不支持", "无", "没有", "不可以", "不可用", "不可", "不能", "不适用"])
# "Not only waterproof", 不仅防水: says that it is, and more.
_DENIED: Final = re.compile(
    r"(?:\b(?:not|non|none|no|never|isn't|aren't|doesn't|don't|cannot|can't|won't|without|neither|nor|hardly|not very"
    r"|lacks?)\b(?! (?:only|just|merely|simply)\b)|n't\b(?! (?:only|just|merely|simply)\b)"
    r"|不(?![仅只但单光止])|非(?!但)|无|没|未)[^.,;:!?。，；！？]{0,22}$"
)


_DENIED_AFTER: Final = re.compile(
    r" (?:use )?(?:is|are) not\b|(?:加热|使用)?(?:也|都)?(?:不[能可行宜适]|没有|无法|禁用)"
)


@dataclass(frozen=True)
class _Wording:
    yes: re.Pattern[str]
    no: re.Pattern[str] | None


@lru_cache
def _flag_table() -> Mapping[str, tuple[Sequence[str], Sequence[str]]]:
    document = tomllib.loads((LEXICONS / "flags.toml").read_text(encoding="utf-8"))
    return {name: (entry["yes"], entry["no"]) for name, entry in document["flags"].items()}


@lru_cache(maxsize=500)
def _wording_of(name: str) -> _Wording:
    """Return how a fact of this name is said: familyFriendly → "family friendly", "kid-friendly" …"""
    plain = " ".join(re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]", " ", name).lower().split())
    yes, no = _flag_table().get(plain, ((), ()))
    return _Wording(
        re.compile(literals({*yes, plain, plain.replace(" ", "-")})), re.compile(literals(no)) if no else None
    )


def _flags(text: str, folded: Folded, evidence: Evidence) -> Iterator[Claim]:
    for fact in evidence.facts:
        answer = fold(fact.text).text.strip()
        if (answer not in _YES and answer not in _NO) or len(fact.name.strip()) < 2:
            continue
        wording = _wording_of(fact.name)
        denials = list(wording.no.finditer(folded.text)) if wording.no else []
        for match in wording.yes.finditer(folded.text):
            if any(denial.start() < match.end() and match.start() < denial.end() for denial in denials):
                continue
            before = folded.text[max(0, match.start() - 40) : match.start()]
            denied = bool(_DENIED.search(before) or _DENIED_AFTER.match(folded.text, match.end()))
            yield _flag(text, folded.span(*match.span()), fact, is_right=denied == (answer in _NO))
        for match in denials:
            yield _flag(text, folded.span(*match.span()), fact, is_right=answer in _NO)


def _flag(text: str, span: tuple[int, int], fact: Source, *, is_right: bool) -> Claim:
    source = fact if is_right else None
    return _at(text, span, "yes or no", source, "contradicted_yes_no", _quote(fact))


def _quote(source: Source | None) -> str:
    return f"{source.name}: {source.text}" if source else ""
