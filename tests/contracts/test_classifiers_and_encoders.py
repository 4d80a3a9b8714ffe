"""What every `TextClassifier` and `TextEncoder` promises, run over each back end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.exceptions import PermanentError
from inference.backends.cold_start import ColdStartSentiment
from inference.backends.sentence_encoder import SentenceEncoder
from inference.backends.sequence_classifier import SequenceClassifier
from inference.contracts import TextClassifier, TextEncoder
from tests.model_store import PreparedModels, tiny_bert

SENTIMENTS = ("negative", "neutral", "positive")
TEXTS = ["the mug is good", "bad", "it holds 350 ml and weighs 240 g . " * 30, "", "好 mug", "\u202e\x00"]


@pytest.fixture(scope="session")
def tiny_classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("tiny-classifier"), labels=SENTIMENTS)


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("tiny-encoder"))


def with_model(*values: object) -> object:
    return pytest.param(*values, marks=[pytest.mark.model, pytest.mark.django_db])


@pytest.fixture(
    params=["sequence_classifier", "sequence_classifier int8", "sequence_classifier bf16", with_model("cold_start")]
)
def classifier(request: pytest.FixtureRequest, tiny_classifier: Path) -> TextClassifier:
    if request.param == "cold_start":
        prepared: PreparedModels = request.getfixturevalue("prepared_models")
        return ColdStartSentiment(directory=prepared.folders["sentiment"], options={})
    options: dict[str, dict[str, object]] = {"int8": {"int8": True}, "bf16": {"dtype": "bfloat16"}}
    return SequenceClassifier(
        directory=tiny_classifier, options={"device": "cpu"} | options.get(request.param.split()[-1], {})
    )


@pytest.fixture(params=["tiny", with_model("shipped")])
def encoder(request: pytest.FixtureRequest, tiny_encoder: Path) -> TextEncoder:
    if request.param == "shipped":
        prepared: PreparedModels = request.getfixturevalue("prepared_models")
        return SentenceEncoder(directory=prepared.folders["encoder"], options={})
    return SentenceEncoder(directory=tiny_encoder, options={"device": "cpu"})


def test_it_gives_every_text_probabilities_that_sum_to_one(classifier: TextClassifier) -> None:
    results = classifier.classify(TEXTS)
    assert len(results) == len(TEXTS)
    for result in results:
        assert set(result.probabilities) == set(classifier.labels) == set(SENTIMENTS)
        assert sum(result.probabilities.values()) == pytest.approx(1)
        assert result.confidence == pytest.approx(max(result.probabilities.values()))


def test_it_classifies_nothing_as_nothing(classifier: TextClassifier) -> None:
    assert classifier.classify([]) == []


def test_order_and_neighbours_do_not_change_a_classification(classifier: TextClassifier) -> None:
    together = classifier.classify(TEXTS)
    backwards = classifier.classify(TEXTS[::-1])[::-1]
    # Dynamic int8 scales activations over the batch, and bfloat16 keeps 8 bits: both move a little.
    for a, b in zip(together, backwards, strict=True):
        assert [a.probabilities[s] for s in SENTIMENTS] == pytest.approx(
            [b.probabilities[s] for s in SENTIMENTS], abs=0.03
        )


def test_own_labels_are_mapped_to_ours(tiny_classifier: Path) -> None:
    mapped = SequenceClassifier(directory=tiny_classifier, options={"device": "cpu", "labels": {"negative": "bad"}})
    assert mapped.labels == ["bad", "neutral", "positive"]
    assert "bad" in mapped.classify(["mug"])[0].probabilities


def test_quantising_bfloat16_is_refused(tiny_classifier: Path) -> None:
    with pytest.raises(PermanentError, match="int8"):
        SequenceClassifier(directory=tiny_classifier, options={"int8": True, "dtype": "bfloat16", "device": "cpu"})


def test_vectors_have_unit_length_and_keep_the_order(encoder: TextEncoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    assert encoder.encode(TEXTS[::-1])[::-1] == pytest.approx(vectors, abs=1e-5)
    assert encoder.encode([]).shape == (0, encoder.dimension)


@pytest.mark.model
@pytest.mark.django_db
def test_the_shipped_encoder_puts_like_meanings_together(prepared_models: PreparedModels) -> None:
    model = SentenceEncoder(directory=prepared_models.folders["encoder"], options={})
    a, b, c = model.encode(["A steel bottle for water.", "A metal flask to drink from.", "The match was postponed."])
    assert a @ b > 0.5 > a @ c


@pytest.mark.model
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Great bottle, keeps my tea hot all day. Love it!", "positive"),
        ("It leaked on the first day and support never answered. Terrible.", "negative"),
        ("质量很好，穿着舒服，物流也快，非常满意", "positive"),
        ("太差了，用了两天就坏了，客服态度也不好，要求退货", "negative"),
    ],
)
def test_the_cold_start_scorer_is_sure_of_plain_cases(text: str, label: str, prepared_models: PreparedModels) -> None:
    result = ColdStartSentiment(directory=prepared_models.folders["sentiment"], options={}).classify([text])[0]
    assert result.label == label
    assert result.confidence > 0.6


@pytest.mark.model
@pytest.mark.django_db
@pytest.mark.parametrize(
    "text", ["I love the colour. The zip broke after a week.", "It arrived on Monday.", "", "???", "123"]
)
def test_the_cold_start_scorer_is_unsure_of_mixed_and_empty_texts(text: str, prepared_models: PreparedModels) -> None:
    result = ColdStartSentiment(directory=prepared_models.folders["sentiment"], options={}).classify([text])[0]
    assert result.label == "neutral" or result.confidence < 0.75
