"""The starter adapter: what ships is what is pinned, small, and merged into the weights of its base."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from core.exceptions import PermanentError
from inference import prompts
from tests.model_store import tiny_llama
from tests.training.copy_shop import QUICK, rows
from training.recipes import CopyRecipe
from training.starter import adapter, pairs
from training.trainers import copywriter, starter_weights

MOST_BYTES = 5_000_000


def test_what_ships_is_whole_and_small() -> None:
    adapter.require_whole()
    assert (adapter.FOLDER / adapter.WEIGHTS).stat().st_size < MOST_BYTES


def test_damaged_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / adapter.WEIGHTS).write_bytes(b"other")
    monkeypatch.setattr(adapter, "FOLDER", tmp_path)
    with pytest.raises(PermanentError, match="not what was shipped"):
        adapter.merge_into(tmp_path)


def test_it_learns_from_the_prompt_that_serving_asks_with() -> None:
    pair = adapter.parts()[pairs.TRAIN][0]
    (row,) = adapter.rows_of([pair])
    turns = prompts.render(pair.brief, version=prompts.SHORT_PROMPT_VERSION)
    assert [turn["content"] for turn in row["prompt"]] == [turn.content for turn in turns]
    assert row["completion"] == pair.text


def test_what_was_kept_in_half_precision_merges_to_what_was_trained(tmp_path: Path) -> None:
    base, trained = tiny_llama(tmp_path / "base"), tmp_path / "trained"
    copywriter.imitate(
        rows(16),
        rows(8),
        recipe=CopyRecipe(**QUICK),
        base=base,
        work=tmp_path / "work",
        into=trained,
        adapter=tmp_path / "adapter",
    )
    starter_weights.halve(tmp_path / "adapter", tmp_path / "halved")
    before = load_file(base / "model.safetensors")
    starter_weights.merge(base, tmp_path / "halved")
    after, expected = load_file(base / "model.safetensors"), load_file(trained / "model.safetensors")
    assert after.keys() == expected.keys()
    assert all(torch.allclose(after[name], expected[name], atol=2e-3) for name in expected)
    assert any(not torch.equal(after[name], before[name]) for name in before)
    config = (tmp_path / "halved" / "adapter_config.json").read_text(encoding="utf-8")
    assert str(tmp_path) not in config
