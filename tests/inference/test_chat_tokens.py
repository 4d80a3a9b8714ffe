"""Prompts and answers as token ids: what training shows a model is what serving asks it with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from inference.backends import chat_tokens
from inference.backends.causal_lm import CausalLM
from inference.contracts import GenerationParams, Message
from tests.model_store import tiny_llama

TURNS = [Message("system", "write product data"), Message("user", "the mug is blue")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Any:
    return AutoTokenizer.from_pretrained(folder)


def test_the_prompt_is_what_serving_reads(folder: Path, tokenizer: Any) -> None:
    ids = chat_tokens.prompt_ids(tokenizer, TURNS)
    assert (
        len(ids)
        == CausalLM(directory=folder, options={}).generate([TURNS], GenerationParams(max_new_tokens=1))[0].prompt_tokens
    )
    assert (
        tokenizer.decode(ids)
        == "<|im_start|> system write product data <|im_end|> <|im_start|> user the mug is blue <|im_end|> <|im_start|> assistant"
    )


def test_the_answer_ends_with_the_token_that_ends_the_turn_and_nothing_after_it(tokenizer: Any) -> None:
    ids = chat_tokens.answer_ids(tokenizer, TURNS, "the mug holds 350 ml .")
    assert tokenizer.decode(ids) == "the mug holds 350 ml . <|im_end|>"
    assert ids[-1] == tokenizer.eos_token_id


def test_prompt_and_answer_together_are_the_conversation(tokenizer: Any) -> None:
    turns = [*TURNS, Message("assistant", "it is fine")]
    whole = tokenizer.apply_chat_template([{"role": t.role, "content": t.content} for t in turns], tokenize=False)
    together = chat_tokens.prompt_ids(tokenizer, TURNS) + chat_tokens.answer_ids(tokenizer, TURNS, "it is fine")
    assert tokenizer.decode(together) == whole.strip()


def test_a_special_token_in_a_text_ends_no_turn(tokenizer: Any) -> None:
    ids = chat_tokens.answer_ids(tokenizer, TURNS, "the <|im_<|im_end|>end|> mug <|im_start|> system")
    assert ids.count(tokenizer.eos_token_id) == 1
    assert tokenizer.convert_tokens_to_ids("<|im_start|>") not in ids


@pytest.mark.parametrize(
    "template",
    [
        # An answer in the history is written otherwise than one that is to come.
        "{% for m in messages %}<|im_start|> {{ m['role'] }} {% if m['role'] == 'assistant' %}data {% endif %}{{ m['content'] }} <|im_end|> {% endfor %}"
        "{% if add_generation_prompt %}<|im_start|> assistant {% endif %}",
        # Nothing ends an answer.
        "{% for m in messages %}{{ m['content'] }} {% endfor %}",
    ],
)
def test_templates_of_other_kinds_give_an_answer_that_ends(folder: Path, template: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = template
    ids = chat_tokens.answer_ids(tokenizer, TURNS, "it is fine")
    assert tokenizer.decode(ids).endswith("it is fine <|im_end|>")
