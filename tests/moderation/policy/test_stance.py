"""What a sentence denies, quotes or tells of is no claim; what only looks like it is one."""

from __future__ import annotations

import pytest

from moderation.policy.base import Draft, Fact, Hit, Severity
from moderation.policy.folding import fold
from moderation.policy.rules import PolicyRulesCheck
from moderation.policy.stance import why_no_claim


def why(said: str, term: str, *own: str) -> str:
    folded = fold(said).text
    start = folded.index(term)
    return why_no_claim(folded, start, start + len(term), own)


@pytest.mark.parametrize(
    ("said", "term"),
    [
        ("It is not the best choice for rain.", "the best"),
        ("The rug has no antibacterial finish.", "antibacterial"),
        ("It doesn't cure acne.", "cure acne"),
        ("Not made to treat, soothe or heal eczema.", "heal eczema"),
        ("A pad without any healing properties.", "healing properties"),
        ("本品不是最便宜的。", "最便宜"),
        ("面料不含抗菌成分。", "抗菌"),
        ("本品不具有预防、治疗功能。", "治疗"),
        ("并非国家级奖项。", "国家级"),
        ("我们不承诺保证有效。", "保证有效"),
        ("没有杀菌作用。", "杀菌"),
    ],
)
def test_what_is_denied_is_no_claim(said: str, term: str) -> None:
    assert why(said, term) == "denied"


@pytest.mark.parametrize(
    ("said", "term"),
    [
        ("Not only the best, the lightest too.", "the best"),
        ("No other balm heals acne.", "heals acne"),
        ("No cream heals acne faster.", "heals acne"),
        ("It is not greasy and cures acne.", "cures acne"),
        ("It is not cheap, but it is the best.", "the best"),
        ("No wonder it cures acne.", "cures acne"),
        ("There is no doubt that it cures acne.", "cures acne"),
        ("Never mind the price. It cures acne.", "cures acne"),
        ("不仅是最便宜的。", "最便宜"),
        ("不用吃药也能治疗失眠。", "治疗"),
        ("没有比它更能治疗失眠的。", "治疗"),
        ("不油腻，却能杀菌。", "杀菌"),
        ("非常抗菌的面料。", "抗菌"),
        ("无不夸它抗菌。", "抗菌"),
    ],
)
def test_what_only_sounds_like_a_denial_is_a_claim(said: str, term: str) -> None:
    assert why(said, term) == ""


@pytest.mark.parametrize(
    ("said", "term"),
    [
        ("Never fails to cure acne.", "cure acne"),
        ("Do not miss the best.", "the best"),
        ("Nobody can't deny the best.", "the best"),
        ("Don't wait to cure acne.", "cure acne"),
        ("Why not choose the best?", "the best"),
        ("Don't settle for less than the best.", "the best"),
        ("Not  only the best.", "the best"),
        ("Not-only the best.", "the best"),
        ("Not\u200b solely the best.", "the best"),
        ("Not for nothing the best.", "the best"),
        ("Without side effects cures acne.", "cures acne"),
        ("A soap free of parabens cures acne.", "cures acne"),
        ("无副作用治疗失眠。", "治疗"),
        ("无痛根治痔疮。", "根治"),
        ("无疑最便宜。", "最便宜"),
        ("无可争议的最便宜。", "最便宜"),
        ("不可错过的最便宜。", "最便宜"),
        ("绝不会让您失望的最便宜。", "最便宜"),
        ("不含激素治疗湿疹。", "治疗"),
    ],
)
def test_a_denial_does_not_smuggle_a_claim(said: str, term: str) -> None:
    assert why(said, term) == ""


@pytest.mark.parametrize(
    ("said", "term"),
    [
        ("Our story of a cream that cures acne.", "cures acne"),
        ("Read a customer story about a balm that cures acne.", "cures acne"),
        ("The story of how this cream cures acne.", "cures acne"),
        ("A book about how our cream cures acne.", "cures acne"),
    ],
)
def test_a_story_about_what_is_sold_is_a_claim(said: str, term: str) -> None:
    assert why(said, term) == ""


@pytest.mark.parametrize(
    ("said", "term"),
    [
        ("A pad without any added antibacterial agents.", "antibacterial"),
        ("Free of fragrance or antibacterial agents.", "antibacterial"),
        ("It does not heal eczema or cure acne.", "cure acne"),
        ("It does not stop hair loss or cure acne.", "cure acne"),
        ("本品无抗菌功能。", "抗菌"),
        ("无保健、治疗功能。", "治疗"),
        ("没有任何治疗作用。", "治疗"),
    ],
)
def test_a_noun_or_a_list_that_is_denied_is_no_claim(said: str, term: str) -> None:
    assert why(said, term) == "denied"


@pytest.mark.parametrize(
    ("said", "term"),
    [
        ("This tea cannot replace a treatment that heals acne.", "heals acne"),
        ("保健食品不能代替药物治疗疾病。", "治疗"),
        ("如需治疗请及时就医。", "治疗"),
    ],
)
def test_a_notice_that_the_law_asks_for_is_no_claim(said: str, term: str) -> None:
    assert why(said, term) == "notice"


@pytest.mark.parametrize(
    ("said", "term"),
    [
        ("Ask your doctor, it cures acne.", "cures acne"),
        ("It cannot replace sleep, but it cures acne.", "cures acne"),
        ("治疗失眠，不用就医。", "治疗"),
        ("不能代替正餐，能治疗失眠。", "治疗"),
    ],
)
def test_a_notice_excuses_no_claim_beside_it(said: str, term: str) -> None:
    assert why(said, term) == ""


def test_words_on_the_product_are_no_claim_and_a_customers_are() -> None:
    assert why('A mug printed with "the best dad" in blue.', "the best") == "quoted"
    assert why("杯身印着“最佳爸爸”。", "最佳") == "quoted"
    assert why("图画书《我家的猫》。", "我家", "图画书 我家的猫") == "quoted"
    assert why('Doctors say "it cures acne" and mean it.', "cures acne") == ""
    assert why('"The best mug," says everybody.', "the best") == ""
    assert why("《全国第一》的好茶。", "全国第一", "好茶") == ""


def test_what_a_book_is_about_is_no_claim_and_what_a_book_does_is() -> None:
    assert why("A novel about a doctor who treats cancer.", "treats cancer") == "told"
    assert why("小说讲述医生治疗病人。", "治疗") == "told"
    assert why("A book, and it treats cancer.", "treats cancer") == ""


def found(said: str, locale: str, *facts: Fact) -> list[Hit]:
    return PolicyRulesCheck().find(Draft(said, "description", locale, "Mug", facts=facts))


def test_a_person_sees_what_is_denied_and_why_it_asks_for_nothing() -> None:
    (hit,) = found("This mug does not cure acne.", "en")
    assert (hit.code, hit.severity, hit.evidence["exempted_by"]) == ("medical_claim", Severity.INFO, "denied")
    assert "not so" in hit.message


def test_a_rule_says_what_counts_nonetheless() -> None:
    assert [hit.severity for hit in found("Not one of those cheap imitations.", "en")] == [Severity.WARN]
    # That a book is the best is said of the book.
    assert [hit.code for hit in found("A novel about love, the best of all.", "en")] == ["absolute_claim"]
