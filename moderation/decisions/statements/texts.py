"""The words of a statement of reasons for whom it affects, in each language that copy is written in."""

from __future__ import annotations

from collections.abc import Mapping

Texts = Mapping[str, str]

EN: Texts = {
    "title": "Statement of reasons",
    "rejected": "The text below was not published. It is shown in none of these countries: {territories}.",
    "retired": "The text below was taken down on {date}. It is shown in none of these countries any more: {territories}.",
    "place": "Place: {channel}, product {sku}, {language}. Written on {written}.",
    "ground": "Ground: it does not keep our rules for product copy, version {version}{url}.",
    "reasons": "Reasons: {reasons}.",
    "found": "Automatic checks had found: {found}.",
    "found_nothing": "Automatic checks had found nothing.",
    "people_0": "The decision was made by automatic means.",
    "people_1": "A person decided.",
    "people_2": "Two persons decided.",
    "started": "We looked at it of our own accord; nobody had notified us.",
    "appeal": "You may appeal until {until}, free of charge: send the number of this statement and your reasons to {address}{contact}. "
    "Somebody who had no part in the decision will judge it, not a machine.",
    "no_appeal": "An appeal is not possible (any more): {why}",
    "courts": "You may also turn to a certified out-of-court dispute settlement body (Art. 21 of Regulation (EU) 2022/2065) or "
    "to a court.",
    "number": "Number of this statement: {puid}",
    "or": " or to ",
    "no_reason": "none was recorded",
    "language_en": "English",
    "language_zh-Hans": "Chinese",
    "channel_description": "description",
    "channel_recommendation": "recommendation line",
    "channel_ad_slogan": "ad slogan",
    "unsupported_claim": "a claim that the facts do not back",
    "wrong_fact": "a wrong fact",
    "tone": "tone",
    "grammar": "grammar",
    "too_long": "too long",
    "off_brand": "not in keeping with the brand",
    "legal_risk": "a legal risk",
    "other": "another reason",
}

ZH: Texts = {
    "title": "理由说明",
    "rejected": "以下文案未予发布。在下列国家均不展示：{territories}。",
    "retired": "以下文案已于{date}下架。在下列国家不再展示：{territories}。",
    "place": "位置：{channel}，商品 {sku}，语言：{language}。撰写日期：{written}。",
    "ground": "依据：不符合我们的商品文案规则，版本 {version}{url}。",
    "reasons": "理由：{reasons}。",
    "found": "自动检查发现：{found}。",
    "found_nothing": "自动检查未发现问题。",
    "people_0": "该决定由自动化方式作出。",
    "people_1": "该决定由一名人员作出。",
    "people_2": "该决定由两名人员共同作出。",
    "started": "我们系主动审查；未收到任何举报。",
    "appeal": "您可在{until}之前免费提出申诉：请将本说明的编号及您的理由发送至 {address}{contact}。申诉将由未参与原决定的人员裁定，而非由机器裁定。",
    "no_appeal": "无法（再）提出申诉：{why}",
    "courts": "您也可以向经认证的庭外争议解决机构（欧盟 2022/2065 号条例第 21 条）或法院寻求救济。",
    "number": "本说明的编号：{puid}",
    "or": " 或 ",
    "no_reason": "未记录理由",
    "language_en": "英文",
    "language_zh-Hans": "中文",
    "channel_description": "商品描述",
    "channel_recommendation": "推荐语",
    "channel_ad_slogan": "广告语",
    "unsupported_claim": "商品事实无法支持的宣称",
    "wrong_fact": "与事实不符",
    "tone": "语气",
    "grammar": "语法",
    "too_long": "过长",
    "off_brand": "与品牌不符",
    "legal_risk": "法律风险",
    "other": "其他理由",
}

TEXTS: Mapping[str, Texts] = {"en": EN, "zh-Hans": ZH}
