"""Product text that speaks to the model instead of describing the product: instructions hidden in a title or a fact."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from moderation.policy.base import Check, Draft, Hit, Severity
from moderation.policy.folding import fold

# Each runs on folded text and asks for words that address a reader who follows orders; product data has none.
_ORDERS: Final = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass|discard) (?:all |any |every |the |your |my |these |those "
    r"|what )?(?:of )?(?:the |your )?(?:previous|prior|above|earlier|preceding|foregoing|other|system|safety|original"
    r"|initial|instructions?|rules?|guidelines?|prompts?|polic(?:y|ies)|facts)(?: (?:instructions?|rules?|prompts?"
    r"|guidelines?|messages?))?|\b(?:you are|act as|pretend to be|behave as|respond as|roleplay as) (?:now )?(?:an? "
    r"|the )?(?:unrestricted"
    r"|uncensored|evil|jailbroken|ai|assistant|language model|chatbot|dan|developer mode|system|helpful)\b"
    r"|\b(?:system|developer|hidden|secret|new|updated) (?:prompt|instructions?|message)\b(?=.{0,3}[:：]"
    r"|.{0,20}\b(?:is|are|says?|reveal|follow|ignore))"
    r"|\b(?:reveal|print|repeat|show|output|leak|display) (?:me )?(?:the |your )(?:system |hidden |secret |original "
    r"|full |entire )?(?:prompt|instructions?|rules|guidelines|system message)"
    r"|\b(?:do not|don't|never) (?:mention|tell|say|reveal|follow|describe|write|use) (?:that |the |any |anything "
    r"|about )?(?:this|you|user|shopper|customer|reader|prompt|instructions?|rules?|facts?|product)"
    r"|\b(?:instead|from now on),? (?:you (?:must|will|should|shall)|please|always|only|write|say|output|respond"
    r"|answer|reply|print)\b|\b(?:you must|you will|you should|please|always|only|just|simply) (?:now |always "
    r"|only )?(?:write|say|output|respond|answer|reply|print|claim|state|include|mention|insert|append|generate"
    r"|produce) (?:with |only |that |the |this |exactly\b|the following|:)|\b(?:as an?|dear|hey|hello|attention"
    r"|note to|message for) (?:the )?(?:ai"
    r"|a\.i\.|assistant|language model|llm|chatbot|gpt|chatgpt)\b(?: model| assistant)?|\b(?:jailbreak"
    r"|prompt injection|developer mode|dan mode)\b|<\|[a-z_]{2,20}\|>|\[/?inst\]|<</?sys>>|<(?:start|end)_of_turn>"
    r"|^\s{0,8}(?:system|assistant|user|human"
    r"|ai)\s?[:：]|#{2,4} ?(?:instruction|system|response)"
    r"|(?:忽略|无视|忘记|忘掉|不要理会|跳过|绕过)(?:掉)?(?:之前|以前|上面|以上|前面|先前|所有|全部|一切|系统|你的|原来)(?:的)?(?:所有|全部)?(?:的)?(?:指令|指示|要求|规则|提示"
    r"|提示词|设定|内容|限制|约束)|(?:你现在是|从现在(?:开始|起),?[,，]?你|请你?扮演|假装你?是|你的新任务|新的指令|系统提示词?[:：]|系统指令|系统消息)"
    r"|(?:输出|打印|显示|重复|泄露|告诉我|说出)(?:你的|系统|全部|完整)(?:的)?(?:提示词|指令|系统提示|规则|设定)"
    r"|(?:请|务必|必须|只需|直接)(?:只)?(?:输出|回复|回答|写成|写上|声称|注明|声明)(?:以下|如下|[:：“\"]|本品|本产品|该产品|此产品)"
    r"|(?:作为|身为)(?:一个|一名)?(?:ai|人工智能|语言模型|大模型|助手)|(?:致|给|告诉)(?:ai|人工智能|大?语言模型|大模型|助手|模型)",
    re.M,
)
# Text that hides from people: many invisible characters, or letters that only a machine reads (Unicode tags).
_TAGS: Final = re.compile("[\U000e0000-\U000e007f]{2,}")
_INVISIBLE: Final = re.compile("[\u200b-\u200f\u2060-\u2064\ufeff\u00ad]")
_MANY_INVISIBLE: Final = 8
_ENCODED: Final = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{80,}={0,2}(?![A-Za-z0-9+/])")


class InjectionCheck(Check):
    """Orders to the model in product data or in a draft.

    A person reads the product before anything is written from it.
    """

    name = "prompt_injection"
    version = "1"

    def find(self, draft: Draft) -> list[Hit]:
        """Return a warning for each field of the product that holds an order, and for each order in the draft itself.

        A hit in the product has no span: the field is named in the evidence.
        """
        hits = [
            Hit(
                "product_text_gives_orders", Severity.WARN, _message(name, why), None, None, {"field": name, "why": why}
            )
            for name, text in _fields(draft)
            if (why := _why(text))
        ]
        folded = fold(draft.text)
        for match in _ORDERS.finditer(folded.text):
            span = folded.span(*match.span())
            hits.append(Hit("gives_orders", Severity.WARN, "This speaks to a model, not to a shopper.", *span))
        return hits


def _fields(draft: Draft) -> Iterator[tuple[str, str]]:
    yield "title", draft.title
    yield "brand", draft.brand
    yield "category", draft.category
    for fact in draft.facts:
        yield fact.name[:80], f"{fact.name}\n{fact.value}"


def _why(text: str) -> str:
    """Return what in `text` addresses a machine, or "" where nothing does."""
    if match := _ORDERS.search(fold(text[:5000]).text):
        return match[0].strip()[:120]
    if _TAGS.search(text) or len(_INVISIBLE.findall(text)) >= _MANY_INVISIBLE:
        return "characters that people cannot see"
    return "a long encoded string" if _ENCODED.search(text) else ""


def _message(field: str, why: str) -> str:
    return (
        f"The product's own text gives orders ({field}: “{why[:120]}”). Read the product before you trust this draft."
    )
