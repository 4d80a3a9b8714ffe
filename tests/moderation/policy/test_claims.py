"""Claims beyond numbers, materials and colours: attributes, origin, certificates, fit, comparisons, firsts, yes or no, names."""

from __future__ import annotations

import pytest

from moderation.policy.attributes import load_attributes
from moderation.policy.base import Draft, Fact, Severity
from moderation.policy.grounding import GroundingCheck, claims
from moderation.policy.lexicons import load_lexicon

FACTS = (
    Fact("Neckline", "V-neck"),
    Fact("Pattern", "Striped"),
    Fact("Details", "Pockets, hood"),
    Fact("Country of origin", "Portugal"),
    Fact("Certificates", "CE, OEKO-TEX Standard 100, ISO 9001"),
    Fact("Compatibility", "iPhone 14, iPhone 15, Galaxy S24"),
    Fact("Test report", "Dries 30% faster than ordinary towels"),
    Fact("Award", "The first bottle in the world with a folding lid"),
    Fact("Dishwasher safe", "no"),
    Fact("familyFriendly", "yes"),
)
ZH_FACTS = (
    Fact("裙领型", "圆领"),
    Fact("图案", "条纹"),
    Fact("产地", "意大利"),
    Fact("认证", "3C认证"),
    Fact("适用机型", "iPhone 15"),
    Fact("防水", "是"),
    Fact("检测报告", "比普通毛巾快30%干"),
)


def judged(text: str, *, facts: tuple[Fact, ...] = FACTS, locale: str = "en") -> list[tuple[str, str | None, str]]:
    return [
        (claim.text, claim.fact, claim.code)
        for claim in claims(Draft(text, "description", locale, "Keeper", facts=facts))
    ]


@pytest.mark.parametrize(
    ("text", "claim", "fact"),
    [
        ("A V-neck top.", "V-neck", "Neckline"),
        ("A striped top.", "striped", "Pattern"),
        ("Made in Portugal.", "Made in Portugal", "Country of origin"),
        ("Portuguese-made linen.", "Portuguese-made", "Country of origin"),
        ("CE marked.", "CE marked", "Certificates"),
        ("OEKO-TEX certified.", "OEKO-TEX certified", "Certificates"),
        ("Made under ISO 9001.", "ISO 9001", "Certificates"),
        ("It fits iPhone 15.", "fits iPhone 15", "Compatibility"),
        ("Compatible with your Galaxy S24.", "Compatible with your Galaxy S24", "Compatibility"),
        ("It dries 30% faster than ordinary towels.", "30% faster than ordinary towels", "Test report"),
        ("Not dishwasher-safe.", "dishwasher-safe", "Dishwasher safe"),
        ("It isn't dishwasher-safe.", "dishwasher-safe", "Dishwasher safe"),
        ("A kid-friendly place.", "kid-friendly", "familyFriendly"),
    ],
)
def test_a_claim_is_linked_to_the_fact_that_backs_it(text: str, claim: str, fact: str) -> None:
    assert (claim, fact, "") in judged(text)


@pytest.mark.parametrize(
    ("text", "claim", "code"),
    [
        ("A crew neck top.", "crew neck", "contradicted_attribute"),
        ("A polka dot top.", "polka dot", "contradicted_attribute"),
        ("Made in Italy.", "Made in Italy", "contradicted_origin"),
        ("Swiss made.", "Swiss made", "contradicted_origin"),
        ("Swiss-engineered.", "Swiss-engineered", "contradicted_origin"),
        ("Straight from the hills of Tuscany.", "Straight from the hills of Tuscany", "contradicted_origin"),
        ("UL listed.", "UL listed", "unsupported_certification"),
        ("Made under ISO 14001.", "ISO 14001", "unsupported_certification"),
        ("Certified organic.", "Certified organic", "unsupported_certification"),
        ("It fits iPhone 16.", "fits iPhone 16", "unsupported_compatibility"),
        ("Works with Alexa.", "Works with Alexa", "unsupported_compatibility"),
        ("It holds every Android phone.", "every Android phone", "unsupported_compatibility"),
        ("Lighter than other bottles.", "Lighter than other bottles", "unsupported_comparison"),
        ("Twice as strong.", "Twice as strong", "unsupported_comparison"),
        ("It dries 50% faster.", "50% faster", "unsupported_comparison"),
        ("Dishwasher-safe.", "Dishwasher-safe", "contradicted_yes_no"),
        ("An adults only place.", "adults only", "contradicted_yes_no"),
        ("Put it in the dishwasher.", "in the dishwasher", "contradicted_yes_no"),
        ("Not only dishwasher-safe.", "dishwasher-safe", "contradicted_yes_no"),
        ("A family unfriendly place.", "family unfriendly", "contradicted_yes_no"),
        ("The world's first keeper.", "The world's first keeper", "unsupported_first"),
    ],
)
def test_a_claim_that_no_fact_backs_says_what_is_wrong(text: str, claim: str, code: str) -> None:
    assert (claim, None, code) in judged(text)


@pytest.mark.parametrize(
    ("text", "claim", "outcome"),
    [
        ("小圆领设计", "圆领", "裙领型"),
        ("v领设计", "v领", "contradicted_attribute"),
        ("波点图案", "波点", "contradicted_attribute"),
        ("产地意大利", "产地意大利", "产地"),
        ("日本制造", "日本制造", "contradicted_origin"),
        ("通过3C认证", "3C认证", "认证"),
        ("通过FDA认证", "FDA认证", "unsupported_certification"),
        ("适用于iPhone 15。", "适用于iPhone 15", "适用机型"),
        ("适用于iPhone 16。", "适用于iPhone 16", "unsupported_compatibility"),
        ("所有安卓机型都能吸", "所有安卓机型", "unsupported_compatibility"),
        ("比普通毛巾更吸水", "比普通毛巾更吸水", "unsupported_comparison"),
        ("防水设计", "防水", "防水"),
        ("不防水", "防水", "contradicted_yes_no"),
        ("不仅防水", "防水", "防水"),
        ("全球首款折叠杯", "全球首款折叠杯", "unsupported_first"),
    ],
)
def test_a_chinese_claim_is_linked_or_reported(text: str, claim: str, outcome: str) -> None:
    found = judged(text, facts=ZH_FACTS, locale="zh-Hans")
    assert (claim, outcome) in [(said, fact or code) for said, fact, code in found]


@pytest.mark.parametrize(
    "text",
    [
        "Suitable for small hands and works with any outfit.",
        "Our first thought was comfort. The only thing missing is you.",
        "Fits in every bag, more comfortable than you think.",
        "The French call it joie de vivre.",
        "An organic shape.",
    ],
)
def test_ordinary_words_are_no_claim(text: str) -> None:
    assert judged(text, facts=(Fact("Colour", "navy"),)) == []


def test_to_be_the_first_needs_a_proof_beside_the_fact() -> None:
    said = "The first bottle in the world with a folding lid."

    def hit(*facts: Fact) -> tuple[str, Severity]:
        found = GroundingCheck().find(Draft(said, "description", "en", "Keeper", facts=facts))
        (first,) = [item for item in found if item.evidence["kind"] == "first or only"]
        return first.code, first.severity

    fact = "The first bottle in the world with a folding lid"
    assert hit(Fact("Material", "steel")) == ("unsupported_first", Severity.WARN)
    assert hit(Fact("Award", fact)) == ("unproven_claim", Severity.WARN)
    assert hit(Fact("Award", fact, has_evidence=True)) == ("proven_claim", Severity.INFO)
    # A proof of something else proves nothing.
    assert hit(Fact("Material", "steel", has_evidence=True)) == ("unsupported_first", Severity.WARN)


def test_a_further_value_adds_to_the_facts_and_another_one_contradicts_them() -> None:
    def severity(text: str) -> list[Severity]:
        return [hit.severity for hit in GroundingCheck().find(Draft(text, "description", "en", "Keeper", facts=FACTS))]

    assert severity("With pockets, a hood and a drawstring.") == [Severity.INFO]
    assert severity("With a drawstring.") == [Severity.WARN]
    # A neckline is one or the other, whatever else is said.
    assert severity("A V-neck, or a crew neck.") == [Severity.WARN]


def test_what_the_facts_are_silent_about_is_shown_and_nobody_is_asked() -> None:
    def hits(text: str, *facts: Fact) -> list[tuple[str, Severity]]:
        found = GroundingCheck().find(Draft(text, "description", "en", "Keeper", facts=facts))
        return [(hit.code, hit.severity) for hit in found]

    assert hits("In red.", Fact("Capacity", "1 l")) == [("unsupported_colour", Severity.INFO)]
    assert hits("In red.", Fact("Colour", "navy")) == [("unsupported_colour", Severity.WARN)]
    assert hits("Of cotton.") == [("unsupported_material", Severity.INFO)]
    assert hits("Of cotton.", Fact("Material", "leather")) == [("contradicted_material", Severity.WARN)]
    assert hits("A 3-pack.") == [("unsupported_number", Severity.WARN)]


def test_a_name_counts_only_where_the_facts_name_the_place() -> None:
    facts = (Fact("name", "The Mill"), Fact("near", "Crowne Plaza Hotel"))
    assert [item[2] for item in judged("The Mill is near Crown Plaza Hotel.", facts=facts)] == ["", ""]
    assert ("Burger King", None, "unsupported_name") in judged("The Mill is near Burger King.", facts=facts)
    assert judged("The Mill is near Burger King.", facts=(Fact("colour", "navy"),)) == []


def test_a_number_inside_another_claim_is_none_of_its_own() -> None:
    facts = (Fact("customer rating", "3 out of 5"),)
    assert judged("Rated 3 out of 5.", facts=facts) == [("3 out of 5", "customer rating", "")]
    assert judged("Rated 5 out of 5.", facts=facts) == [("5 out of 5", None, "contradicted_attribute")]


def test_every_spelling_of_an_attribute_is_read_as_its_value() -> None:
    for attribute in load_attributes():
        for spelling, value in attribute.values.names.items():
            read = {mention.name for mention in attribute.values.mentions(f" {spelling} ")}
            assert value in read, (attribute.name, spelling)


@pytest.mark.parametrize("name", ["countries", "certificates"])
def test_every_spelling_of_the_statement_lexicons_is_read(name: str) -> None:
    lexicon = load_lexicon(name)
    for spelling, word in lexicon.names.items():
        assert word in {mention.name for mention in lexicon.mentions(f" {spelling} ")}, spelling
