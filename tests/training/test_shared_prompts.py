"""Reading equal beginnings once changes no loss and no gradient, and a model that cannot is left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM
from trl.trainer.utils import add_fused_lm_head

from tests.model_store import tiny_llama
from training.trainers import shared_prompts

ROWS = [[5, 9, 8, 7, 20, 21], [5, 9, 8, 7, 20, 11, 12, 6], [5, 9, 13], [5, 9, 8, 7, 20, 21]]


@pytest.fixture
def model(tmp_path: Path) -> Any:
    found = AutoModelForCausalLM.from_pretrained(tiny_llama(tmp_path), dtype=torch.float32)
    add_fused_lm_head(found, outputs=("log_probs", "entropy", "mean_logits", "is_top1"))
    return found


def batch() -> dict[str, torch.Tensor]:
    """Rows that fork at different places, padded on the right; the last two tokens of each are learnt."""
    width = max(map(len, ROWS))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in ROWS])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in ROWS])
    labels = torch.tensor([[-100] * (len(row) - 2) + row[-2:] + [-100] * (width - len(row)) for row in ROWS])
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def scored(model: Any) -> tuple[Any, dict[str, torch.Tensor]]:
    model.zero_grad()
    found = model(**batch(), fused_lm_head=True)
    found.loss.backward()
    return found, {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


def test_the_tree_holds_each_beginning_once() -> None:
    given = batch()
    tree = shared_prompts.tree_of(given["input_ids"], given["attention_mask"])
    assert tree.ids.tolist() == [5, 9, 8, 7, 20, 21, 11, 12, 6, 13], "of 23 tokens"
    assert tree.depth.tolist() == [0, 1, 2, 3, 4, 5, 5, 6, 7, 2]
    for row, length in enumerate(map(len, ROWS)):
        places = tree.places[row, :length]
        assert tree.ids[places].tolist() == ROWS[row]
        last = tree.sees[places[-1]].nonzero().flatten().tolist()
        assert last == sorted(places.tolist()), "a token sees its own row up to itself, and nothing else"


def test_scores_and_gradients_are_those_of_reading_row_by_row(model: Any) -> None:
    apart, gradients = scored(model)
    assert shared_prompts.share(model)
    once, shared_gradients = scored(model)
    for name in ("loss", "log_probs", "entropy", "mean_logits"):
        assert torch.allclose(once[name], apart[name], atol=1e-5), name
    assert torch.equal(once.is_top1.bool(), apart.is_top1.bool())
    assert torch.equal(once.label_mask, apart.label_mask)
    assert set(gradients) == set(shared_gradients)
    for name, gradient in gradients.items():
        assert torch.allclose(gradient, shared_gradients[name], atol=1e-5), name


def test_fewer_tokens_are_read(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shared_prompts.share(model)
    read: list[int] = []
    model.model.layers[0].register_forward_pre_hook(
        lambda layer, given: read.append(given[0].shape[0] * given[0].shape[1])
    )
    model(**batch(), fused_lm_head=True)
    monkeypatch.setattr(shared_prompts, "MOST_NODES", 4)
    model(**batch(), fused_lm_head=True)
    assert read == [10, 4 * 8], "a tree whose mask would be too large is not made"


def test_generation_and_plain_forwards_are_as_before(model: Any) -> None:
    ids = batch()["input_ids"][1:2]
    before = model.generate(ids, max_new_tokens=4, do_sample=False, pad_token_id=0)
    logits = model(ids).logits
    shared_prompts.share(model)
    assert torch.equal(model.generate(ids, max_new_tokens=4, do_sample=False, pad_token_id=0), before)
    assert torch.equal(model(ids).logits, logits)


def test_a_model_whose_answers_would_change_reads_row_by_row(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = model.model.forward

    def in_a_row(*args: Any, **given: Any) -> Any:
        given["attention_mask"] = None  # as one that carries a state from token to token
        return plain(*args, **given)

    monkeypatch.setattr(model.model, "forward", in_a_row)
    assert not shared_prompts.share(model)
    assert model.model.forward is in_a_row
    model.config.logit_scale = 2.0
    assert not shared_prompts.share(model), "trl knows what such a head does"
