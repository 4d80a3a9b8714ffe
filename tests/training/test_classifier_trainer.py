"""The trainer of classifiers on tiny encoders: of several architectures, in several steps to a batch, and after a kill."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.model_store import _tokenizer, tiny_bert
from training.recipes import Recipe
from training.trainers import transformer_classifier
from training.trainers.contracts import Labelled

LABELS = ("bad", "good")


def texts(n: int, *, wrong: bool = False) -> Labelled:
    """Say the one or the other by turns; `wrong`: each the other way round."""
    words = ["awful broken mug", "lovely great mug"]
    return Labelled([words[i % 2] for i in range(n)], [(i + wrong) % 2 for i in range(n)])


def fit(base: Path, work: Path, into: Path, *, held_out: Labelled | None = None, **recipe: Any) -> dict[str, Any]:
    values = {"method": "full", "epochs": 2, "learning_rate": 1e-3, "batch_size": 8, "dropout": 0.0} | recipe
    return transformer_classifier.fit(
        texts(32), held_out or texts(16), labels=LABELS, recipe=Recipe(**values), base=base, work=work, into=into
    )


def weights(model: Path) -> dict[str, torch.Tensor]:
    return load_file(model / "model.safetensors")


def tiny_distilbert(folder: Path) -> Path:
    """Write a DistilBERT with random weights: its encoder is called transformer, its layers otherwise than BERT's."""
    from transformers import DistilBertConfig, DistilBertModel

    _tokenizer(folder, chat=False)
    torch.manual_seed(0)
    config = DistilBertConfig(vocab_size=40, dim=32, hidden_dim=64, n_layers=2, n_heads=4, max_position_embeddings=64)
    DistilBertModel(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("write", [tiny_bert, tiny_distilbert])
def test_encoders_of_other_architectures_are_trained_too(tmp_path: Path, write: Any, method: str) -> None:
    base = write(tmp_path / "base")
    figures = fit(base, tmp_path / "work", tmp_path / "model", method=method, lora_rank=4)
    before, after = load_file(base / "model.safetensors"), weights(tmp_path / "model")
    moved = [
        name for name in before for other in after if other.endswith(name) and not before[name].equal(after[other])
    ]
    assert any("attention" in name for name in moved), "the encoder learns, not only what is above it"
    assert figures["trained_parameters"] > 0


def test_accumulated_gradients_are_those_of_the_larger_batch(tmp_path: Path) -> None:
    base = tiny_bert(tmp_path / "base")
    for name, size, accumulate in (("one", 16, 1), ("two", 4, 4)):
        fit(base, tmp_path / f"work-{name}", tmp_path / name, batch_size=size, accumulate=accumulate, warmup=0.0)
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    for name in one:
        assert torch.allclose(one[name], two[name], atol=1e-5), name


def test_what_had_stopped_early_is_not_trained_further_after_a_kill(tmp_path: Path) -> None:
    base, work = tiny_bert(tmp_path / "base"), tmp_path / "work"
    # The better it learns, the worse it does on these.
    given: dict[str, Any] = {"held_out": texts(16, wrong=True), "epochs": 40, "patience": 2, "learning_rate": 5e-3}
    first = fit(base, work, tmp_path / "first", **given)
    assert first["stopped_early"]
    shutil.rmtree(tmp_path / "first")  # killed before it was written
    second = fit(base, work, tmp_path / "second", **given)
    assert second == first
    whole = fit(base, tmp_path / "work-again", tmp_path / "third", **given)
    assert whole == first
    one, two = weights(tmp_path / "second"), weights(tmp_path / "third")
    for name in one:
        assert torch.allclose(one[name], two[name], atol=1e-6), name
