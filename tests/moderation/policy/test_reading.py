"""A text is read once; words of Chinese are not cut out of others; disguises are read through, and spans lead back."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.policy import base, disguise, folding, segmenting, text
from moderation.policy.base import Draft, Severity
from moderation.policy.folding import fold
from moderation.policy.rules import PolicyRulesCheck
from moderation.policy.text import Text


def codes(said: str, locale: str = "zh-Hans", title: str = "商品") -> set[str]:
    hits = PolicyRulesCheck().find(Draft(said, "description", locale, title))
    return {hit.code for hit in hits if hit.severity is not Severity.INFO}


# --- Borders of Chinese words -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("said", "term"),
    [
        ("此处方便存取", "处方"),
        ("灯光产生发热现象", "生发"),
        ("环保本子", "保本"),
        ("无限时空", "限时"),
        ("防风水杯", "风水"),
        ("黑色情人结", "色情"),
        ("滚进去死胡同", "去死"),
    ],
)
def test_a_term_cut_out_of_other_words_is_none(said: str, term: str) -> None:
    folded, start = fold(said), said.index(term)
    assert folded.is_cut_out(start, start + len(term))


@pytest.mark.parametrize(
    ("said", "term"),
    [
        ("凭处方购买", "处方"),
        ("生发神器", "生发"),
        ("保本理财", "保本"),
        ("限时抢购", "限时"),
        ("办公室风水", "风水"),
        ("本产品质量免检", "质量免检"),
        ("服后无依赖性", "无依赖"),
        ("治疗仪", "治疗"),
        ("plain text", "text"),
    ],
)
def test_a_word_by_itself_before_a_suffix_or_inside_of_a_longer_one_counts(said: str, term: str) -> None:
    folded, start = fold(said), said.index(term)
    assert not folded.is_cut_out(start, start + len(term))


@settings(max_examples=100, deadline=None)
@given(said=st.text(alphabet="此处方便最好的a1 ，。\ud800\u200b𠀀ｂ", max_size=60))
def test_borders_reach_from_end_to_end(said: str) -> None:
    borders = segmenting.word_borders(said)
    assert list(borders) == sorted(set(borders))
    assert not borders or (borders[0], borders[-1]) == (0, len(said))


# --- Disguises ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("r1sk-fr33", "risk-free"),
        ("gu@rant33d", "guaranteed"),
        ("f r e e gift", "free gift"),
        ("f.r.e.e gift", "free gift"),
        ("cheeeeap", "cheap"),
        ("l\u0585west price", "lowest price"),
        ("国 家-级", "国家级"),
        ("全国第1的茶", "全国第一的茶"),
        ("zui好", "最好"),
        ("蕞好", "最好"),
    ],
)
def test_a_disguise_is_read_through(said: str, meant: str) -> None:
    unmasked = disguise.unmask(fold(said))
    assert unmasked is not None
    assert unmasked.text == meant
    assert unmasked.span(0, len(meant)) == (0, len(said))


@pytest.mark.parametrize("said", ["A plain mug, 350 ml.", "第10个", "A, B and C", "一款普通的杯子。", "24x7", "good"])
def test_honest_text_wears_no_disguise(said: str) -> None:
    assert disguise.unmask(fold(said)) is None


@settings(max_examples=200, deadline=None)
@given(said=st.text(alphabet="f r3e.最蕞zui国 家级第1\u200bＡé@$!*-\u0585", max_size=50))
def test_spans_of_what_was_unmasked_lead_back_into_the_text(said: str) -> None:
    for reading in Text(said).readings:
        for at in range(len(reading.text)):
            start, end = reading.span(at, at + 1)
            assert 0 <= start < end <= len(said)


@pytest.mark.parametrize(
    ("said", "locale", "code"),
    [
        ("A gu4rant33d fit for all.", "en", "guarantee"),
        ("Yours with f r e e  shipping.", "en", "price_claim"),
        ("顶 级 工艺的茶杯。", "zh-Hans", "absolute_claim"),
        ("蕞先进的技术，值得拥有。", "zh-Hans", "absolute_claim"),
    ],
)
def test_a_disguised_term_is_found_and_named_as_such(said: str, locale: str, code: str) -> None:
    hits = PolicyRulesCheck().find(Draft(said, "description", locale, "Mug"))
    found = [hit for hit in hits if hit.code == code]
    assert found
    assert all(hit.evidence["disguised"] == "yes" and said[hit.start : hit.end] for hit in found)


def test_what_is_found_undisguised_is_found_once() -> None:
    hits = PolicyRulesCheck().find(Draft("A guaranteed fit, b1g and fr33.", "description", "en", "Mug"))
    assert [hit.evidence.get("disguised") for hit in hits if hit.code == "guarantee"] == [None]


# --- Once for all -------------------------------------------------------------------------------------------------
def test_the_checks_fold_a_text_once_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    folded: list[str] = []

    def counted(said: str) -> folding.Folded:
        folded.append(said)
        return fold(said)

    said = "A guaranteed mug for tea, and a lid that fits."
    checks = [check for check in base.load_checks() if check.name not in ("grounding", "facts_graph", "near_duplicate")]
    monkeypatch.setattr(text, "fold", counted)
    base.run_checks(Draft(said, "description", "en", "Mug"), checks)
    assert folded.count(said) == 1


@pytest.mark.parametrize(
    "unit",
    [
        "f u c k ",
        "a1a@",
        "国 家 ",
        "蕞zui",
        "“",
        "no ",
        "不是",
        "n't ",
        "\u0585",
        "aaab",
        "my ",
        '" - ',
        "也不没有",
        "[a ",
        "acne ",
        "relief ",
        "acne relief ",
        "邻居都说",
    ],
)
def test_hostile_text_is_read_in_linear_time(unit: str) -> None:
    draft = Draft((unit * 20_000)[:20_000], "description", "en", "Mug")
    chinese = Draft(draft.text, "description", "zh-Hans", "杯")
    start = time.process_time()
    for given_ in (draft, chinese):
        PolicyRulesCheck().find(given_)
    assert time.process_time() - start < 6
