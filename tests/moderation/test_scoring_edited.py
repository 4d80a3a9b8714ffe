"""A review whose words an import changes is scored again: what a model said of other words stands for nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from catalog.importing import import_reviews
from catalog.models import CustomerReview
from core.actors import SystemActor
from core.refs import ref
from inference.models import ModelVersion
from moderation import scoring, shadow
from moderation.models.predictions import Prediction, Scoring
from tests import factories
from tests.backends import WordCount

pytestmark = pytest.mark.django_db
Importing = Callable[..., None]


@pytest.fixture
def imported(tmp_path: Path) -> Importing:
    """Return a function that imports reviews by their id, each with a text, and further fields of all."""

    def again(texts: dict[str, str], **fields: Any) -> None:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.jsonl"
        lines = [json.dumps({"external_id": key, "text": text, **fields}) for key, text in texts.items()]
        path.write_text("\n".join(lines))
        import_reviews(path, actor=SystemActor("tests"))

    return again


def _said() -> dict[str, str]:
    reviews = {ref(review): review.external_id for review in CustomerReview.objects.all()}
    return {reviews[said.subject]: said.label for said in Prediction.objects.filter(question="sentiment").standing()}


def test_what_an_import_edits_is_scored_again_and_nothing_else(
    sentiment_champion: ModelVersion, imported: Importing
) -> None:
    imported({"r1": "good, really good", "r2": "it is a mug"})
    assert scoring.score() == 2
    assert _said() == {"r1": "positive", "r2": "neutral"}
    imported({"r1": "bad", "r2": "it is a mug", "r3": "good"}, rating=1)
    assert _said() == {"r2": "neutral"}, "of the words that are gone nothing stands"
    assert scoring.score() == 2
    assert _said() == {"r1": "negative", "r2": "neutral", "r3": "positive"}


def test_what_is_edited_while_the_model_thinks_is_scored_again(
    sentiment_champion: ModelVersion, imported: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported({"r1": "good", "r2": "good"})
    classify = WordCount.classify

    def slowly(self: Any, texts: Any) -> Any:
        CustomerReview.objects.filter(external_id="r1").update(text="bad")
        return classify(self, texts)

    monkeypatch.setattr(WordCount, "classify", slowly)
    assert scoring.score() == 1
    monkeypatch.undo()
    assert _said() == {"r2": "positive"}
    assert scoring.score() == 1
    assert _said() == {"r1": "negative", "r2": "positive"}


def test_what_is_edited_while_a_challenger_thinks_is_not_held_against_the_new_words(
    sentiment_champion: ModelVersion, imported: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported({"r1": "good", "r2": "good"})
    assert scoring.score() == 2
    challenger = factories.model_version("sentiment", alias="challenger", backend="word_count", artifact_hash="")
    classify = WordCount.classify

    def slowly(self: Any, texts: Any) -> Any:
        CustomerReview.objects.filter(external_id="r1").update(text="bad")
        return classify(self, texts)

    monkeypatch.setattr(WordCount, "classify", slowly)
    assert shadow.score() == 1
    monkeypatch.undo()
    assert Prediction.objects.get(model_version=challenger).subject == ref(CustomerReview.objects.get(external_id="r2"))
    assert (scoring.score(), shadow.score()) == (1, 1)
    said = Prediction.objects.filter(model_version=challenger, is_shadow=True).values_list("label", flat=True)
    assert set(said) == {"positive", "negative"}


def test_other_words_are_tried_though_the_model_choked_on_those_before(
    sentiment_champion: ModelVersion, imported: Importing
) -> None:
    imported({"r1": "choke on this"})
    scoring.score()
    Scoring.objects.update(quarantined_at=timezone.now(), lease_expires_at=None)
    imported({"r1": "good"})
    assert scoring.score() == 1
    row = Scoring.objects.get()
    assert (row.n_attempts, row.quarantined_at, row.last_error) == (0, None, "")
