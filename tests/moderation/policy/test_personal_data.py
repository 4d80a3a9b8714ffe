"""Personal data and contact attempts block, by check digit where there is one; hits never repeat what they found."""

from __future__ import annotations

import pytest

from moderation.policy.base import Draft, Fact, Hit
from moderation.policy.identifiers import is_card_number, is_cn_resident_id, is_iban
from moderation.policy.personal_data import PersonalDataCheck


def find(text: str, *, facts: tuple[Fact, ...] = (), title: str = "Mug") -> list[Hit]:
    return PersonalDataCheck().find(Draft(text, "description", "en", title, facts=facts))


@pytest.mark.parametrize(
    ("text", "code", "span"),
    [
        ("Write to jane.doe+x@example.co.uk now.", "email", "jane.doe+x@example.co.uk"),
        ("邮箱abc@qq.com联系。", "email", "abc@qq.com"),
        ("Write to ｊａｎｅ＠example.com now.", "email", "ｊａｎｅ＠example.com"),
        ("Call (202) 555-0147 ext. 12 today.", "phone", "(202) 555-0147 ext. 12"),
        ("Call +44 20 7946 0958.", "phone", "+44 20 7946 0958"),
        ("手机13812345678。", "phone", "13812345678"),
        ("电话：010-12345678", "phone", "010-12345678"),
        ("Call us: 555 0147 9.", "phone", "555 0147 9"),
        ("Call us on 555 0147 9 in the evening.", "phone", "555 0147 9"),
        ("Card 4111 1111 1111 1111.", "credit_card", "4111 1111 1111 1111"),
        ("Pay to GB82 WEST 1234 5698 7654 32 today.", "iban", "GB82 WEST 1234 5698 7654 32"),
        ("身份证11010519491231002X。", "cn_resident_id", "11010519491231002X"),
        ("SSN 078-05-1120.", "us_ssn", "078-05-1120"),
        ("Server 192.168.10.20 is up.", "ip_address", "192.168.10.20"),
        ("Visit https://example.com/a?b=1.", "url", "https://example.com/a?b=1"),
        ("Visit shop-mugs.com now", "url", "shop-mugs.com"),
        ("加微信：mugs_2024 咨询", "contact", "微信：mugs_2024"),
        ("QQ群: 123456789", "contact", "QQ群: 123456789"),
        ("See @mugs_daily for more", "social_handle", "@mugs_daily"),
        ("Ring two oh two, five five five, zero one four seven.", "phone", ""),
        ("请打幺叁捌壹贰叁肆伍陆柒捌。", "phone", "幺叁捌壹贰叁肆伍陆柒捌"),
        ("Pick it up at Gartenstraße 7, ground floor.", "street_address", "Gartenstraße 7"),
        ("Pick it up at 7 rue du Moulin.", "street_address", "7 rue du Moulin"),
        ("See it at via San Marco 12, Milan.", "street_address", "via San Marco 12"),
        ("自提在中山路12号院2号楼。", "street_address", "自提在中山路12号院"),
        ("想要的加 V💛：mugs2024", "contact", ""),
        ("企鹅一二三四五六七", "contact", "企鹅一二三四五六七"),
    ],
)
def test_an_identifier_is_found_with_its_span(text: str, code: str, span: str) -> None:
    hits = {hit.code: text[hit.start : hit.end] for hit in find(text)}
    assert code in hits
    assert hits[code] == span or code == "contact" or not span


@pytest.mark.parametrize(
    "text",
    [
        "It has a 33 rpm drive and a 250 ml bottle court.",
        "Measures 10-12-14 inches, 2019-10-11, 1,200,000 uses, 4006381333931.",
        "Model ABC1234567890 and EAN 5901234123457.",
        "A 12345678-piece puzzle; sizes 6 to 10, 1080p, v1.2.3.4567.",
        "Fun.Me and you. Look no.further.than this mug, e.g. for tea.",
        "Home @ last, 2 @ a time.",
        "使用1380毫升水，2024年新款。",
        "A mobile rack, 400-800-1200 mm wide.",
        "Films @home, snacks @work.",
        "One two three four, a song for five.",
        "加微弱的灯光，加我们的祝福。",
        "One size for two, three or four; take 2 avenue coats.",
    ],
)
def test_ordinary_numbers_and_words_are_no_personal_data(text: str) -> None:
    assert find(text) == []


def test_what_a_fact_says_is_the_products_own() -> None:
    fact = Fact("support", "+1 (202) 555-0147")
    assert find("Support at +1 202 555 0147.", facts=(fact,)) == []
    assert find("Acme.com mugs", title="Acme.com mug") == []


def test_a_hit_never_repeats_what_it_found() -> None:
    (hit,) = find("Write to jane@example.com.")
    assert "jane" not in hit.message + str(hit.evidence)


def test_an_address_inside_a_link_is_one_hit() -> None:
    assert [hit.code for hit in find("Go to https://example.com/jane@example.com now.")] == ["url"]


@pytest.mark.parametrize(
    ("digits", "expected"),
    [("4111111111111111", True), ("4111111111111112", False), ("0000000000000000", False), ("9111111111111111", False)],
)
def test_a_card_number_has_the_luhn_digit(digits: str, expected: bool) -> None:
    assert is_card_number(digits) is expected


def test_a_resident_id_has_a_birth_date_and_a_check_digit() -> None:
    assert is_cn_resident_id("11010519491231002X")
    assert not is_cn_resident_id("110105194912310021")
    assert not is_cn_resident_id("11010519491331002X")


def test_an_iban_has_its_check_digits() -> None:
    assert is_iban("gb82west12345698765432")
    assert not is_iban("gb83west12345698765432")
