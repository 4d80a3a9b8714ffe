"""Claims that are words: materials, colours and the values of other attributes, compared with those the facts name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from moderation.policy.attributes import Attribute, load_attributes
from moderation.policy.base import Severity
from moderation.policy.claims import Claim, Kind
from moderation.policy.evidence import Evidence, KnownWord
from moderation.policy.folding import Folded, fold
from moderation.policy.lexicons import Lexicon, Mention, load_lexicon
from moderation.policy.text import Text

# A metal zip on a cotton jacket, a silicone strip inside a hem: a part, not what the thing is made of.
_PART_AFTER: Final = re.compile(
    r"[质制]?(?:感|光泽|色|的)?.{0,3}(?:拉链|纽扣|扣|圆环|环|别针|链|配件|装饰|饰|腰带|标|铆钉|织带|绣线|边|鸡眼|气息|朋克)"
    r"|[ -](?:zips?|zippers?|buttons?|buckles?|clasps?|rings?|rivets?|hardware|details?|accents?|trims?|snaps?"
    r"|hooks?)\b"
)
# The lining is another part: "lined with satin", 里衬选用涤纶.
_PART_BEFORE: Final = re.compile(
    r"(?:里衬|内里|里布|内衬|里层|鞋垫|衬里)[^，。；]{0,5}$|\blin(?:ed with|ing (?:of|in|is)) [a-z ]{0,10}$"
)
# "Pair it with black trousers", 搭配长款大衣: another thing than the one that is sold.
_OTHER_BEFORE: Final = re.compile(
    r"(?:外搭|内搭|里搭|搭上|搭配|搭|配上?|再配)[^，。；,.;!！]{0,8}$"
    r"|\b(?:pair|wear|match|combine|team)s? (?:it |this |them |these |well )?(?:up )?(?:with|under|over) [^,.;]{0,30}$"
)
_OTHER_AFTER: Final = re.compile(
    r"[^，。；,.;!！]{0,8}?(?:大衣|外套|裤|短裙|长裙|半裙|半身裙|鞋|靴|包|衫|打底|上衣|t恤|毛衣|单品|帽|的t)"
    r"|[a-z]+[- ](?:[a-z]+ )?(?:trousers|jeans|shoes|boots|sneakers|shirt|jacket|skirt|bag|coat|blazer|top|tee"
    r"|leggings|shorts)\b"
)


def word_claims(said: Text, evidence: Evidence) -> Iterator[Claim]:
    """Yield every material, colour and attribute value that is `said` with its fact, or with what is wrong."""
    text, folded = said.raw, said.folded
    yield from _materials(text, folded, evidence)
    yield from _colours(text, folded, evidence)
    for attribute in load_attributes():
        yield from _attribute(text, folded, evidence, attribute)


def _materials(text: str, folded: Folded, evidence: Evidence) -> Iterator[Claim]:
    lexicon = load_lexicon("materials")
    for mention in lexicon.mentions(folded):
        known = _backing(mention, evidence.materials, lexicon)
        if known:
            yield _claim(text, mention, "material", fact=known.source.name)
            continue
        stated = evidence.stated_materials
        rival = next((item for item in stated if lexicon.are_rivals(item.name, mention.name)), None)
        closest = rival or next(iter(stated or evidence.materials), None)
        # Wood said to be oak is not contradicted, and a metal zip does not contradict cotton; neither is known, though.
        is_kin = any(lexicon.are_related(item.name, mention.name) for item in stated)
        code = "contradicted_material" if rival and not is_kin else "unsupported_material"
        is_minor = not stated or _is_part(text, mention)
        severity = _severity(text, mention, is_minor=is_minor)
        instead = rival.source.text if rival and not is_minor else ""
        yield _claim(text, mention, "material", code=code, nearest=_quote(closest), severity=severity, instead=instead)


def _colours(text: str, folded: Folded, evidence: Evidence) -> Iterator[Claim]:
    lexicon = load_lexicon("colours")
    mentions = list(lexicon.mentions(folded))
    adds = _says_all(mentions, evidence.stated_colours, lexicon)
    for mention in mentions:
        known = _backing(mention, evidence.colours, lexicon)
        if known:
            yield _claim(text, mention, "colour", fact=known.source.name)
        else:
            closest = next(iter(evidence.colours), None)
            instead = evidence.stated_colours[0].source.text if evidence.stated_colours and not adds else ""
            severity = _severity(text, mention, is_minor=closest is None or adds or mention.name == "multicolour")
            yield _claim(
                text,
                mention,
                "colour",
                code="unsupported_colour",
                nearest=_quote(closest),
                severity=severity,
                instead=instead,
            )


def _attribute(text: str, folded: Folded, evidence: Evidence, attribute: Attribute) -> Iterator[Claim]:
    """Judge the values of one attribute, where a fact states it in words that the lexicon knows."""
    stated = evidence.stated_values(attribute)
    if not stated:
        return
    mentions = list(attribute.values.mentions(folded))
    if not mentions:
        return
    known = evidence.values_of(attribute)
    adds = attribute.has_several and _says_all(mentions, stated, attribute.values)
    for mention in mentions:
        said = fold(text[mention.start : mention.end]).text
        backing = _backing(mention, stated, attribute.values) or _backing(mention, known, attribute.values)
        source = backing.source if backing else evidence.find_text(said)
        if source:
            yield _claim(text, mention, "attribute", fact=source.name, attribute=attribute.name)
        else:
            yield _claim(
                text,
                mention,
                "attribute",
                instead="" if adds else stated[0].source.text,
                code="unsupported_attribute" if adds else "contradicted_attribute",
                nearest=_quote(stated[0]),
                attribute=attribute.name,
                severity=_severity(text, mention, is_minor=adds),
            )


def _says_all(mentions: Sequence[Mention], stated: Sequence[KnownWord], lexicon: Lexicon) -> bool:
    """Whether the copy says every stated value, so that a further one adds to the facts and does not replace one."""
    said = {mention.name for mention in mentions}
    return bool(stated) and all(any(lexicon.are_related(known.name, name) for name in said) for known in stated)


def _is_part(text: str, mention: Mention) -> bool:
    before, after = (
        text[max(0, mention.start - 30) : mention.start].lower(),
        text[mention.end : mention.end + 30].lower(),
    )
    return _PART_AFTER.match(after) is not None or _PART_BEFORE.search(before) is not None


def _severity(text: str, mention: Mention, *, is_minor: bool = False) -> Severity:
    """What the facts are silent about, and what is said of a part or of another thing, is shown; nobody need answer.

    It still counts against the draft, which ranks lower and waits less long for a person.
    """
    before, after = (
        text[max(0, mention.start - 50) : mention.start].lower(),
        text[mention.start : mention.end + 40].lower(),
    )
    is_other = _OTHER_BEFORE.search(before) is not None and _OTHER_AFTER.match(after) is not None
    return Severity.INFO if is_minor or is_other else Severity.WARN


def _backing(mention: Mention, known: Sequence[KnownWord], lexicon: Lexicon) -> KnownWord | None:
    return next((word for word in known if lexicon.backs(word.name, mention.name)), None)


def _claim(
    text: str,
    mention: Mention,
    kind: Kind,
    *,
    fact: str | None = None,
    code: str = "",
    nearest: str = "",
    severity: Severity = Severity.WARN,
    attribute: str = "",
    instead: str = "",
) -> Claim:
    said = text[mention.start : mention.end]
    return Claim(mention.start, mention.end, kind, said, fact, code, nearest, severity, attribute, instead=instead)


def _quote(known: KnownWord | None) -> str:
    return f"{known.source.name}: {known.source.text}" if known else ""
