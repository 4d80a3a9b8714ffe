"""Which way to run a classifier is taken, and when it is tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from inference import calibration, loader
from inference.backends.sequence_classifier import SequenceClassifier
from inference.contracts import Backend, Classification, TextClassifier
from inference.models import Calibration
from tests import factories
from tests.model_store import tiny_bert

PLAIN, BF16, INT8 = calibration.PRECISIONS


class Counted(TextClassifier):
    """Says `b` of every text for which `options["other"]` says so, else `a`."""

    made: list[Mapping[str, Any]] = []

    def __init__(self, *, directory: None, options: Mapping[str, Any]) -> None:
        super().__init__(directory=directory, options=options)
        self.made.append(options)

    def classify(self, texts: Sequence[str]) -> list[Classification]:
        return [Classification("a", {"a": 1.0, "b": 0.0}) for _ in texts]


def test_the_fastest_that_says_the_same_is_taken_and_nothing_for_a_chance() -> None:
    plain = calibration.Trial(PLAIN, 100, 0)
    fast, untrue = calibration.Trial(INT8, 300, 0.5), calibration.Trial(BF16, 500, 0.51)
    assert calibration.choose([plain, untrue, fast]) == fast
    assert calibration.choose([plain, untrue, calibration.Trial(INT8, 104, 0)]) == plain


def test_labels_that_differ_are_counted_in_the_worse_half() -> None:
    said = ["a"] * 8
    assert calibration._points(said, said) == 0
    assert calibration._points(said, ["b", "a", "b", "a", "a", "a", "a", "a"]) == 50


def test_the_texts_are_always_the_same_and_of_several_lengths() -> None:
    texts = calibration.texts()
    assert texts == calibration.texts()
    assert len(set(texts)) == calibration.N_TEXTS
    assert min(map(len, texts)) < 60 < 150 < max(map(len, texts))


@pytest.mark.django_db
def test_a_version_is_tried_once_on_a_kind_of_machine_and_runs_so(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INFERENCE = replace(
        settings.INFERENCE,
        calibrates=True,
        backends={**settings.INFERENCE.backends, "sequence_classifier": "tests.inference.test_calibration.Counted"},
    )
    version = factories.model_version("sentiment", artifact_hash="", backend="sequence_classifier")
    trials = [calibration.Trial(PLAIN, 100, 0), calibration.Trial(INT8, 300, 0)]
    tried: list[Backend] = []
    monkeypatch.setattr(calibration, "calibrate", lambda plain, build: tried.append(plain) or trials)

    def load() -> Mapping[str, Any]:
        loader.forget()
        return loader.load_classifier(version).options

    assert load() == load() == INT8
    kept = Calibration.objects.get()
    assert (len(tried), kept.options, kept.trials[1]["texts_per_second"]) == (1, INT8, 300)
    monkeypatch.setattr(calibration, "machine", lambda: "another processor")
    load()
    assert len(tried) == 2
    monkeypatch.setattr(calibration, "machine", lambda: "a busy processor")
    with monkeypatch.context() as busy:
        busy.setattr(calibration, "BUSY_S", -1)
        assert load() == {}
        assert len(tried) == 2, "a busy machine measures nothing"
    for more in ({"dtype": "float32"}, {"batch_size": 8}):
        version = factories.model_version("sentiment", artifact_hash="", backend="sequence_classifier", options=more)
        assert load() == more
    settings.INFERENCE = replace(settings.INFERENCE, calibrates=False)
    version = factories.model_version("sentiment", artifact_hash="", backend="sequence_classifier")
    assert load() == {}
    assert len(tried) == 2, "what somebody chose stands"
    loader.forget()


def test_a_real_classifier_is_tried_in_each_precision_and_batch(tmp_path: Any) -> None:
    folder = tiny_bert(tmp_path / "bert", labels=("good", "bad"))

    def build(more: Mapping[str, Any]) -> SequenceClassifier:
        return SequenceClassifier(directory=folder, options={"device": "cpu", **more})

    trials = calibration.calibrate(build({}), build)
    assert [trial.options for trial in trials[:3]] == list(calibration.PRECISIONS)
    assert [trial.options["batch_size"] for trial in trials[3:]] == list(calibration.BATCHES)
    assert trials[0].points == 0
    assert all(trial.texts_per_second > 0 for trial in trials)
    assert "cores" in calibration.machine()
