"""Product text that speaks to the model instead of describing the product: instructions hidden in a title or a fact."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from moderation.policy.base import Check, Draft, Hit, Severity
from moderation.policy.folding import fold

# What is ordered, in the words of each language. Each runs on folded text and asks for words that address somebody who
# follows orders; product data has none. "Forget the rules" and "never use it wet" are said to shoppers.
_PARTS: Final = (
    # Orders to forget what was said before.
    r"\b(?:ignore|disregard|forget|override|bypass|discard) (?:(?:all |any |every |the |your |my |these |those "
    r"|what )?"
    r"(?:of )?(?:the |your )?(?:previous|prior|above|earlier|preceding|foregoing|other|system|safety|original|initial)"
    r"|(?:all |any |every |the |your |my |these |those )?(?:of )?(?:the |your )?(?:instructions?|guidelines?"
    r"|prompts?|polic(?:y|ies))"
    r"|(?:all|any|your|these|those|my) (?:of )?(?:the |your )?(?:rules?|facts))(?: (?:instructions?|rules?|prompts?"
    r"|guidelines?|messages?))?",
    # The same in German, French, Spanish, Italian, Portuguese and Dutch.
    r"\b(?:ignorier\w{0,3}|missachte\w?|vergiss|vergesst|ubergehe) (?:\w+ ){0,2}(?:vorherigen|bisherigen|obigen"
    r"|vorigen|fruheren"
    r"|anweisung(?:en)?|regeln|vorgaben|befehle)|\b(?:ignore[sz]?|oublie[sz]?|negligez|ignora|ignore|olvida"
    r"|ignorad|desconsidere"
    r"|esqueca|dimentica|negeer|vergeet) (?:\w+ ){0,3}(?:instructions?|consignes|regles|instrucciones|ordenes"
    r"|reglas|instrucoes"
    r"|regras|istruzioni|regole|instructies|aanwijzingen|regels)\b",
    # A part to play.
    r"\b(?:you are|act as|pretend to be|behave as|respond as|roleplay as) (?:now )?(?:an? |the )?(?:unrestricted"
    r"|uncensored|evil|jailbroken|ai|assistant|language model|chatbot|dan|developer mode|system|helpful)\b",
    r"\b(?:system|developer|hidden|secret|new|updated) (?:prompt|instructions?|message)\b(?=.{0,3}[:：]"
    r"|.{0,20}\b(?:is|are|says?|reveal|follow|ignore))",
    r"\b(?:reveal|print|repeat|show|output|leak|display) (?:me )?(?:the |your )(?:system |hidden |secret |original "
    r"|full |entire )?(?:prompt|instructions?|rules|guidelines|system message)",
    r"\b(?:do not|don't|never) (?:(?:mention|tell|say|reveal|follow|write) (?:that |the |any |anything |about )?"
    r"(?:this|you|user|shopper|customer|reader|prompt|instructions?|rules?|facts?|product)"
    r"|(?:use|describe) (?:the |any |these |those )?(?:prompt|instructions?|rules?|facts?)\b)",
    # What to write.
    r"\b(?:instead|from now on),? (?:you (?:must|will|should|shall)|please|always|only|write|say|output|respond"
    r"|answer|reply|print)\b|\b(?:you must|you will|you should|please|always|only|just|simply) (?:now |always "
    r"|only )?(?:write|say|output|respond|answer|reply|print|claim|state|include|mention|insert|append|generate"
    r"|produce) (?:with |only |that |the |this |exactly\b|the following|:)",
    r"\b(?:be sure|make sure|remember|take care|do not forget|don't forget)(?: you)? (?:to )?(?:state|mention"
    r"|say|claim|write|call it"
    r"|describe it|include the (?:words?|phrase|sentence))\b",
    r"\b(?:description|copy|text|summary|output|slogan|headline|listing|article|answer) (?:needs? to|has to"
    r"|have to|must|should|shall"
    r"|ought to) (?:always |also |only |clearly )?(?:contain|include|mention|say|state|claim|read|end with"
    r"|start with|begin with|call"
    r"|praise|promise|be written)\b",
    # Somebody who writes is addressed.
    r"\b(?:as an?|dear|hey|hello|attention|note to|note for|message for|message to|to the|for the|to any"
    r"|for any) (?:the )?(?:ai|a\.i\."
    r"|assistant|language model|llm|chatbot|gpt|chatgpt|copywriter|copy writer|text generator|ad writer"
    r"|summari[sz]er)\b(?: model"
    r"| assistant)?",
    r"\b(?:jailbreak|prompt injection|developer mode|dan mode)\b|<\|[a-z_]{2,20}\|>|\[/?inst\]|<</?sys>>"
    r"|<(?:start|end)_of_turn>|#{2,4} ?(?:instruction|system|response)",
    # A turn of a chat. "System: Android 14" is a fact.
    r"^\s{0,8}(?:system|assistant|user|human|ai)\s?[:：]\s?(?:you|ignore|disregard|forget|override|always|never"
    r"|please|do not|don't"
    r"|from now|write|say|respond|answer|reply|act|now|new|output|print|reveal|repeat|your|follow)\b",
    # Chinese: to forget, a part to play, what to write, who is addressed.
    r"(?:忽略|无视|忘记|忘掉|不要理会|跳过|绕过|别管|不用管)(?:掉)?(?:之前|以前|上面|以上|前面|先前|所有|全部|一切|系统|你的|原来)(?:的)?(?:所有|全部)?(?:的)?"
    r"(?:指令|指示|要求|规则|提示|提示词|设定|内容|限制|约束|话|说明)",
    r"(?:上面|以上|前面|之前|先前|刚才)(?:的|那些|这些|说的)?(?:那些|所有|全部)?(?:的)?(?:话|内容|要求|规则|指令|说明|提示|设定|东西)?(?:都|全|全都|统统)?"
    r"(?:当没看见|当没看到|当没说|当作没|别管|不用管|不要管|不算数?|作废|忽略|忘掉|忘了|无效)",
    r"(?:你现在是|从现在(?:开始|起),?[,，]?你|请你?扮演|假装你?是|你的新任务|新的指令|系统提示词?[:：]|系统指令|系统消息)",
    r"(?:输出|打印|显示|重复|泄露|告诉我|说出)(?:你的|系统|全部|完整)(?:的)?(?:提示词|指令|系统提示|规则|设定)",
    r"(?:请|务必|必须|只需|直接)(?:只)?(?:输出|回复|回答|写成|写上|写明|声称|注明|声明)(?:以下|如下|[:：“\"]|本品|本产品|该产品|此产品)",
    r"(?:改成|改为|改口|转而|一律|务必)(?:夸|吹|写|说|称|宣传)(?:我们|本品|本店|本产品|它|是|成|为)",
    r"(?:文案|描述|标题|介绍|广告语|推荐语)(?:里|中|里面)?(?:必须|一定要|务必|都要|应当|需要|得)(?:写|包含|包括|提到|出现|注明|强调|夸|说|加上)",
    r"(?:作为|身为)(?:一个|一名)?(?:ai|人工智能|语言模型|大模型|助手)"
    r"|(?:致|给|告诉)(?:ai|人工智能|大?语言模型|大模型|助手|模型|写文案的|文案(?:作者|人员|编辑|小编)?[:：])",
)
_ORDERS: Final = re.compile("|".join(_PARTS), re.M)
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
    version = "2"

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
        folded = draft.said.folded
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
