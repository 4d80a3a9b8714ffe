"""Imitation and preferences on a tiny model: what is learnt from, that it is learnt, and that an interruption changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTTrainer

from core.exceptions import PermanentError
from inference.backends import chat_tokens
from inference.backends.causal_lm import CausalLM
from inference.contracts import GenerationParams, Message
from tests.model_store import tiny_llama
from tests.training.copy_shop import BAD, GOOD, QUICK, learnt, rows
from training.recipes import CopyRecipe
from training.trainers import copywriter

RECIPE = CopyRecipe(**QUICK)
GREEDY = GenerationParams(max_new_tokens=16, temperature=0, repetition_penalty=1.0, no_repeat_ngram_size=0)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def imitating(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that learnt to write `GOOD`."""
    return learnt(GOOD, tmp_path_factory.mktemp("learnt"))


def messages(row: Mapping[str, Any]) -> list[Message]:
    return [Message(turn["role"], turn["content"]) for turn in row["prompt"]]


def read_by(serving: CausalLM, turns: list[Message]) -> list[int]:
    """Return the token ids that serving puts before the model."""
    seen: list[torch.Tensor] = []
    real = serving.model.generate
    serving.model.generate = lambda **given: seen.append(_read(given)) or real(**given)
    serving.generate([turns], GREEDY)
    serving.model.generate = real
    return seen[0].tolist()


def _read(given: Mapping[str, Any]) -> torch.Tensor:
    """Return what is read of the first row: without its padding, which stands between the beginning and the rest."""
    return given["input_ids"][0][given["attention_mask"][0] == 1]


def text_of(model: Path, row: Mapping[str, Any]) -> str:
    return CausalLM(directory=model, options={}).generate([messages(row)], GREEDY)[0].text


def weights(model: Path) -> dict[str, torch.Tensor]:
    return load_file(model / "model.safetensors")


def test_the_loss_is_on_the_answer_alone_and_the_prompt_is_that_of_serving(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[dict[str, torch.Tensor]] = []
    real = SFTTrainer.compute_loss

    def spied(self: Any, model: Any, inputs: dict[str, Any], *args: Any, **more: Any) -> Any:
        batches.append({name: value.clone() for name, value in inputs.items() if isinstance(value, torch.Tensor)})
        return real(self, model, inputs, *args, **more)

    monkeypatch.setattr(SFTTrainer, "compute_loss", spied)
    recipe = CopyRecipe(epochs=1, batch_size=3, accumulate=1)
    copywriter.imitate(rows(3), rows(3), recipe=recipe, base=base, work=tmp_path / "work", into=tmp_path / "model")
    tokenizer, serving = AutoTokenizer.from_pretrained(base), CausalLM(directory=base, options={})
    expected = {}
    for row in rows(3):
        prompt = read_by(serving, messages(row))
        answer = tokenizer(f"{GOOD} <|im_end|>", add_special_tokens=False)["input_ids"]
        expected[(*prompt, *answer)] = [-100] * len(prompt) + answer
    seen = {}
    for ids, labels, mask in zip(
        *(batches[0][name] for name in ("input_ids", "labels", "attention_mask")), strict=True
    ):
        seen[tuple(ids[mask == 1].tolist())] = labels[mask == 1].tolist()
        assert set(labels[mask == 0].tolist()) <= {-100}, "padding teaches nothing"
    assert seen == expected


def test_it_writes_what_it_imitated_and_needs_no_adapter(imitating: Path) -> None:
    assert text_of(imitating, rows(60)[55]) == GOOD, "for a product that it has not seen"
    assert not list(imitating.glob("adapter*"))
    assert (imitating / "tokenizer_config.json").exists()


def test_preferences_move_it_from_the_draft_to_the_fix(imitating: Path, tmp_path: Path) -> None:
    wavering = learnt(BAD, tmp_path / "bad")
    pairs = rows(32)

    def margin(model: Path) -> float:
        found, tokenizer = AutoModelForCausalLM.from_pretrained(model), AutoTokenizer.from_pretrained(model)
        turns = messages(pairs[0])
        prompt = chat_tokens.prompt_ids(tokenizer, turns)

        def likelihood(text: str) -> float:
            answer = chat_tokens.answer_ids(tokenizer, turns, text)
            with torch.no_grad():
                logits = found(torch.tensor([[*prompt, *answer]])).logits[0, len(prompt) - 1 : -1].log_softmax(-1)
            return float(logits[range(len(answer)), answer].sum())

        return likelihood(GOOD) - likelihood(BAD)

    recipe = CopyRecipe(preference_epochs=2, preference_rate=5e-3, batch_size=8, accumulate=1)
    figures = copywriter.prefer(
        pairs, rows(8), recipe=recipe, base=wavering, work=tmp_path / "work", into=tmp_path / "model"
    )
    assert margin(tmp_path / "model") > margin(wavering) + 1
    assert figures["steps"] == 8
    assert (figures["n_train"], figures["n_validation"]) == (32, 8)
    assert not list((tmp_path / "model").glob("adapter*"))


class Killed(Exception):
    """The worker dies."""


@pytest.mark.parametrize("trainer", [copywriter.imitate, copywriter.prefer])
def test_after_a_kill_it_goes_on_from_the_last_checkpoint_and_ends_where_it_would_have(
    base: Path, tmp_path: Path, trainer: Any
) -> None:
    recipe = CopyRecipe(
        epochs=3, preference_epochs=3, batch_size=4, accumulate=2, learning_rate=1e-3, preference_rate=1e-3
    )
    steps: list[int] = []

    def dies(done: int, of: int, figures: Mapping[str, float]) -> None:
        if done == 5:
            raise Killed

    def watches(done: int, of: int, figures: Mapping[str, float]) -> None:
        steps.append(done)

    given: dict[str, Any] = {"recipe": recipe, "base": base}
    with pytest.raises(Killed):
        trainer(rows(16), rows(4), **given, work=tmp_path / "killed", into=tmp_path / "one", watch=dies)
    half = tmp_path / "killed" / "checkpoint-99"
    half.mkdir()  # being written when the power failed
    trainer(rows(16), rows(4), **given, work=tmp_path / "killed", into=tmp_path / "one", watch=watches)
    assert min(steps) == 5, "not from the beginning"
    assert not half.exists()
    trainer(rows(16), rows(4), **given, work=tmp_path / "whole", into=tmp_path / "two")
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    for name in one:
        assert torch.allclose(one[name], two[name], atol=1e-6), name


def test_it_stops_early_when_nothing_is_gained(base: Path, tmp_path: Path) -> None:
    recipe = CopyRecipe(epochs=30, learning_rate=0.05, batch_size=8, accumulate=1, patience=1)
    held_out = rows(8, completion=BAD)  # the better it imitates, the worse it does here
    figures = copywriter.imitate(
        rows(16), held_out, recipe=recipe, base=base, work=tmp_path / "work", into=tmp_path / "model"
    )
    assert figures["stopped_early"]
    assert figures["best_step"] < figures["steps"] < figures["steps_planned"]


def test_accumulated_gradients_are_those_of_the_larger_batch(base: Path, tmp_path: Path) -> None:
    made = {}
    for name, size, accumulate in (("one", 8, 1), ("two", 2, 4)):
        recipe = CopyRecipe(epochs=2, batch_size=size, accumulate=accumulate, learning_rate=1e-3, lora_dropout=0)
        copywriter.imitate(
            rows(16), rows(4), recipe=recipe, base=base, work=tmp_path / f"work-{name}", into=tmp_path / name
        )
        made[name] = weights(tmp_path / name)
    for name in made["one"]:
        assert torch.allclose(made["one"][name], made["two"][name], atol=1e-5), name


def test_packed_examples_do_not_see_each_other(base: Path, tmp_path: Path) -> None:
    losses: dict[bool, float] = {}
    for packing in (False, True):
        first: dict[str, float] = {}
        # A learning rate of next to nothing: the first loss is that of the base on all examples at once.
        recipe = CopyRecipe(
            epochs=1,
            batch_size=1 if packing else 6,
            accumulate=1,
            learning_rate=1e-12,
            packing=packing,
            lora_dropout=0,
            max_tokens=2048,
        )

        def watch(done: int, of: int, figures: Mapping[str, float], first: dict[str, float] = first) -> None:
            if "loss" in figures:
                first.setdefault("loss", figures["loss"])

        made = rows(3) + rows(3, completion="it is a steel mug")
        found = copywriter.imitate(
            made,
            rows(2),
            recipe=recipe,
            base=base,
            work=tmp_path / f"work{packing}",
            into=tmp_path / f"m{packing}",
            watch=watch,
        )
        losses[packing] = first["loss"]
        assert found["steps"] == 1 or packing
    assert losses[True] == pytest.approx(losses[False], abs=1e-3)


def test_what_does_not_fit_is_left_out_not_cut(base: Path, tmp_path: Path) -> None:
    long = rows(9)
    long[8]["completion"] = "the mug is blue . " * 200
    length = max(len(row["input_ids"]) for row in copywriter.encode(AutoTokenizer.from_pretrained(base), long[:8]))
    recipe = CopyRecipe(epochs=1, max_tokens=length, batch_size=4)
    figures = copywriter.imitate(
        long, rows(2), recipe=recipe, base=base, work=tmp_path / "work", into=tmp_path / "model"
    )
    assert (figures["n_train"], figures["n_too_long"]) == (8, 1)
    with pytest.raises(PermanentError, match="every example is longer than 16 tokens"):
        copywriter.imitate(
            long, rows(2), recipe=CopyRecipe(max_tokens=16), base=base, work=tmp_path / "w", into=tmp_path / "m"
        )
