"""The token ids of a chat prompt and of the answer to it: serving and training turn turns into tokens in one place.

A model that is trained on other tokens than those it is asked with learns something that nobody asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inference.contracts import Message


def render(tokenizer: Any, messages: Sequence[Message]) -> str:
    """Return the prompt as the chat template writes it, up to where the model begins to write."""
    return str(tokenizer.apply_chat_template(_turns(tokenizer, messages), tokenize=False, add_generation_prompt=True))


def prompt_ids(tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    """Return the token ids that a model reads before it writes."""
    return _ids(tokenizer, render(tokenizer, messages))


def answer_ids(tokenizer: Any, messages: Sequence[Message], text: str) -> list[int]:
    """Return the token ids that a model should write after `prompt_ids`: those of `text`,
    and the one that ends its turn.
    """
    prompt, before = render(tokenizer, messages), prompt_ids(tokenizer, messages)
    answered = _turns(tokenizer, [*messages, Message("assistant", text)])
    whole = str(tokenizer.apply_chat_template(answered, tokenize=False))
    together = _ids(tokenizer, whole)
    if together[: len(before)] == before:
        ids = together[len(before) :]
    elif whole.startswith(prompt):  # the tokenizer joins both sides of the seam; a model that writes does not
        ids = _ids(tokenizer, whole[len(prompt) :])
    else:  # the template writes an answer in the history otherwise than one that is to come
        ids = _ids(tokenizer, without_special_tokens(tokenizer, text))
    # What the template puts after the end of the turn is never read.
    ends = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    end = next((place for place, token in enumerate(ids) if token in ends), None)
    return [*ids, int(tokenizer.eos_token_id)] if end is None else ids[: end + 1]


def without_special_tokens(tokenizer: Any, content: str) -> str:
    """Return `content` without special tokens: one inside a message would be read as one, and could end the turn."""
    before = None
    while before != content:  # removing one may put the halves of another together
        before = content
        for token in tokenizer.all_special_tokens:
            content = content.replace(token, " ")
    return content


def _turns(tokenizer: Any, messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": turn.role, "content": without_special_tokens(tokenizer, turn.content)} for turn in messages]


def _ids(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids
