"""Policy packs on real copy: absolute terms in context against substring matching, claims caught, the facts graph.

The reference is what a list of limit words does: it flags a text that contains one, wherever it stands.
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecomsite.settings")

from bench import page  # noqa: E402
from bench.checks import DATA, advertisegen, amazon, e2e, shown  # noqa: E402
from moderation.policy.base import Draft, Hit, Severity  # noqa: E402
from moderation.policy.facts_graph import FactsGraphCheck  # noqa: E402
from moderation.policy.packs import load_packs  # noqa: E402
from moderation.policy.rules import PolicyRulesCheck  # noqa: E402

FAMILY = "absolute_claim"  # the rules under article 9 (3); every other code of the pack is another rule of law
MUST_FLAG, MUST_CATCH = 0.03, 1.0

# Where a limit word makes a claim about the goods, by the kind of word. Those of TRIED were seen while the rules were
# written; those of UNSEEN were written afterwards and led to no change.
TRIED = {
    "quality": ("本产品是{}的产品。", "{}品质，值得拥有。"),
    "prefix": ("这款产品质量{}好。", "本产品是{}耐用的杯子。"),
    "promise": ("本产品{}。", "购买本品，{}。"),
    "endorsement": ("专家{}的产品。", "权威机构{}，放心使用。"),
    "click": ("{}，马上行动。",),
}
UNSEEN = {
    "quality": ("品质{}，用过都知道。", "它采用{}的工艺。", "{}的质量让人放心。"),
    "prefix": ("面料是同类中{}柔软的。",),
    "promise": ("下单即享，{}！", "这只保温杯{}。"),
    "endorsement": ("由国家{}的品牌。",),
    "click": ("打开页面，{}！",),
}
# Which kind a limit word is; what is not listed says something of quality, rank or uniqueness.
KINDS = {
    "prefix": {"最"},
    "endorsement": {"评比", "排序", "指定", "推荐", "选用"},
    "click": {
        "点击领奖",
        "恭喜获奖",
        "全民免单",
        "点击有惊喜",
        "点击获取",
        "点击转身",
        "点击试穿",
        "点击翻转",
        "领取奖品",
        "秒杀全网",
        "大亏特亏",
        "抢购",
        "热销",
        "免费赠送",
        "免费治疗",
        "仅此一次",
    },
    "promise": {
        "包过",
        "一本书学会",
        "一套题学会",
        "一次通过",
        "一次通关",
        "保过",
        "高考升学率",
        "高考移民",
        "不用学直接选",
        "看到直接选",
        "升值",
        "升值回报",
        "立马升值",
        "投资价值",
        "投资回报",
        "冥器",
        "旺夫",
        "旺子",
        "带来好运气",
        "增强第六感",
        "逢凶化吉",
        "避凶",
        "辟邪",
        "防小人",
        "化解小人",
        "增加事业运",
        "招财进宝",
        "健康富贵",
        "提升运气",
        "有助事业",
        "护身",
        "平衡正负能量",
        "消除精神压力",
        "调和气压",
        "时来运转",
        "万事亨通",
        "旺人",
        "旺财",
        "旺宅",
        "镇宅",
        "消灾",
        "挡灾",
        "助吉避凶",
        "转富招福",
        "非转基因更安全",
        "获奖",
        "无效退款",
        "保险公司",
        "不反复",
        "三天即愈",
        "根治",
        "比手术安全",
        "包治百病",
        "一盒见效",
        "彻底康复",
        "无副作用",
        "痊愈",
        "立马见效",
        "100%有效",
        "零风险",
        "无毒副作用",
        "无依赖",
        "国家领导人推荐",
        "国家机关推荐",
        "国家机关专供",
        "特供",
        "国宴专用",
        "政协用酒",
        "人民大会堂",
        "全国人大",
        "军队",
        "无需国家质量检测",
        "国家免检",
        "免抽检",
        "质量免检",
    },
}
# 安全 and 试用 are no limit words as such: the list has them for medicine, where safety and free trials must not be claimed.
IN_MEDICINE = {"安全", "试用"}

# Occurrences of a limit word in the human copy (row, first character) that claim something about the goods, read by one
# person, who also wrote the rules: quality, rank, effect or safety in absolute words. The others are own features
# (最大的亮点), the wearer (绝对是焦点), time and order (最后, 第一眼), idioms (最合适不过) and plain verbs (选用, 推荐).
CLAIMS = {
    (488, 109),
    (396, 92),
    (360, 12),
    (422, 11),
    (294, 23),
    (282, 28),
    (392, 103),
    (294, 48),
    (541, 36),
    (677, 80),
    (518, 37),
    (570, 98),
    (1, 78),
    (42, 25),
    (43, 37),
    (606, 44),
    (285, 24),
    (486, 119),
    (644, 59),
    (408, 9),
    (628, 6),
    (382, 86),
    (809, 96),
    (606, 40),
    (448, 7),
    (768, 14),
    (630, 23),
    (625, 98),
    (493, 60),
}


def limit_words() -> list[str]:
    lines = (DATA / "adlaw_zh/limit_words.txt").read_text(encoding="utf-8").splitlines()
    return sorted({line.strip() for line in lines if line.strip()})


def asks(hits: Iterable[Hit]) -> list[Hit]:
    """Those hits that ask for a person; information asks for nothing."""
    return [hit for hit in hits if hit.severity is not Severity.INFO]


def claims_with(words: list[str], templates: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, Draft]]:
    for word in words:
        kind = next((kind for kind, listed in KINDS.items() if word in listed), "quality")
        for template in templates["promise" if word in IN_MEDICINE else kind]:
            category = "药品" if word in IN_MEDICINE else ""
            yield word, Draft(template.format(word), "description", "zh-Hans", "产品", category=category)


def chinese(check: PolicyRulesCheck, lines: list[str]) -> tuple[float, float]:
    drafts, words = list(advertisegen()), limit_words()
    substring = sum(any(word in draft.text for word in words) for draft in drafts)
    found = [check.find(draft) for draft in drafts]
    family = sum(any(hit.code == FAMILY for hit in asks(hits)) for hits in found)
    whole = sum(bool(asks(hits)) for hits in found)
    exempted = sum(any("exempted_by" in hit.evidence for hit in hits) for hits in found)
    n = len(drafts)
    lines += [
        f"| advertisegen, human copy flagged: substring matching over the {len(words)} limit words | {shown(substring, n)} |",
        f"| … by the rules of code `{FAMILY}` of `prc_advertising`, warn or block | {shown(family, n)} |",
        f"| … by any rule of `prc_advertising`, warn or block | {shown(whole, n)} |",
        f"| … shown as information with an exemption of the guideline | {shown(exempted, n)} |",
    ]
    precision(drafts, words, found, lines)
    caught_all = 1.0
    for title, templates in (("seen while writing", TRIED), ("written afterwards", UNSEEN)):
        sentences = list(claims_with(words, templates))
        caught = [bool(asks(check.find(draft))) for _, draft in sentences]
        missed = sorted({word for (word, _), hit in zip(sentences, caught, strict=True) if not hit})
        words_caught = len(words) - len(missed)
        lines.append(
            f"| limit words in claim position, templates {title}: sentences caught | {shown(sum(caught), len(caught))} |"
        )
        lines.append(
            f"| … words caught in every template | {shown(words_caught, len(words))}{' missed: ' + ' '.join(missed) if missed else ''} |"
        )
        if templates is TRIED:
            caught_all = sum(caught) / len(caught)
    return family / n, caught_all


def precision(drafts: list[Draft], words: list[str], found: list[list[Hit]], lines: list[str]) -> None:
    """Compare with the reading of one person, occurrence by occurrence."""
    pattern = re.compile("|".join(map(re.escape, sorted(words, key=len, reverse=True))))
    places = {(row, match.start()) for row, draft in enumerate(drafts) for match in pattern.finditer(draft.text)}
    assert places >= CLAIMS, "the data are not those that were read"
    flagged = {
        (row, start)
        for row, start in places
        if any((hit.start or 0) <= start < (hit.end or 0) for hit in asks(found[row]))
    }
    flagged_hits = [(row, hit) for row, hits in enumerate(found) for hit in asks(hits) if hit.code == FAMILY]
    right = sum(any((row, at) in CLAIMS for at in range(hit.start or 0, hit.end or 0)) for row, hit in flagged_hits)
    lines += [
        f"| occurrences of limit words in it that claim something of the goods, as one person reads it | {shown(len(CLAIMS), len(places))} |",
        f"| … found by ours (recall on real copy) | {shown(len(flagged & CLAIMS), len(CLAIMS))} |",
        f"| hits of `{FAMILY}` that are such claims (precision) | {shown(right, len(flagged_hits))} |",
        f"| substring matching: precision of its occurrences | {shown(len(CLAIMS), len(places))} |",
    ]


def examples(lines: list[str]) -> float:
    bad_caught = bad = good_left = good = 0
    for pack in load_packs():
        counts = [0, 0, 0, 0]
        for rule in pack.rules:
            # Alone: of several rules that see one mistake, the check tells the gravest.
            check = PolicyRulesCheck([pack.model_copy(update={"rules": (rule,)})])
            locale = "en" if rule.locales[0] == "any" else rule.locales[0]
            for example in rule.bad:
                counts[0] += any(
                    hit.evidence["rule"] == rule.id and hit.severity is rule.severity
                    for hit in check.find(example.draft(locale))
                )
                counts[1] += 1
            for example in rule.good:
                counts[2] += not any(
                    hit.evidence["rule"] == rule.id and hit.severity is rule.severity
                    for hit in check.find(example.draft(locale))
                )
                counts[3] += 1
        lines.append(
            f"| `{pack.pack}`, {len(pack.rules)} rules: violation examples caught, good ones left alone | {counts[0]}/{counts[1]}, {counts[2]}/{counts[3]} |"
        )
        bad_caught, bad, good_left, good = (
            bad_caught + counts[0],
            bad + counts[1],
            good_left + counts[2],
            good + counts[3],
        )
    return (bad_caught + good_left) / (bad + good)


def english(check: PolicyRulesCheck, lines: list[str]) -> None:
    for name, drafts in (("e2e_nlg", list(e2e())), ("amazon", list(amazon()))):
        start = time.perf_counter()
        found = [check.find(draft) for draft in drafts]
        speed = len(drafts) / (time.perf_counter() - start)
        for pack in ("us_ftc", "eu", "platform_style"):
            n = sum(any(hit.evidence["pack"] == pack for hit in asks(hits)) for hits in found)
            lines.append(f"| {name}: texts with a warning or block of `{pack}` | {shown(n, len(drafts))} |")
        lines.append(f"| {name}: all rules, drafts/s, one core | {speed:,.0f} |")


def graph(lines: list[str]) -> None:
    """Put what a rule forbids into real copy of another kind, with the fact; and the fact alone, to see false alarms."""
    rng, check = random.Random(6), FactsGraphCheck()
    real = {"en": list(e2e()), "zh-Hans": list(advertisegen())}
    caught = planted = alarms = untouched = 0
    for rule in check.graph.rules:
        for example in rule.bad:
            own = example.draft("en")
            for draft in rng.sample(real[own.locale], 50):
                with_fact = replace(draft, facts=[*draft.facts, *own.facts])
                sentence = replace(with_fact, text=f"{draft.text} {own.text}")
                at = len(draft.text)
                caught += any((hit.start or 0) > at and hit.evidence["rule"] == rule.id for hit in check.find(sentence))
                alarms += bool(check.find(with_fact))
                planted, untouched = planted + 1, untouched + 1
    lines.append(
        f"| facts graph, {len(check.graph.rules)} rules: contradictions planted in real copy caught | {shown(caught, planted)} |"
    )
    lines.append(
        f"| … the same copy with the fact but without the contradiction: flagged | {shown(alarms, untouched)} |"
    )
    own = sum(bool(check.find(draft)) for drafts in (*real.values(), amazon()) for draft in drafts)
    total = sum(len(drafts) for drafts in real.values()) + sum(1 for _ in amazon())
    lines.append(f"| … human copy as it is (e2e_nlg, advertisegen, amazon): flagged | {shown(own, total)} |")


def main() -> None:
    if not DATA.is_dir():
        raise SystemExit(f"no data at {DATA}: set ECOMSITE_DATA_DIR")
    lines = ["| what | measured |", "| --- | --- |"]
    check = PolicyRulesCheck()
    rate, caught = chinese(check, lines)
    right = examples(lines)
    english(check, lines)
    graph(lines)
    print("\n".join(lines))
    if "--write" in sys.argv:
        page.write("policy", lines)
    passed = rate <= MUST_FLAG and caught >= MUST_CATCH and right >= 1
    print(
        json.dumps(
            {
                "name": "policy",
                "ours": round(rate, 4),
                "must": MUST_FLAG,
                "caught": round(caught, 4),
                "examples": round(right, 4),
                "pass": passed,
            }
        )
    )


if __name__ == "__main__":
    main()
