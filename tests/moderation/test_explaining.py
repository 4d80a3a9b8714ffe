"""What moved a suggestion: found for what people are asked about, kept without a word of the text, shown escaped."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core.refs import ref
from inference import artifacts, loader
from inference.contracts import Classification
from inference.models import ModelVersion
from labeling.label_config import check_task
from labeling.models import LabelingTask
from labeling.presentation import as_seen, as_sent, is_as_sent
from labeling.question import question
from moderation import explaining, scoring
from moderation.decisions import settling
from moderation.models.predictions import Prediction
from moderation.models.reviews import ReviewItem
from questions.review_safety import first_scorer
from questions.review_safety.first_scorer import WordListSafety
from tests import factories, people
from tests.questions.safety import KIND

pytestmark = pytest.mark.django_db
WORDS = "My neighbour came to see the kettle, and the lid closes. I will kill you."


@pytest.fixture(autouse=True)
def champion(tmp_path: Path, settings: Any) -> ModelVersion:
    """The model that ships; nobody is asked by lot or blindly."""
    queue = {**settings.MODERATION.queue, "rereview_percent": 0, "blind_percent": 0, "random_percent": 0}
    settings.MODERATION = replace(settings.MODERATION, queue=queue)
    folder = tmp_path / "words"
    folder.mkdir()
    first_scorer.build(folder)
    loader.forget()
    return factories.model_version(KIND, backend="safety_words", artifact_hash=artifacts.store_directory(folder))


def _asked(text: str = WORDS) -> tuple[ReviewItem, Prediction]:
    """The review of `text`, scored and put before people."""
    review = factories.customer_review(text, product=factories.product(title="Steel kettle"))
    while scoring.score():
        pass
    settling.open_reviews()
    item = ReviewItem.objects.get(question=KIND, about=ref(review))
    return item, Prediction.objects.get(question=KIND, subject=ref(review))


def _task(item: ReviewItem) -> LabelingTask:
    return LabelingTask.objects.get(reference=ref(item))


def _shown(item: ReviewItem) -> str:
    """The task as the person sees it through the door."""
    seen = as_seen(_task(item), question(KIND))
    check_task(question(KIND), seen["data"], seen["predictions"])
    return str(seen["data"]["review_html"])


def _page(item: ReviewItem, user: Any) -> str:
    client = Client()
    client.force_login(user)
    return client.get(reverse("console:adjudicate", args=[item.pk])).content.decode()


def test_the_words_behind_what_people_are_asked_about_are_found_and_no_others(champion: ModelVersion) -> None:
    factories.customer_review("Keeps tea hot.")
    item, said = _asked()
    assert (explaining.explain_asked(), explaining.explain_asked()) == (1, 0)
    said.refresh_from_db()
    why = explaining.explanation_of(said)
    assert why is not None
    assert why.words[0].word == "kill"
    assert why.words[0].weight > explaining.LEAST
    assert why.holds is True, "without the words named the label loses more than without others"
    assert "kill" not in str(said.explanation), "places and no words"
    assert Prediction.objects.exclude(explanation__isnull=True).count() == 1, "nobody is asked about the other one"
    assert explaining.behind(item) == (said, why)


def test_words_against_what_was_said_are_found_too() -> None:
    item, said = _asked("What a shitty kettle it is, said my neighbour, and the lid does not close.")
    explaining.explain_asked()
    said.refresh_from_db()
    why = explaining.explanation_of(said)
    assert said.label == "none"
    assert why is not None
    assert [one.word for one in why.against] == ["shitty"]
    assert "Against it: “shitty”" in _shown(item)
    page = _page(item, people.auditor())
    assert f"<bdi>shitty</bdi> {why.against[0].size:.0%}" in page
    assert "Moved by" not in page


def test_an_edited_text_has_no_words_and_what_is_said_anew_is_explained_anew() -> None:
    item, said = _asked()
    explaining.explain_asked()
    review = item.customer_review
    assert review is not None
    review.text = "It is fine."
    review.save()
    assert not Prediction.objects.filter(pk=said.pk).exists(), "what was said of other words is forgotten"
    assert "Moved by" not in _page(item, people.auditor())
    said.pk = None
    Prediction.objects.keep([said])
    anew = Prediction.objects.get()
    assert explaining.explanation_of(anew) is None, "the places were found in other words"
    Prediction.objects.update(explanation=None)
    assert explaining.explain_asked() == 1


def test_it_stands_beside_the_suggestion_and_label_studio_got_nothing_of_it() -> None:
    item, _ = _asked()
    before = _shown(item)
    explaining.explain_asked()
    assert "Moved by" not in before
    assert before.startswith(str(question(KIND).task_data(item.subject)["review_html"]))
    assert "Moved by: “kill”, “you”" in _shown(item)
    task = _task(item)
    assert is_as_sent(task, as_sent(task)["data"])
    assert "Moved by" not in str(as_sent(task))


def test_who_is_shown_no_suggestion_is_shown_no_reason_either() -> None:
    item, _ = _asked()
    explaining.explain_asked()
    LabelingTask.objects.filter(pk=_task(item).pk).update(shows_predictions=False)
    assert "Moved by" not in _shown(item)
    assert "Moved by" not in _page(item, people.senior()), "who may be the one to decide judges without it"
    assert "Moved by" in _page(item, people.auditor())
    ReviewItem.objects.filter(pk=item.pk).update(status="decided")
    assert "Moved by" in _page(item, people.senior())


def test_what_does_not_hold_is_not_put_before_who_answers_and_marked_elsewhere() -> None:
    item, said = _asked()
    explaining.explain_asked()
    said.refresh_from_db()
    Prediction.objects.filter(pk=said.pk).update(explanation={**(said.explanation or {}), "holds": False})
    assert "Moved by" not in _shown(item)
    assert "do not rely on it" in _page(item, people.auditor())


def test_hostile_words_are_escaped_wherever_they_are_shown(champion: ModelVersion) -> None:
    item, said = _asked(f"<script>alert(1)</script> {WORDS}")
    explaining.explain_asked()
    said.refresh_from_db()
    # Words hold no mark of HTML; should a model ever name such a place, pages must still hold.
    places = {**(said.explanation or {}), "words": [[0, 25, 0.4]]}
    Prediction.objects.filter(pk=said.pk).update(explanation=places)
    auditor, client = people.auditor(), Client()
    client.force_login(auditor)
    address = reverse("admin:moderation_prediction_change", args=[said.pk])
    for page in (_shown(item), _page(item, auditor), client.get(address).content.decode()):
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "<script>alert(1)" not in page


def test_the_prediction_page_says_what_moved_it_or_that_nobody_knows() -> None:
    _, said = _asked()
    client, address = Client(), reverse("admin:moderation_prediction_change", args=[said.pk])
    client.force_login(people.auditor())
    assert "not known: nobody is asked about it" in client.get(address).content.decode()
    explaining.explain_asked()
    assert "<bdi>kill</bdi>" in client.get(address).content.decode()
    client.force_login(people.outsider())
    assert client.get(address).status_code == 403


def test_a_failure_costs_the_explanation_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    item, said = _asked()

    def chokes(self: WordListSafety, texts: Any) -> list[Classification]:
        raise RuntimeError(texts[0])

    monkeypatch.setattr(WordListSafety, "classify", chokes)
    with caplog.at_level(logging.WARNING):
        assert explaining.explain_asked() == 1
    assert "RuntimeError" in caplog.text
    assert "kettle" not in caplog.text, "no word of a customer in the log"
    assert explaining.explain_asked() == 0, "it is not tried for ever"
    said.refresh_from_db()
    assert said.explanation == {}
    assert "Moved by" not in _shown(item)
    assert "Which words moved it is not known" in _page(item, people.auditor())


def test_length_and_time_are_bounded_and_the_settings_switch_it_off(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    sizes: list[int] = []
    classify = WordListSafety.classify

    def counted(self: WordListSafety, texts: Any) -> list[Classification]:
        sizes.append(len(texts))
        return classify(self, texts)

    _, said = _asked(f"{WORDS} {'so it goes ' * 100}")
    _, longer = _asked(f"{WORDS} {'so it goes ' * 400}")
    monkeypatch.setattr(WordListSafety, "classify", counted)
    settings.MODERATION = replace(settings.MODERATION, explains=False)
    assert explaining.explain_asked() == 0
    settings.MODERATION = replace(settings.MODERATION, explains=True)
    with monkeypatch.context() as away:
        away.setattr(explaining, "TURN_S", -1.0)
        assert explaining.explain_asked() == 0, "the turn is over"
    assert explaining.explain_asked() == 2
    assert max(sizes) <= explaining.PIECE, "the clock is looked at between"
    assert sum(sizes) < 1 + 16 + 3 * 13 + 12 + 1, "of whatever many words"
    longer.refresh_from_db()
    said.refresh_from_db()
    assert longer.explanation == {}
    assert explaining.explanation_of(said) is not None


@pytest.mark.parametrize(("status", "n"), [("dispatched", 1), ("escalated", 1), ("withdrawn", 0), ("decided", 0)])
def test_what_nobody_is_asked_any_more_is_not_explained(status: str, n: int) -> None:
    item, _ = _asked()
    ReviewItem.objects.filter(pk=item.pk).update(status=status)
    assert explaining.explain_asked() == n


def test_what_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    _, said = _asked()
    monkeypatch.setattr(explaining, "LONGEST_S", -1.0)
    with caplog.at_level(logging.WARNING):
        assert explaining.explain_asked() == 1
    assert "TimeoutError" in caplog.text
    said.refresh_from_db()
    assert said.explanation == {}


def test_chinese_signs_side_by_side_are_one_word() -> None:
    found = explaining._joined("这个杯子很差劲", [(5, 6, 0.4), (6, 7, 0.1), (2, 3, 0.2)])
    assert [(one.word, one.weight) for one in found] == [("差劲", 0.4), ("杯", 0.2)]
