"""A challenger in the shadow: which texts it scores, how it is compared, and that nothing acts on what it says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.refs import ref
from inference.models import ModelAlias, ModelVersion
from moderation import scoring, shadow
from moderation.decisions import settling
from moderation.models.candidates import Candidate
from moderation.models.predictions import Prediction
from tests import factories
from tests.moderation.conftest import GOOD

pytestmark = pytest.mark.django_db


@pytest.fixture
def champion(settings: Any, script: Any) -> ModelVersion:
    """The champion of validity; what it said is in the tables, so it is never loaded."""
    backends = {**settings.INFERENCE.backends, "acceptable": "tests.backends.Acceptable"}
    settings.INFERENCE = replace(settings.INFERENCE, backends=backends)
    return factories.model_version("validity")


@pytest.fixture
def challenger(champion: ModelVersion) -> ModelVersion:
    """A challenger that finds a draft valid when it says `welcome`."""
    return factories.model_version("validity", alias="challenger", backend="acceptable", artifact_hash="")


def judged(text: str, value: float, version: ModelVersion) -> Candidate:
    """A draft in review that `version` found valid with that probability."""
    draft = factories.candidate(text, status="in_review", rank=1)
    factories.validity(draft, value, version=version)
    return draft


def test_a_challenger_scores_the_drafts_that_the_champion_judged(champion: Any, challenger: Any) -> None:
    before = factories.model_version("validity", alias="previous")
    judged("You are welcome to it.", 0.1, before)
    tone = {"positive": 0.9, "neutral": 0.1}
    factories.prediction(factories.candidate(GOOD, status="in_review"), "sentiment", tone, version=before)
    factories.candidate(GOOD, status="in_review")
    draft = judged(f"{GOOD} You are welcome.", 0.7, champion)
    stood = Candidate.objects.filter(pk=draft.pk).values().get()
    assert shadow.score() == 1
    assert shadow.score() == 0, "each text once"
    row = Prediction.objects.get(is_shadow=True)
    assert (row.question, row.subject, row.model_version) == ("validity", ref(draft), challenger)
    assert (row.label, row.confidence, row.probabilities) == ("valid", 0.9, {"valid": 0.9, "invalid": 0.1})
    assert row.seconds >= 0
    assert [said.model_version for said in Prediction.objects.of("validity", [draft]).standing()] == [champion]
    assert Candidate.objects.filter(pk=draft.pk).values().get() == stood


def test_a_challenger_looks_at_the_latest_texts_not_at_the_history_of_the_shop(
    champion: Any, challenger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow, "LATEST", 2)
    drafts = [judged(f"draft {n}", 0.7, champion) for n in range(3)]
    assert shadow.score() == 2
    assert {row.subject for row in Prediction.objects.filter(is_shadow=True)} == {ref(draft) for draft in drafts[1:]}
    assert shadow.score() == 0
    judged("a new one", 0.7, champion)
    assert shadow.score() == 1


def test_the_two_are_alike_where_both_find_the_same_likelier(champion: Any, challenger: Any) -> None:
    assert shadow.compared(challenger, champion) == shadow.Shadow("drafts", 0, 0, 0.0)
    for text, value in (("welcome", 0.51), ("welcome", 0.49), ("plain", 0.51), ("plain", 0.49), ("plain", 0.0)):
        judged(text, value, champion)
    assert shadow.score() == 5
    found = shadow.compared(challenger, champion)
    assert found is not None
    assert (found.noun, found.n, found.n_alike, found.share) == ("drafts", 5, 3, 0.6)
    assert found.seconds > 0
    newer = factories.model_version("validity")
    assert shadow.compared(challenger, newer) == shadow.Shadow("drafts", 0, 0, 0.0), "it has judged none of them"


def test_drafts_wait_for_no_reviews(champion: Any, challenger: Any, sentiment_champion: Any) -> None:
    factories.model_version("sentiment", alias="challenger")  # its files are not there
    factories.sentiment(factories.customer_review("good"), version=sentiment_champion)
    judged("plain", 0.4, champion)
    assert shadow.score() == 1
    factories.model_version("sentiment", alias="challenger", backend="word_count", artifact_hash="")
    assert shadow.score() == 1
    shadows = Prediction.objects.filter(is_shadow=True).order_by("pk")
    assert [row.question for row in shadows] == ["validity", "sentiment"]


def test_a_challenger_that_breaks_down_does_not_stop_the_other_role(
    champion: Any, challenger: Any, sentiment_champion: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    factories.model_version("sentiment", alias="challenger", backend="word_count", artifact_hash="")
    factories.sentiment(factories.customer_review("good"), version=sentiment_champion)
    judged("plain", 0.4, champion)
    load = shadow.loader.load_classifier

    def break_down(version: ModelVersion) -> Any:
        if version.role == "sentiment":
            raise RuntimeError("out of memory")
        return load(version)

    monkeypatch.setattr(shadow.loader, "load_classifier", break_down)
    assert shadow.score() == 1
    assert "the challenger of the role sentiment failed in the shadow" in caplog.text


def test_where_a_role_has_no_shadow_there_is_nothing_to_compare() -> None:
    before = factories.model_version("copywriter")
    assert shadow.compared(factories.model_version("copywriter", alias="challenger"), before) is None


def test_what_a_challenger_said_stands_once_it_is_the_champion_and_is_not_asked_again(
    sentiment_champion: ModelVersion, script: Any
) -> None:
    review = factories.customer_review("good")
    assert scoring.score() == 1
    challenger = factories.model_version("sentiment", alias="challenger", backend="word_count", artifact_hash="")
    assert shadow.score() == 1
    said = Prediction.objects.of("sentiment", [review])
    assert said.standing().get().model_version == sentiment_champion, "nothing acts on what is said in the shadow"
    aliases = ModelAlias.objects.filter(role="sentiment")
    aliases.filter(name="challenger").delete()
    aliases.filter(name="champion").update(version=challenger)
    assert scoring.score() == 1
    assert said.count() == 2
    stands = said.standing().get()
    assert (stands.model_version, stands.is_shadow) == (challenger, False)
    assert stands.seconds is not None, "it is the row of the shadow"


def test_the_tone_of_drafts_is_no_traffic_of_reviews(sentiment_champion: ModelVersion) -> None:
    tone = {"positive": 0.4, "neutral": 0.3, "negative": 0.3}
    factories.prediction(factories.candidate(GOOD), "sentiment", tone, version=sentiment_champion)
    factories.model_version("sentiment", alias="challenger", backend="word_count", artifact_hash="")
    assert shadow.score() == 0
    assert settling.open_reviews() == 0, "nor is anybody asked what a draft feels"
