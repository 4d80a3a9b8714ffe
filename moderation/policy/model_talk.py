"""Phrases by which a language model talks to its user instead of to the shopper: refusals, chatter, leaked prompts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from moderation.policy.base import Draft
from moderation.policy.words import Words, words_of

# Every pattern runs on folded text (lower case, straight letters), starts with a literal and repeats nothing unbounded.
_PATTERNS: dict[str, tuple[str, ...]] = {
    "refusal": (
        (
            r"\bas an? (?:ai|a\.i\.|artificial intelligence|large language|language|virtual"
            r"|chat) ?(?:language )?(?:model|assistant|system|bot|chatbot)?\b(?=[ ,，]? ?(?:i\b|my\b|model|assistant"
            r"|developed|trained|language|,|，))"
        ),
        (
            r"\bi(?:'m| am) (?:just |only |merely )?(?:an? )?(?:ai|artificial intelligence|large language"
            r"|language) (?:language )?(?:model|assistant|system)\b"
        ),
        r"\bi(?:'m| am) (?:very |so |really )?(?:sorry|afraid)\b(?=,? (?:but|that|i\b|for))",
        r"\bi(?:'m| am) (?:not able|unable|not in a position|not allowed|not permitted) to\b",
        (
            r"\b(?:sorry|apologi[sz]e|apologies),? (?:but )?(?:i|we) (?:can(?:'t|not| not)|could not|couldn't"
            r"|am (?:not able|unable)|won't|will not|do not|don't)\b"
        ),
        (
            r"\bi (?:can(?:'t|not| not)|could not|couldn't|won't|will not|must decline to|do not feel comfortable"
            r"|don't feel comfortable) (?:to )?(?:fulfil|fulfill|complete|assist|help|provide|generate|create|write"
            r"|comply|process|answer|continue|support|produce|engage|do that|offer|discuss)"
        ),
        r"\b(?:this|your|that|the) request (?:goes against|violates|cannot be|can't be|is against)",
        (
            r"\b(?:openai|anthropic|google|meta|deepseek|moonshot)(?:'s)? (?:use ?(?:case)? |usage "
            r"|content )?polic(?:y"
            r"|ies)\b"
        ),
        r"\b(?:usage|content|use case) polic(?:y|ies) (?:do|does|prohibit|forbid|prevent|of openai)",
        r"\b(?:my|the) (?:training data|knowledge cut-?off|last knowledge update)\b",
        r"\bas of my (?:last|latest|knowledge)\b",
        (
            r"\bi (?:do not|don't) have (?:enough |sufficient |any |the )?(?:information|access|personal|details|data"
            r"|context)\b"
        ),
        r"(?:作为|身为)(?:一个|一名|一款|个)?(?:由.{0,12}开发的)?(?:ai|人工智能|大?语言模型|大模型|智能助手|虚拟助手)",
        r"我(?:是|只是)(?:一个|一名|一款|个)?(?:ai|人工智能|大?语言模型|大模型|智能助手)",
        r"(?:抱歉|对不起|很遗憾|不好意思)[,，。!！ ]{0,2}(?:但)?(?:我|作为|您的|你的|目前|暂时)?(?:目前|暂时)?(?:无法|不能|不便|没有办法|没办法)",
        r"我(?:目前|暂时|现在)?(?:无法|不能|没有办法|没办法)(?:为您|为你|继续|直接)?(?:提供|生成|满足|完成|协助|帮助|回答|处理|撰写|创作|执行|遵守)",
        r"(?:违反|不符合)(?:了)?(?:我|我们|openai|平台)?的?(?:使用|内容)(?:政策|规范)",
    ),
    "chatter": (
        (
            r"^\W{0,3}(?:sure|certainly|of course|absolutely|okay|ok|great|alright)[!,. ]{1,2} ?(?:here|i\b|i'"
            r"|let|below|happy to"
            r"|this (?:is (?:a|an|the|your|my)\b|description|version|copy|text|slogan|draft|one|should))"
        ),
        (
            r"^\W{0,3}(?:here|below)(?: is| are|'s) (?:an?|the|your|my|one|some"
            r"|\d{1,2})\b(?=[^.!?\n]{0,80}(?:description|slogan|copy|line|headline|version|draft|text|recommendation"
            r"|ad\b|example|option))"
        ),
        (
            r"\b(?:i hope (?:this|that|it) (?:helps|meets|works|is helpful)|let me know if|feel free to (?:ask|modify"
            r"|adjust|edit|customi[sz]e|let me)|would you like me to|please let me know"
            r"|if you need (?:any )?(?:further"
            r"|more|additional) (?:help|assistance|changes|information))\b"
        ),
        (
            r"\b(?:this|the (?:above|following)) (?:product )?(?:description|slogan|copy|text|headline|response) (?:is"
            r"|was|has been|should|aims|uses|includes|highlights|follows)\b"
        ),
        r"\b(?:word|character) count ?[:：]",
        # "Of course, good coffee begins with good beans" is said to a shopper.
        r"^\W{0,3}(?:好的|没问题|没有问题)[,，!！。~ ]",
        r"^\W{0,3}当然[!！]",
        r"^\W{0,3}当然(?:可以|没问题|好)?[,，!！。~ ]{1,2}(?:以下|下面|这是|这里|我|为您|为你|给您|请|根据|马上|接下来|没问题|可以)",
        r"(?:以下|下面)(?:是|为)(?:我)?(?:为|给|根据|一[份段条个则]|关于|您|你|该|这)",
        r"希望(?:这|以上|对您|对你|能对|能满足|能够|可以帮).{0,12}(?:帮助|满意|需求|喜欢这)",
        r"如(?:果|需)(?:您|你)?(?:还)?(?:有|需要)?(?:其他|更多|进一步|任何).{0,8}(?:要求|修改|帮助|问题|需求|需要)",
        r"(?:字数|总字数) ?[:：]",
    ),
    "leaked_marker": (
        (
            r"<\|[a-z_0-9 ]{1,30}\|>|<[|｜][^<>\n]{1,40}[|｜]>|\[/?inst\]|<</?sys>>|</?s>|<(?:start|end)_of_turn>"
            r"|<(?:bos"
            r"|eos|pad)>|</?think>"
        ),
        r"```",
        r"^[ \t>*#-]{0,4}(?:system|user|assistant|human|ai|bot|prompt)[ \t]?[:：]",
        (
            r"^[ \t>*#-]{0,4}(?:product facts|facts|product data|product title|product information|instructions?"
            r"|channel|locale|output|input|response|task|constraints?|requirements?|note to|product description"
            r"|ad slogan|slogan|recommendation line|description|recommendation|answer"
            r"|copy)[ \t]?(?:\([^()\n]{0,40}\))?[:：]"
        ),
        (
            r"^[ \t>*#-]{0,4}(?:系统|用户|助手|商品信息|产品信息|商品事实|产品事实|商品资料|要求|指令|输出|输入|任务|渠道|语言|回答|文案|广告语|广告词|推荐语|商品描述|产品描述"
            r"|标题)[ \t]?[:：]"
        ),
        r"#{2,3} ?(?:instruction|response|input|output|system|user|assistant)",
    ),
    "placeholder": (
        (
            r"\[(?:your|insert|the|product|brand|company|name|price|link|store|website|color|colour|size|material|date"
            r"|number|customer|location|city|phone|email|x+)\b[^\[\]\n]{0,40}\]"
        ),
        r"\{\{?[a-z_ ]{2,40}\}?\}|<(?:product|brand|name|title|price|insert|your)[a-z_ ]{0,30}>",
        r"\b(?:lorem ipsum|xxx+|tbd|todo:)",
        r"[\[【(（](?:品牌名?|产品名称?|商品名称?|价格|店铺名?|此处|请?填写|插入)[^\]】)）\n]{0,20}[\]】)）]",
    ),
}
# What is most likely said to whoever asked, and may be said to a shopper: a person judges.
_LIKELY: dict[str, tuple[str, ...]] = {
    "refusal": (
        (
            r"\bi (?:have |had to |have had to |did |'ve )?(?:omitted|left out|excluded|skipped|not included"
            r"|not mentioned|assumed)\b"
        ),
        (
            r"\b(?:was|were|is|are|been) not (?:provided|given|supplied|specified|included|mentioned) (?:in"
            r"|by) (?:the |your )"
            r"(?:data|input|prompt|brief|facts|information|request)\b"
        ),
        (
            r"\b(?:in|from|per) the (?:data|facts|input|brief|prompt|information) (?:above|below|you gave"
            r"|i was given|provided|given)\b"
        ),
        (
            r"\bhere(?: is|'s) (?:an? )?(?:summary|general|safer|alternative|neutral)(?: \w+)? ?(?:instead|version"
            r"|text|description)\b"
        ),
        r"(?:抱歉|对不起|遗憾|不好意思)[^。！!？?\n]{0,12}(?:没法|无法|不能|写不了|做不到|没办法|不便)",
        r"我(?:在(?:文案|描述|文中|上文|广告语)(?:里|中)?)?(?:没有|未|并未|特意没|故意没|暂未)(?:提及|提到|写入|写出|写明|编造|虚构)",
        r"(?:由于|因为|鉴于)(?:缺少|缺乏|未提供|资料中没有|信息中没有|数据中没有)[^。！!？?，,\n]{0,12}(?:信息|资料|数据|参数|事实)",
        r"(?:您|你)(?:可以|可|也可以)?(?:自行|自己)(?:补充|填写|完善)(?=[。！!，,]|$|信息|内容|资料|数据|重量|价格)",
        r"建议(?:您|你)(?:换(?:一?个)?|更换|重新|修改|提供)(?:其他|别的|更多)?(?:的)?(?:商品|产品|需求|话题|问题|表述|描述|主题|信息|资料)",
    ),
    "chatter": (
        r"^\W{0,3}(?:option|version|variant|draft|suggestion) ?(?:\d|one|two|a|b) ?[:：]",
        r"^\W{0,3}(?:方案|版本|选项|示例)[一二三四1-4ab] ?[:：]",
        r"^\W{0,3}(?:note|notes|disclaimer|remark)[:：] (?:i\b|the (?:above|text|description|copy|facts|data)\b)",
    ),
    "placeholder": (
        r"\[[a-z]{2,15}(?: [a-z]{2,15}){0,2} ?\d{1,2}\]",
        r"\[(?:task|feature|benefit|adjective|noun|item|detail|audience|use case)[^\[\]\n]{0,20}\]",
    ),
}
_COMPILED = tuple(
    (code, sure, re.compile("|".join(parts), re.M))
    for sure, patterns in ((True, _PATTERNS), (False, _LIKELY))
    for code, parts in patterns.items()
)

# A fence such as PRODUCT_DATA: one word in capitals that no copy has by chance.
_MARKER = re.compile(r"[A-Z]{2,}_[A-Z_]{2,}")
# A run of so many words of the instructions cannot be chance; Chinese words are single characters here.
LEAK_WORDS = 7
LEAK_CHARACTERS = 12


@dataclass(frozen=True)
class Talk:
    """A span in which the model does not speak to the shopper, or most likely does not."""

    code: str
    start: int
    end: int
    is_sure: bool = True


def find_phrases(folded: str) -> Iterator[Talk]:
    """Yield the known phrases in folded text; the spans index the folded text.

    Where one is sure, those of its code that are only likely add nothing.
    """
    sure: set[str] = set()
    for code, is_sure, pattern in _COMPILED:
        if not is_sure and code in sure:
            continue
        for match in pattern.finditer(folded):
            if is_sure:
                sure.add(code)
            yield Talk(code, *match.span(), is_sure)


def find_leaks(draft: Draft, words: Words) -> Iterator[Talk]:
    """Yield every stretch of the draft that repeats the instructions word for word; the spans index the original.

    What the title or a fact says as well is the product's own and no leak.
    """
    for line in draft.prompt_lines:
        if _MARKER.fullmatch(line):
            yield from (Talk("prompt_leak", *match.span()) for match in re.finditer(re.escape(line), draft.text))
    own = {gram for part in (draft.title, *(fact.value for fact in draft.facts)) for gram in _grams(part)}
    secret = {gram for line in draft.prompt_lines for gram in _grams(line)} - own
    if not secret:
        return
    sizes = sorted({len(gram) for gram in secret}, reverse=True)
    index = 0
    while index < len(words.words):
        end = _leak_end(words, index, sizes, secret)
        if end <= index:
            index += 1
            continue
        start, reach = index, end
        while index < reach:  # overlapping runs are one leak
            reach = max(reach, _leak_end(words, index, sizes, secret))
            index += 1
        yield Talk("prompt_leak", words.spans[start][0], words.spans[reach - 1][1])


def _leak_end(words: Words, index: int, sizes: list[int], secret: set[tuple[str, ...]]) -> int:
    for size in sizes:
        if index + size <= len(words.words) and tuple(words.words[index : index + size]) in secret:
            return index + size
    return index


def _grams(line: str) -> Iterator[tuple[str, ...]]:
    """Yield the runs of words that betray `line`; a line of less than four words betrays nothing."""
    words = words_of(line).words
    han = sum(1 for word in words if "\u3400" <= word <= "\u9fff")
    size, least = (LEAK_CHARACTERS, 8) if 2 * han > len(words) else (LEAK_WORDS, 4)
    if len(words) < least:
        return
    size = min(size, len(words))
    for index in range(len(words) - size + 1):
        yield tuple(words[index : index + size])
