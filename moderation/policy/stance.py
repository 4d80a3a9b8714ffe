"""Whether a sentence claims what its words say, or denies it, quotes it, or says what a book is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable
from typing import Final

# So much of a sentence is read to each side of a term; keeps a text without full stops linear.
AROUND: Final = 80
SENTENCE_END: Final = re.compile(r"[。！？!?；;\n|]|\.(?=\s|$)")
_COMMA: Final = re.compile("[,，:：]")
NOTES: Final = {
    "denied": "the sentence says that it is not so",
    "notice": "the sentence is a notice to take care",
    "quoted": "words that stand on or in the product, which its title or facts hold too",
    "told": "what a book, a film or a game is about",
}

# --- Denials: a word that denies, close before, in the same clause -------------------------------------------------
# "not only", "no other", "no wonder", "nothing but" deny nothing.
_NOT: Final = re.compile(
    r"(?:\b(?:not|never|without|cannot|neither|nor)|n't"
    r"|\bno(?=\s(?!(?:other|one|better|more|wonder|doubt|less|longer|need|secret|match|matter|equal|rival)\b))"
    r"|\b(?:free|far)\s(?:of|from)|\b(?:rather|other)\sthan|\binstead\sof|\bnothing\sto\sdo\swith)(?=[\s-])"
    r"(?![\s-]+(?:only|just|merely|simply|solely|purely|exclusively|for\snothing|to\smention|least|surprisingly)\b)"
)
# "Why not take the best?" denies nothing.
_ASKED: Final = re.compile(r"\bwhy\s$")
# "Never fails to cure", "do not miss", "cannot be doubted": a denial of what denies.
_TURNED: Final = re.compile(
    r"\b(?:fail(?:s|ed)?|miss(?:es|ed)?|doubt(?:s|ed)?|den(?:y|ies|ied)|disput(?:e|es|ed)|disappoint(?:s|ed)?|hesitate"
    r"|wait|settle|forget|overlook|regret|ceases?|less|no|not|never|without)\b"
)
# These take a noun. What is done behind it is said of the product: "without needles removes wrinkles".
_OF_A_NOUN: Final = re.compile(r"(?:without|of|from|than)$")
_DRAWBACK: Final = re.compile(
    r"(?:\w+\s){0,2}(?:risks?|fuss|mess|pain|hassle|effects?|needles?|surgery|pills?|tablets?"
    r"|doctors?|prescriptions?|diets?"
    r"|dieting|effort|waiting|chemicals?|alcohol|stinging|smell|stickiness),?"
)
_DOES: Final = re.compile(r"[a-z]+[^\Wsu]s\s")
# What ends the reach of a denial. A comma does, unless the words before the term are a list that ends in "or".
_BEYOND: Final = re.compile(
    r"\b(?:but|yet|however|although|though|because|so|and|it|they|which"
    r"|(?<!anything\s)(?<!nothing\s)that|who|while|this|these|you|your|we|i"
    r"|until|unless|when|if|then|as|with)\b|[:()–-]\s"
)
_ENDS_A_LIST: Final = re.compile(r"\b(?:or|nor)\s(?:\w+\s){0,2}$")
# "No cream heals acne faster": denied of the others.
_MORE_THAN: Final = re.compile(
    r"[^,.]{0,40}\b(?:better|faster|quicker|more|longer|like|than|so\swell|as\swell|twice)\b"
)
MOST_WORDS: Final = 4
MOST_WORDS_IN_A_LIST: Final = 10

_NOT_ZH: Final = re.compile(
    r"(?:并不|并非|绝不|绝非|不是|不属于|不属|不具有|不具备|不具|不含|不作为|不作|不得|不能|不可|不会|不用于|不宣称|不承诺|不保证"
    r"|不提供|不构成|不涉及|不添加|不参与|不支持|不适用于|不适用|不存在|没有|未经|未|无关|非|勿|切勿|禁止|无)(?:任何|所谓的?|以|用于|用作|宣称)?"
)
# 无 and 不 that are half of a word that praises, and ways to say something by denying something else.
_NOT_DENIED_ZH: Final = re.compile(
    r"(?:不仅|不但|不只|不光|不单|不止|无不|不得不|不能不|不可不|不会不|无非|没有比|没有不|非常|非凡|未来|是不是)"
)
# These take a noun, which the term is part of only where it stands right behind, or in a list: 无副作用治疗失眠 claims.
_OF_A_NOUN_ZH: Final = re.compile(r"(?:无|没有|不含|不添加)$")
_IN_A_LIST_ZH: Final = re.compile(r"[、或和及]")
# A denial of what denies: 不可错过, 不会让您失望.
_TURNED_ZH: Final = re.compile(r"错过|失望|否认|怀疑|质疑|忽视|后悔|犹豫|辜负|争议|拒绝")
_BEYOND_ZH: Final = re.compile(r"[，,：:—…（）()]|[也就都还却而但并即且才便]|比|反而|照样|一样|如此|这么|那么")
_MORE_THAN_ZH: Final = re.compile(r"[^，,。]{0,12}(?:更|比得上|能比|这么|那么|如此|这样)")
# 不是市面上最轻的, where the term begins with 是.
_NO_MORE_THAN_IS: Final = re.compile(r"(?:(?<![无莫])不|并非|从不|绝不|未必)$")
MOST_CHARACTERS: Final = 10

# --- Notices that the law asks for: what it is no substitute for, who should ask a doctor -------------------------
_NOTICE: Final = re.compile(
    r"\b(?:cannot|can't|can\snot|does\snot|do\snot|is\snot|are\snot|is\sno|not)\s(?:\w+\s){0,3}(?:replace|substitute)\b"
    r"|(?:不能|不可|不得|无法|不)(?:代替|替代|取代)[^，,。]{0,6}(?:药|治疗|医|餐|饮食)|请(?:及时)?(?:就医|遵医嘱|咨询医[生师])"
)

# --- Quotations and works ------------------------------------------------------------------------------------------
_OPEN: Final = re.compile(r"[\"“‘「『《〈]([^\"“”‘’「」『』《》〈〉]{0,80})$")
_SHUT: Final = re.compile(r"([^\"“”‘’「」『』《》〈〉]{0,80})[\"”’」』》〉]")
# Not "says": a customer says as well. What a mug says is in its facts.
_PRINTED: Final = re.compile(
    r"\b(?:print(?:ed)?|prompts?|questions?|titled|entitled|lettering|inscription|engraved|embroidered|caption)"
    r"(?:\s(?:the|with|as|such|words?|like|reads|says)){0,3}\W{0,3}$"
    r"|(?:印着|印有|写着|写有|印|字样|绣着|绣有|刻着|题为|书名|绘本|图书|小说)(?:是|为|的)?[:：]?$"
)
_WORK: Final = re.compile(
    r"(?<!our\s)(?<!my\s)(?<!customer\s)"
    r"\b(?:novel|book|story|stories|tale|film|movie|documentary|history|memoir|biography|comic|poem|drama|thriller)\b"
    r"[^.,]{0,30}?\b(?:about|of|follows|tells|where|in\swhich|who)\b"
    r"|(?:讲述|讲的是|讲了|描写|描绘|记录)(?:了|着)?|(?:小说|绘本|故事|纪录片|电影|漫画|图书|书|游戏)(?:里|中|讲|写|说|的主角|主人公)"
)
# A word that is spoken of, and not used.
_WORD_OF: Final = re.compile(r"[\"”’」』]?(?:这个词|这词|这两个字|两个字|二字|一词|的字样|字样|的说法|之说)")
_THE_WORD: Final = re.compile(r"\b(?:words?|terms?|phrases?|claims?\slike)\s[\"“'‘]?$")
_AVOIDED: Final = re.compile(r"不|没|从未|\b(?:not|never|no|avoid|refuse|hate|dislike)\b|n't\b")
# "The story of how this cream heals": told of what is sold.
_SOLD: Final = re.compile(r"\b(?:this|these|our|we)\b")


def why_no_claim(text: str, start: int, end: int, own: Iterable[str], *, nonetheless: Container[str] = ()) -> str:
    """Return why `text` (folded) does not claim what stands at start:end, as one of `NOTES`, or "" where it does.

    `own` are the folded title and facts of the product. What is in `nonetheless` is no reason. Takes constant time.
    """
    before = SENTENCE_END.split(text[max(0, start - AROUND) : start])[-1]
    after = SENTENCE_END.split(text[end : end + AROUND], maxsplit=1)[0]
    near = text[max(0, start - AROUND) : start], text[start:end], text[end : end + AROUND]
    reasons: dict[str, Callable[[], bool]] = {
        "notice": lambda: bool(_NOTICE.search(f"{_COMMA.split(before)[-1]}{text[start:end]}{_COMMA.split(after)[0]}")),
        "denied": lambda: (
            _is_denied(before, text[start:end], after) or _is_denied_in_chinese(before, text[start:end], after)
        ),
        "quoted": lambda: _is_quoted(*near, own) or _is_a_word(*near),
        "told": lambda: bool((work := _WORK.search(before)) and not _SOLD.search(before, work.end())),
    }
    return next((why for why, holds in reasons.items() if why not in nonetheless and holds()), "")


def _is_denied(before: str, term: str, after: str) -> bool:
    denials = [*_NOT.finditer(before)]
    if not denials:
        return False
    denial = denials[-1]
    between = before[denial.end() :]
    if _BEYOND.search(between) or _MORE_THAN.match(after):
        return False
    is_turned = _TURNED.search(between) or _ASKED.search(before[: denial.start()])
    # "No risk cures acne", "no needles, heals scars": what is denied is the drawback.
    is_of_a_noun = _OF_A_NOUN.search(denial[0]) or (denial[0] == "no" and _DRAWBACK.fullmatch(between.strip()))
    if is_turned or (between.strip() and is_of_a_noun and _DOES.match(term)):
        return False
    is_list = bool(_ENDS_A_LIST.search(between))
    if "," in between and not is_list:
        return False
    return len(between.split()) <= (MOST_WORDS_IN_A_LIST if is_list else MOST_WORDS)


def _is_denied_in_chinese(before: str, term: str, after: str) -> bool:
    if _NO_MORE_THAN_IS.search(before) and term.startswith(("是", "为", "属")):
        return True
    if not (before and "\u3400" <= before[-1] <= "\u9fff") and "、" not in before[-2:]:
        return False
    near = before[-MOST_CHARACTERS - 5 :]
    denials = [*_NOT_ZH.finditer(near)]
    if not denials:
        return False
    denial = denials[-1]
    if _NOT_DENIED_ZH.search(near[max(0, denial.start() - 2) : denial.end() + 2]):
        return False
    between = near[denial.end() :]
    if _TURNED_ZH.search(between):
        return False
    if between and _OF_A_NOUN_ZH.search(denial[0]) and not _IN_A_LIST_ZH.search(between):
        return False
    return len(between) <= MOST_CHARACTERS and not _BEYOND_ZH.search(between) and not _MORE_THAN_ZH.match(after)


def _is_a_word(before: str, _: str, after: str) -> bool:
    """Whether the sentence speaks of the word: 特价这个词我们不用, "we avoid the word free"."""
    return bool((_WORD_OF.match(after) or _THE_WORD.search(before)) and _AVOIDED.search(f"{before[-30:]}{after[:30]}"))


def _is_quoted(before: str, term: str, after: str, own: Iterable[str]) -> bool:
    opened, shut = _OPEN.search(before), _SHUT.match(after)
    if opened is None or shut is None:
        return False
    said = f"{opened[1]}{term}{shut[1]}".strip(" .,!?。，！？")
    if any(said in text for text in own):
        return True
    return bool(_PRINTED.search(before[: opened.start()]))
