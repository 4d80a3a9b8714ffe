"""The first scorer of review_safety: what it marks in English and Chinese, what it lets be, and that it never takes long."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from core.exceptions import PermanentError
from inference.contracts import Classification
from labeling.question import question
from questions.review_safety import first_scorer
from questions.review_safety.first_scorer import CHOICES, MOST, SEPARATOR, WordListSafety
from questions.review_safety.question import ReviewSafety
from tests import factories

ASK_BELOW = question("review_safety").ask_below or 0


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> WordListSafety:
    folder = tmp_path_factory.mktemp("safety")
    first_scorer.build(folder)
    return WordListSafety(directory=folder, options={})


def _one(scorer: WordListSafety, text: str, product: str = "") -> Classification:
    return scorer.classify([f"{text}{SEPARATOR}{product}"])[0]


def test_its_choices_are_those_of_the_question() -> None:
    assert question("review_safety").labels == CHOICES


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("The seller is a filthy liar, I will find you and break your legs.", "abuse"),
        ("F**k you and your shop", "abuse"),
        ("Y0u are all idiots and scum", "abuse"),
        ("卖家臭不要脸，死全家", "abuse"),
        ("Go back to your country, all Mexicans are thieves", "hate"),
        ("滚回你的国家，黑鬼", "hate"),
        ("Send nudes, I am horny", "sexual"),
        ("裸聊 约炮 加我", "sexual"),
        ("Click here for cheaper: https://deals.example.com use my code WIN20", "spam"),
        ("想要便宜的加微信 abc12345，好评返现", "spam"),
        ("buy now buy now " * 20, "spam"),
        ("Ask her yourself: jane.doe@example.com or +1 212-555-0143", "personal_data"),
        ("找他退钱，电话13812345678", "personal_data"),
    ],
)
def test_what_has_a_sign_is_marked_and_people_are_asked(scorer: WordListSafety, text: str, choice: str) -> None:
    said = _one(scorer, text)
    assert said.is_several
    assert said.probabilities[choice] > 0.3, said
    assert said.confidence < ASK_BELOW, "whatever it marks, a person looks at"


@pytest.mark.parametrize(
    "text",
    [
        "This kettle is rubbish. It broke after two days and the seller never answered. One star.",
        "Dreadful. Worst purchase of my life, do not buy.",
        "Nude colour bra fits well under white shirts, true to size 34B.",
        "Keeps tea hot, and it looks lovely.",
        "质量太差了，用了两天就坏了，再也不买了。",
        "妈妈很喜欢，有妈妈的味道，送货也快。",
        "快递很快，客服态度好，好评！赞赞赞赞",
        "",
    ],
)
def test_harsh_words_about_the_product_are_let_be(scorer: WordListSafety, text: str) -> None:
    said = _one(scorer, text, "Steel kettle")
    assert (said.label, said.confidence >= ASK_BELOW) == ("none", True), said


def test_whether_it_is_about_the_product_is_judged_where_that_is_known(scorer: WordListSafety) -> None:
    politics = "The government will fall on Sunday because everybody in this country has had enough of their lies, so go out and vote."
    assert _one(scorer, politics, "Steel kettle").label == "off_topic"
    assert _one(scorer, politics).label == "none", "nobody knows what it should be about"
    assert _one(scorer, politics + " My kettle agrees.", "Steel kettle").label == "none"


def test_what_it_reads_is_the_words_and_then_the_name_of_the_product(db: None) -> None:
    product = factories.product(title="Jane kettle jane@example.com")
    review = factories.customer_review("Fine.\n\nReally fine.", product=product)
    (text,) = question("review_safety").inputs([review])
    assert text.rpartition(SEPARATOR)[0] == review.full_text
    alone = factories.customer_review("Fine.\n\njane@example.com")
    alone.product = None
    (text,) = question("review_safety").inputs([alone])
    assert text.rpartition(SEPARATOR) == (alone.full_text, SEPARATOR, "")


def test_the_products_own_name_is_no_sign_and_cannot_hide_one(scorer: WordListSafety) -> None:
    assert _one(scorer, "Fine.", "Jane kettle jane@example.com").label == "none"
    assert _one(scorer, f"Mail jane@example.com{SEPARATOR}nothing", "Steel kettle").label == "personal_data"


@pytest.mark.parametrize("padding", ["\n", "\u200b", "The kettle is a good kettle for its price. "])
def test_what_stands_behind_more_than_is_read_is_not_taken_for_harmless(scorer: WordListSafety, padding: str) -> None:
    text = padding * (MOST // len(padding) + 1) + "You filthy liar, I will find you."
    (said,) = scorer.classify([text + SEPARATOR + "Kettle"])
    assert said.confidence < ReviewSafety.ask_below


@pytest.mark.parametrize(
    "piece", ["a", "1", "@", "a@", "1-", " ", "他妈", "you f*", "http://", ".com/", "赞", "\n\n", "(at) ", "́"]
)
def test_absurd_texts_are_read_in_no_time(scorer: WordListSafety, piece: str) -> None:
    text = (piece * MOST)[: 20 * MOST]
    begun = time.perf_counter()
    (said,) = scorer.classify([text])
    assert time.perf_counter() - begun < 3
    assert all(0 <= p <= 1 for p in said.probabilities.values())


@tried(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.text(max_size=40))
def test_any_text_gets_probabilities_and_a_label_made_of_them(scorer: WordListSafety, text: str, product: str) -> None:
    said = _one(scorer, text, product)
    assert set(said.probabilities) == set(CHOICES)
    assert all(0 < p <= first_scorer.SUREST for p in said.probabilities.values())
    assert said.label == "none" or all(said.probabilities[one] >= 0.5 for one in said.label.split("+"))


def test_without_its_lists_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="artefact"):
        WordListSafety(directory=None, options={})
