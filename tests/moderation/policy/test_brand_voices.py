"""How brands speak: a file is read strictly, a draft is held to it, and what can be mended is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from catalog.models import Locale
from core.exceptions import PermanentError
from core.facts import Fact
from moderation.policy.base import Draft, Hit, Severity
from moderation.policy.brand_voice_check import BrandVoiceCheck
from moderation.policy.brand_voices import BrandVoices, parse_voices, read_voices
from moderation.policy.fixups import apply_fixups, read_fixup

VOICES = """\
brand_voices:
  Tideway:
    en:
      tone: warm and plain
      longest_sentence: 12
      preferred:
        - say: flask
          not: [bottle, bottles, water bottle]
        - say: ocean blue
          not: [sea-blue]
      forbidden:
        - cheap
        - {term: eco, instead: recycled}
        - {term: recycled eco mug, instead: iCup}
        - {term: bad, instead: unhappy}
    zh-Hans:
      tone: 朴实
      longest_sentence: 20
      preferred:
        - {say: 保温杯, not: [水杯]}
      forbidden: [便宜, 处方]
"""


def voices(tmp_path: Path, text: str = VOICES) -> BrandVoices:
    path = tmp_path / "voices.yaml"
    path.write_text(text, encoding="utf-8")
    return read_voices(path)


@pytest.fixture
def check(tmp_path: Path) -> BrandVoiceCheck:
    return BrandVoiceCheck(voices(tmp_path))


def draft(text: str, *, locale: str = "en", brand: str = "Tideway", title: str = "Mug", **facts: str) -> Draft:
    return Draft(text, "description", locale, title, brand, facts=[Fact(*fact) for fact in facts.items()])


def mended(hits: list[Hit], text: str) -> str:
    return apply_fixups(text, filter(None, (read_fixup(hit.evidence) for hit in hits)))


def test_a_term_that_has_another_in_its_place_warns_names_it_and_is_mended(check: BrandVoiceCheck) -> None:
    text = "This bottle keeps tea hot."
    (hit,) = check.find(draft(text))
    assert (hit.code, hit.severity, text[hit.start : hit.end]) == ("brand_term", Severity.WARN, "bottle")
    assert "flask" in hit.message
    assert mended([hit], text) == "This flask keeps tea hot."


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Bottles for tea.", "Flask for tea."),
        ("A BOTTLE for tea.", "A FLASK for tea."),
        ("A sea blue mug.", "An ocean blue mug."),
        ("An eco mug and an  eco lid.", "A recycled mug and a  recycled lid."),
        ("A Water-Bottle for tea.", "A Flask for tea."),
        ("A bad day, an bad day.", "An unhappy day, an unhappy day."),
        ("A recycled eco mug.", "An iCup."),
    ],
)
def test_a_term_is_mended_in_its_letters_and_with_its_article(check: BrandVoiceCheck, before: str, after: str) -> None:
    hits = check.find(draft(before))
    assert mended(hits, before) == after
    assert not [hit for hit in check.find(draft(after)) if hit.code == "brand_term"]


def test_a_forbidden_term_without_another_is_left_to_a_person(check: BrandVoiceCheck) -> None:
    (hit,) = check.find(draft("A cheap mug."))
    assert "fixup" not in hit.evidence
    assert not check.find(draft("A cheaply made mug.")), "other forms are not listed"


def test_a_longer_wording_of_the_product_or_of_the_brand_is_left_alone(check: BrandVoiceCheck) -> None:
    text = "The Harbour Bottle is bottle green."
    assert not check.find(draft(text, title="Harbour Bottle", colour="bottle green"))
    assert check.find(draft("A bottle.", title="Bottle")), "the bare word is no wording of its own"


def test_a_preferred_term_may_hold_one_that_is_not_used() -> None:
    said = {"Tideway": {"en": {"preferred": [{"say": "water bottle", "not": ["bottle"]}]}}}
    check = BrandVoiceCheck(parse_voices(said))
    assert not check.find(draft("A water bottle."))
    assert mended(check.find(draft("A bottle.")), "A bottle.") == "A water bottle."


def test_another_brand_or_language_is_left_alone(check: BrandVoiceCheck) -> None:
    assert not check.find(draft("A cheap bottle.", brand="Harrow"))
    assert not check.find(draft("A cheap bottle.", brand=""))
    assert not check.find(draft("A cheap bottle.", locale="zh-Hans"))
    assert check.find(draft("A bottle.", brand="ＴＩＤＥＷＡＹ"))
    assert not BrandVoiceCheck().find(draft("A cheap bottle."))


def test_chinese_terms_count_at_the_borders_of_words_and_are_mended(check: BrandVoiceCheck) -> None:
    text = "这款水杯不便宜。"
    hits = check.find(draft(text, locale="zh-Hans"))
    assert [text[hit.start : hit.end] for hit in hits] == ["水杯", "便宜"]
    assert mended(hits, text) == "这款保温杯不便宜。"
    assert not check.find(draft("此处方便取用。", locale="zh-Hans"))


def test_a_sentence_that_is_too_long_is_pointed_at(check: BrandVoiceCheck) -> None:
    text = "It holds 1.5 l. " + "It is " + "very " * 11 + "blue. It is fine."
    (hit,) = check.find(draft(text))
    assert hit.code == "brand_sentence"
    assert text[hit.start : hit.end] == "It is " + "very " * 11 + "blue."
    assert hit.evidence["count"] == 14
    (hit,) = check.find(draft("杯子好。" + "很" * 20 + "蓝。", locale="zh-Hans"))
    assert (hit.evidence["count"], hit.evidence["unit"]) == (21, "characters")


def test_the_version_of_the_check_names_its_voices(check: BrandVoiceCheck) -> None:
    assert BrandVoiceCheck().version == "1"
    assert check.version.startswith("1+")
    assert len(check.version) <= 20


def test_voices_come_back_as_they_were_kept(tmp_path: Path) -> None:
    read = voices(tmp_path)
    assert parse_voices(read.dump()) == read


def test_the_languages_of_a_file_are_those_of_the_desk() -> None:
    for locale in Locale.values:
        assert parse_voices({"Tideway": {locale: {"tone": "warm"}}}).voice_for("tideway", locale)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("tone: warm", "tonne: warm", r"voices.yaml, line 4: .*tonne: .* allowed: tone, longest_sentence, preferred"),
        ("say: flask", "word: flask", r"line 7: .*say: Field required; line 7: .*word: .* allowed: say, not"),
        ("longest_sentence: 12", "longest_sentence: 2", r"line 5: .*greater than or equal to 5"),
        ("zh-Hans:", "fr:", r"line 16: .*'en' or 'zh-Hans'"),
        ("warm and plain", "w" * 201, r"line 4: .*at most 200 characters"),
        ("- cheap", "- chea*", r"line 12: .*written out"),
        ("- cheap", "- no", r"line 12: "),
        ("- cheap", "- bottle", r"line 3: .*“bottle” is listed twice"),
        ("- cheap", "- flask", r"line 3: .*“flask” is to be said, and not to be used"),
        ("    zh-Hans:", "    en:", r"line 16: en is there twice"),
        ("  Tideway:\n", "  tideway: {en: {tone: a}}\n  Tideway:\n", r"tideway and Tideway are one brand"),
        ("brand_voices:", "voices:", r"line 1: the file begins with brand_voices"),
        ("tone: 朴实", "tone: [", r"line 1\d: this is no YAML"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_what_is_allowed(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in VOICES
    with pytest.raises(PermanentError, match=told) as caught:
        voices(tmp_path, VOICES.replace(old, new, 1))
    assert "voices.yaml" in str(caught.value)
    assert "docs/policies.md" in caught.value.hint


def test_the_file_of_the_page_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "policies.md").read_text(encoding="utf-8")
    shown = next(block for block in re.findall(r"```yaml\n(.*?)```", page, re.S) if "brand_voices:" in block)
    assert voices(tmp_path, shown).brand_voices


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"none\.yaml cannot be read"):
        read_voices(tmp_path / "none.yaml")
