"""Few labels: the contrastive trainer, pseudo-labels that never touch the test part, and pretraining on unlabelled texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer

from core.exceptions import PermanentError
from inference.backends.linear_heads import EmbeddingHead
from inference.backends.sentence_encoder import SentenceEncoder
from tests.model_store import tiny_bert
from training import pseudo_labels
from training.recipes import Recipe, resolve_defaults
from training.trainers import contrastive, masked_language
from training.trainers.contracts import Labelled

LABELS = ("bad", "good")
RECIPE = resolve_defaults(
    Recipe(method="contrastive", batch_size=8, max_tokens=16, learning_rate=1e-3), n_train=16, is_chinese=False
)


def texts(n: int) -> Labelled:
    return Labelled(
        [f"the mug is {('bad', 'good')[i % 2]} {['one', 'it', 'a', 'steel'][i % 4]}" for i in range(n)],
        [i % 2 for i in range(n)],
    )


def test_what_is_trained_is_what_serves_and_the_same_seed_gives_the_same(tmp_path: Path) -> None:
    base = tiny_bert(tmp_path / "base")
    for name in ("one", "two"):
        figures = contrastive.fit(
            texts(16), texts(4), labels=LABELS, recipe=RECIPE, base=base, work=tmp_path / "work", into=tmp_path / name
        )
    assert figures["steps"] == contrastive.steps_for(20, RECIPE)
    first, second = (load_file(tmp_path / name / "encoder" / "model.safetensors") for name in ("one", "two"))
    assert all(first[name].equal(second[name]) for name in first)
    before = load_file(base / "model.safetensors")
    moved = {name for name in before if not before[name].equal(first[name])}
    assert moved
    assert all("layer.1." in name for name in moved), "the upper half of the layers alone learns"
    served = EmbeddingHead(directory=tmp_path / "one", options={"max_tokens": 16})
    assert [answer.label for answer in served.classify(["the mug is bad", "the mug is good"])] == ["bad", "good"]


def test_texts_of_one_label_come_closer_than_texts_of_two(tmp_path: Path) -> None:
    base, rows = tiny_bert(tmp_path / "base"), texts(16)
    contrastive.tune(rows, recipe=RECIPE, base=base, into=tmp_path / "tuned")

    def gap(folder: Path) -> float:
        vectors = SentenceEncoder(directory=folder, options={"dtype": "float32"}).encode(rows.texts)
        cosine, equal = vectors @ vectors.T, np.equal.outer(rows.labels, rows.labels)
        return float(cosine[equal].mean() - cosine[~equal].mean())

    assert gap(tmp_path / "tuned") > 1.2 * gap(base)


def test_every_batch_has_pairs_of_both_kinds() -> None:
    labels = [i % 5 for i in range(23)]
    for batch in contrastive.batches(labels, size=8, n=20, seed=1):
        drawn = [labels[i] for i in batch]
        assert len(set(drawn)) > 1
        assert len(set(drawn)) < len(drawn)
        assert len(batch) <= 8


def test_the_loss_is_nought_where_labels_are_told_apart() -> None:
    apart = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert float(contrastive.pair_loss(apart, torch.tensor([0, 0, 1]))) == 0
    assert float(contrastive.pair_loss(apart, torch.tensor([0, 1, 0]))) == 0.75


def test_one_label_alone_is_refused_in_words(tmp_path: Path) -> None:
    rows = Labelled(["the mug", "a mug"], [0, 0])
    with pytest.raises(PermanentError, match="one label alone"):
        contrastive.tune(rows, recipe=RECIPE, base=tiny_bert(tmp_path / "base"), into=tmp_path / "tuned")


REVIEW = "The handle of this blue mug came off after two weeks of careful use at home"


def test_no_near_copy_of_a_tested_text_is_pseudo_labelled() -> None:
    spare = [
        REVIEW.upper() + "!!",
        REVIEW.replace("blue", "green"),
        "Lid fits badly and it leaks",
        "already labelled",
        "…",
    ]
    kept = pseudo_labels.untested(
        [*spare, "Lid fits badly, and it leaks"], tested=[REVIEW], labelled=["Already labelled."]
    )
    assert kept == ["Lid fits badly and it leaks", "…"]


def test_only_what_the_model_is_sure_of_is_added_and_never_more_than_a_few_times_what_people_said() -> None:
    train = Labelled(["a", "b"], [0, 1])
    sure = np.array([[0.95, 0.05]] * 5 + [[0.4, 0.6]] + [[0.08, 0.92]])
    found = pseudo_labels.add(train, list("cdefghi"), lambda asked: sure, threshold=0.9)
    assert list(found.labels) == [0, 1] + [0] * pseudo_labels.MOST + [1]
    assert "h" not in found.texts
    assert pseudo_labels.add(train, [], lambda asked: sure, threshold=0.9) is train


def test_pretraining_keeps_the_files_of_the_encoder_and_moves_its_weights(tmp_path: Path) -> None:
    base = tiny_bert(tmp_path / "base")
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.mask_token = "[MASK]"
    tokenizer.save_pretrained(base)
    figures = masked_language.pretrain(
        texts(60).texts, base=base, into=tmp_path / "more", steps=20, seed=0, max_tokens=16
    )
    before, after = load_file(base / "model.safetensors"), load_file(tmp_path / "more" / "model.safetensors")
    assert before.keys() == after.keys()
    assert any(not before[name].equal(after[name]) for name in before)
    assert figures["pretrain_loss_after"] < figures["pretrain_loss_before"]
    assert SentenceEncoder(directory=tmp_path / "more", options={}).encode(["the mug"]).shape == (1, 32)
    with pytest.raises(PermanentError, match="too few to pretrain"):
        masked_language.pretrain(["one"], base=base, into=tmp_path / "none", steps=1, seed=0, max_tokens=16)
