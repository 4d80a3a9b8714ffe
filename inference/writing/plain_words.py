"""Facts in plain words, for what a model left out: "It weighs 350 g and is made of oak.", in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from inference.contracts import CopyBrief, Fact

_YES: Final = frozenset(["yes", "true", "y", "是", "支持", "有", "可以"])
_NO: Final = frozenset(["no", "false", "n", "否", "不支持", "无", "没有", "不可以"])
# Names of facts that have a way of being said of their own; {} is the value. The rest: "its NAME is VALUE".
_ENGLISH: Final = (
    (r"(?:item |net |product )?weight", "weighs {}"),
    (r"width", "is {} wide"),
    (r"height", "is {} high"),
    (r"length", "is {} long"),
    (r"depth", "is {} deep"),
    (r"thickness", "is {} thick"),
    (r"(?:product |item )?dimensions|(?:finished )?size", "measures {}"),
    (r"capacity|volume", "holds {}"),
    (r"colou?r", "comes in {}"),
    (r"(?:outer |main )?material|fabric|made of", "is made of {}"),
    (r"(?:country of )?origin|made in", "is made in {}"),
    (r"battery life|run ?time|running time|playtime", "runs for {}"),
    (r"near|nearby", "is near {}"),
    (r"cleaning|care", "is cleaned this way: {}"),
)
_ADJECTIVE: Final = re.compile(
    r"(?:[a-z-]+[ -]){0,3}(?:safe|friendly|proof|free|resistant|waterproof|foldable|adjustable|washable|seasoned"
    r"|pre-seasoned|rechargeable|dimmable|reversible|removable|stackable|portable|wireless|organic|vegan|compostable"
    r"|biodegradable|recyclable|suitable for [a-z ]+|included)"
)
_CHINESE: Final = (
    (r"重量|净重", "重{}"),
    (r"宽度?", "宽{}"),
    (r"长度?|全长", "长{}"),
    (r"高度?", "高{}"),
    (r"材质|材料|面料", "采用{}"),
)
_SHORT: Final = 60


def plainly(facts: Sequence[Fact], brief: CopyBrief, *, is_first: bool, as_list: bool = False) -> str:
    """Return sentences that tell `facts`; with the product's name in front where they are the first of a text.

    `as_list`: only "name: value", which is said of any fact in any wording.
    """
    is_chinese = brief.locale.startswith("zh")
    if brief.channel == "ad_slogan":
        return ": ".join([brief.title, *[fact.value for fact in facts if not _answer(fact)][:1]])
    if is_chinese:
        return _in_chinese(facts, brief.title if is_first else "", as_list=as_list)
    if as_list or (not is_first and _is_many(brief.title)):
        listed = " ".join(_end(_capital(_listed(fact))) for fact in facts)
        return " ".join(filter(None, [f"{_end(brief.title)}" if is_first else "", listed]))
    if not facts:
        return _end(
            f"{brief.title}, by {brief.brand}" if brief.brand and brief.brand not in brief.title else brief.title
        )
    return _in_english(facts, brief.title if is_first else "It")


def _in_english(facts: Sequence[Fact], subject: str) -> str:
    said = [_clause(fact) for fact in facts]
    verbs, names = [one for one in said if not one.startswith("its ")], [one for one in said if one.startswith("its ")]
    sentences = []
    for start in range(0, len(verbs), 3):
        sentences.append(f"{subject if not start else 'It'} {_joined(verbs[start : start + 3])}")
    for start in range(0, len(names), 2):
        sentences.append(_capital(_joined(names[start : start + 2])))
    if not verbs and subject != "It":
        sentences.insert(0, subject)
    return " ".join(_end(sentence) for sentence in sentences)


def _clause(fact: Fact) -> str:
    name, value = _name(fact), fact.value.strip().rstrip(".")
    answer = _answer(fact)
    if answer and _is_said_of_it(name):
        if name.endswith("included"):
            name = name.removesuffix(" included")
            return f"comes {'with' if answer == 'yes' else 'without'} {_with_article(name)}"
        return f"is {name}" if answer == "yes" else f"is not {name}"
    if answer:
        return f"has {_with_article(name) if answer == 'yes' else f'no {name}'}"
    for pattern, words in _ENGLISH:
        if re.fullmatch(pattern, name) and len(value) <= _SHORT and ("{} " not in words or value[:1].isdigit()):
            return words.format(value)
    if re.search(r" (?:for|to|with|by|of|in|up to|at|from)$", name):  # "keeps warm for", "oven safe up to"
        first = name.split()[0]
        return f"{name} {value}" if first.endswith("s") and not first.endswith("ss") else f"is {name} {value}"
    return f"its {name} {'are' if _is_many(name) else 'is'} {value}"


def _listed(fact: Fact) -> str:
    name, answer = _name(fact), _answer(fact)
    if not answer:
        return f"{name}: {fact.value.strip()}"
    return name if answer == "yes" else f"not {name}" if _is_said_of_it(name) else f"no {name}"


def _is_said_of_it(name: str) -> bool:
    return bool(_ADJECTIVE.fullmatch(name)) or name.endswith("ing")


def _in_chinese(facts: Sequence[Fact], title: str, *, as_list: bool) -> str:
    said = []
    for fact in facts:
        name, answer = fact.name.strip(), _answer(fact)
        words = next((words for pattern, words in _CHINESE if re.fullmatch(pattern, name)), "")
        if answer:
            said.append(name if answer == "yes" else f"不{name}")
        elif words and not as_list:
            said.append(words.format(fact.value.strip()))
        else:
            said.append(f"{name}：{fact.value.strip()}" if as_list else f"{name}为{fact.value.strip()}")
    return "，".join(filter(None, [title, *said])) + "。"


def _answer(fact: Fact) -> str:
    value = fact.value.strip().casefold()
    return "yes" if value in _YES else "no" if value in _NO else ""


def _name(fact: Fact) -> str:
    """Return the name of a fact as words: familyFriendly → family friendly, "Weight (g)" → weight."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[_]", " ", fact.name)
    words = re.sub(r"\s*[(\[（].*", "", words).strip(" :")
    return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words.split())


def _is_many(words: str) -> bool:
    last = words.split()[-1].casefold() if words.split() else ""
    return last.endswith("s") and not last.endswith(("ss", "us", "is"))


def _with_article(name: str) -> str:
    return name if _is_many(name) else f"an {name}" if name[:1] in "aeio" else f"a {name}"


def _joined(parts: Sequence[str]) -> str:
    if len(parts) < 3:
        return " and ".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _end(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?", "…")) else f"{sentence}."
