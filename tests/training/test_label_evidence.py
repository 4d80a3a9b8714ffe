"""What judges labels in production is what the benchmark measures: the same functions, the same encoder, the same texts embedded."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from bench import label_quality_errors, reviews
from core.refs import ref
from inference import loader, resolver
from labeling import columns, labels
from labeling.models import Label, OutOfSample, TextVector
from labeling.question import question
from tests import factories
from tests.model_store import PreparedModels
from tests.training.shop import WORDS, review_text
from training import label_evidence, preparation

pytestmark = pytest.mark.django_db
KIND = "sentiment"
NAMES = tuple(WORDS)


def queue(n: int, *, chinese: float, seed: int = 3) -> tuple[list[str], np.ndarray]:
    """Label so many reviews, a tenth of them wrongly; return their subjects and the numbers of the labels."""
    rng, subjects, given = random.Random(seed), list[str](), list[int]()
    for number in range(n):
        truth = number % 3
        text = f"{review_text(NAMES[truth], rng, chinese=rng.random() < chinese)} {number}"
        subjects.append(ref(factories.customer_review(text)))
        given.append((truth + 1) % 3 if rng.random() < 0.1 else truth)
        labels.record_label(
            KIND, subjects[-1], label=NAMES[given[-1]], method="single", quality=None, n_votes=1, at=timezone.now()
        )
    return subjects, np.array(given)


@pytest.fixture
def shipped(prepared_models: PreparedModels) -> Any:
    """The encoder that ships is registered as `prepare_models` does, and the champion of its role."""
    about = next(model for model in preparation.SHIPPED if model.role == "encoder")
    return factories.model_version(
        "encoder",
        backend=about.backend,
        locales=list(about.locales),
        artifact_hash=prepared_models.folders["encoder"].name,
    )


@pytest.mark.slow("embeds a hundred texts with the encoder that ships, twice")
def test_the_benchmark_has_the_encoder_of_production_and_knows_what_it_reads(shipped: Any) -> None:
    ours, theirs = loader.build(shipped), reviews.encoder()
    assert type(ours) is type(theirs)
    assert ours.options == theirs.options == {}
    assert ours.max_tokens == theirs.max_tokens
    for name in preparation.ENCODER_FILES:
        ours_file, theirs_file = (folder / name for folder in (ours.directory, theirs.directory))
        assert hashlib.sha256(ours_file.read_bytes()).digest() == hashlib.sha256(theirs_file.read_bytes()).digest()
    assert resolver.can_work_in(shipped, label_evidence.CHINESE) == reviews.READS_CHINESE
    texts = ["a lovely mug", "很好 很喜欢", "x" * 3000]
    assert np.array_equal(ours.encode(texts), theirs.encode(texts))


@pytest.mark.parametrize("chinese", [0.0, 0.5, 1.0])
def test_production_says_what_the_benchmark_measures(
    chinese: float, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INFERENCE = replace(
        settings.INFERENCE, backends={**settings.INFERENCE.backends, "word_vectors": "tests.backends.WordVectors"}
    )
    version = factories.model_version("encoder", backend="word_vectors", artifact_hash="")
    subjects, given = queue(180, chinese=chinese)
    label_evidence.gather(KIND, NAMES, progress=lambda *stage: None)
    table = columns.read(KIND, NAMES)
    flagged = label_evidence.flag(table, judged=[], precision=0.5)

    monkeypatch.setattr(reviews, "embed", loader.build(version).encode)
    monkeypatch.setattr(label_quality_errors, "NAMES", NAMES)
    texts = question(KIND).texts(subjects)
    measured = reviews.Reviews("queue", texts, np.arange(len(texts)), given, chinese == 0)
    judged, found = label_quality_errors.searched(measured, given)

    np.testing.assert_allclose(table.probabilities, judged.probabilities, atol=1e-6)
    np.testing.assert_allclose(table.second, judged.second, atol=1e-6)
    assert found.rows
    assert list(found.rows) == list(flagged.rows)
    assert TextVector.objects.count() == len(judged.embedded)
    assert len(judged.embedded) == pytest.approx(180 * (1 - chinese), abs=25)


def test_chinese_is_judged_by_its_characters_and_embedded_by_an_encoder_that_reads_it(encoder_of: Any) -> None:
    queue(160, chinese=0.5)
    encoder_of(["en"])
    report = label_evidence.gather(KIND, NAMES, progress=lambda *stage: None).report
    n = report["embedded"]
    assert 50 < n < 110
    assert f"for {n} of 160 texts on the embedding too" in report["model"]
    assert set(report["datalab"]) == {"near_duplicate", "outlier", "non_iid", "class_imbalance"}
    encoder_of(["en", "zh"])
    assert label_evidence.gather(KIND, NAMES, progress=lambda *stage: None).report["embedded"] == 160
    assert OutOfSample.objects.count() == 160


def test_of_too_few_texts_that_it_reads_no_embedding_is_made(encoder_of: Any) -> None:
    queue(120, chinese=1.0)
    queue(20, chinese=0.0, seed=4)
    encoder_of(["en"])
    report = label_evidence.gather(KIND, NAMES, progress=lambda *stage: None).report
    assert (report["embedded"], report["datalab"]) == (0, {})
    assert TextVector.objects.count() == 0
    assert OutOfSample.objects.count() == Label.objects.count() == 140


@pytest.fixture
def encoder_of(settings: Any) -> Any:
    """Make an encoder the champion that lists these languages."""
    settings.INFERENCE = replace(
        settings.INFERENCE, backends={**settings.INFERENCE.backends, "word_vectors": "tests.backends.WordVectors"}
    )
    return lambda locales: factories.model_version("encoder", backend="word_vectors", artifact_hash="", locales=locales)
