"""Text generation with a causal language model in this process (transformers)."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    DynamicCache,
    GenerationConfig,
    StoppingCriteria,
    StoppingCriteriaList,
)

from core.exceptions import PermanentError, TransientError
from inference.backends import chat_tokens, sampling, torch_runtime
from inference.contracts import Generation, GenerationParams, Message, TextGenerator, never

MIN_PREFIX = 32


class _Cancelled(StoppingCriteria):  # type: ignore[misc]
    """Stops all rows of a batch with the token at which `cancelled` begins to say so."""

    def __init__(self, cancelled: Callable[[], bool]) -> None:
        self.cancelled = cancelled

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        return torch.full((input_ids.shape[0],), self.cancelled(), dtype=torch.bool, device=input_ids.device)


class CausalLM(TextGenerator):
    """Padded batches of prompts of like length; what all of a batch begin with is read once.

    Options: `dtype`, `device`, `batch_size`, `max_prompt_tokens`.

    What is reproducible: on the same device, dtype and library versions the same list of prompts and parameters gives
    the same texts. A prompt's random draws depend on its own seed alone, whatever stands beside it in the batch; its
    logits do too up to the rounding of padded matrix products, which can tip a near-tie, in bfloat16 more often than
    in float32. Greedy decoding is subject to the same rounding.
    """

    def __init__(self, *, directory: Path | None, options: Mapping[str, Any]) -> None:
        super().__init__(directory=directory, options=options)
        if directory is None:
            raise PermanentError("the back end causal_lm needs an artefact", hint="Register a model directory.")
        self.device, self.dtype = torch_runtime.pick(options)
        self.tokenizer = AutoTokenizer.from_pretrained(directory, local_files_only=True, trust_remote_code=False)
        if not self.tokenizer.chat_template:
            raise PermanentError("this model has no chat template", hint="Register an instruction-tuned model.")
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        model = AutoModelForCausalLM.from_pretrained(
            directory, dtype=self.dtype, local_files_only=True, trust_remote_code=False, use_safetensors=True
        )
        self.model = model.to(self.device).eval()
        self.stop_ids = self._stop_ids()
        self.prefix: tuple[list[int], DynamicCache | None] = ([], None)
        positions = getattr(self.model.config, "max_position_embeddings", None) or 4096
        self.max_prompt_tokens = int(options.get("max_prompt_tokens") or positions - 64)
        self.max_tokens = int(positions)

    def _stop_ids(self) -> list[int]:
        configured = self.model.generation_config.eos_token_id
        ids = configured if isinstance(configured, list) else [configured]
        return sorted({int(i) for i in [*ids, self.tokenizer.eos_token_id] if i is not None})

    def generate(self, prompts: Sequence[Sequence[Message]], params: GenerationParams) -> list[Generation]:
        """Return one `Generation` for each prompt, in order; prompt i is drawn with seed `params.seed + i`.

        Raises `PermanentError` for a prompt longer than the model reads, `TransientError` when the GPU is full.
        """
        results = dict(chain.from_iterable(self.as_completed(prompts, params)))
        return [results[i] for i in range(len(prompts))]

    def as_completed(
        self, prompts: Sequence[Sequence[Message]], params: GenerationParams, *, cancelled: Callable[[], bool] = never
    ) -> Iterator[list[tuple[int, Generation]]]:
        """Yield the generations of a batch as it is finished; cancelled in the middle of one,
        those of it that had ended.
        """
        prompts_ids = [chat_tokens.prompt_ids(self.tokenizer, messages) for messages in prompts]
        lengths = [len(ids) for ids in prompts_ids]
        limit = min(self.max_prompt_tokens, self.max_tokens - params.max_new_tokens)
        if lengths and max(lengths) > limit:
            raise PermanentError(
                f"a prompt has {max(lengths)} tokens; with {params.max_new_tokens} new ones this model reads {limit}",
                hint="Shorten the product's facts, or register a model with a longer context.",
            )
        for batch in torch_runtime.batches_by_length(lengths, size=torch_runtime.batch_size(self.options)):
            if cancelled():
                return
            seeds = [params.seed + i for i in batch]
            try:
                generations = self._generate_batch([prompts_ids[i] for i in batch], params, seeds, cancelled)
            except torch.cuda.OutOfMemoryError as exc:
                torch.cuda.empty_cache()
                raise TransientError("the GPU ran out of memory", hint="Lower INFERENCE_BATCH_SIZE.") from exc
            yield [(i, one) for i, one in zip(batch, generations, strict=True) if one is not None]

    @torch.inference_mode()
    def _generate_batch(
        self, rows: list[list[int]], params: GenerationParams, seeds: list[int], cancelled: Callable[[], bool]
    ) -> list[Generation | None]:
        """Return what comes of each row; None for one that was cancelled before its end."""
        started = time.perf_counter()
        cache = self._read_prefix(rows)
        n_prefix = cache.get_seq_length() if cache is not None else 0
        width = max(map(len, rows))
        pad = self.tokenizer.pad_token_id
        # Padding stands between the shared prefix and the rest of each row; masked, it moves no position.
        padded = [row[:n_prefix] + [pad] * (width - len(row)) + row[n_prefix:] for row in rows]
        mask = [[1] * n_prefix + [0] * (width - len(row)) + [1] * (len(row) - n_prefix) for row in rows]
        config = GenerationConfig(
            max_new_tokens=params.max_new_tokens,
            do_sample=False,
            eos_token_id=self.stop_ids or None,
            pad_token_id=pad,
        )
        output = self.model.generate(
            input_ids=torch.tensor(padded, device=self.device),
            attention_mask=torch.tensor(mask, device=self.device),
            past_key_values=cache,
            generation_config=config,
            logits_processor=sampling.processors(params, seeds=seeds, prompt_length=width, device=self.device),
            stopping_criteria=StoppingCriteriaList([_Cancelled(cancelled)]),
        )
        new_tokens = output[:, width:].tolist()
        seconds = (time.perf_counter() - started) / len(rows)
        return [
            self._generation(tokens, seed=seed, prompt_tokens=len(row), seconds=seconds)
            if len(tokens) == params.max_new_tokens or not set(self.stop_ids).isdisjoint(tokens)
            else None
            for tokens, seed, row in zip(new_tokens, seeds, rows, strict=True)
        ]

    def _read_prefix(self, rows: list[list[int]]) -> DynamicCache | None:
        """Return the attention cache of the tokens all `rows` begin with, one copy per row; None when they are few.

        Prompts of a channel share the instruction and the examples, some 80 % of their tokens: those are read once,
        and the last prefix is kept for the next batch.
        """
        ids, cache = self.prefix
        n_shared = _common_length([*rows, ids] if ids else rows)
        if n_shared < len(ids) or cache is None:
            n_shared = _common_length(rows)
            n_shared = min(n_shared, min(map(len, rows)) - 1)  # the model must be left something to read
            if len(rows) == 1 or n_shared < MIN_PREFIX:
                return None
            ids = rows[0][:n_shared]
            cache = self.model(torch.tensor([ids], device=self.device), use_cache=True).past_key_values
            self.prefix = (ids, cache)
        if min(map(len, rows)) <= len(ids):
            return None
        own = copy.deepcopy(cache)
        own.batch_repeat_interleave(len(rows))
        return own

    def _generation(self, tokens: list[int], *, seed: int, prompt_tokens: int, seconds: float) -> Generation:
        end = next((i for i, token in enumerate(tokens) if token in self.stop_ids), None)
        text = self.tokenizer.decode(tokens[:end], skip_special_tokens=True)
        return Generation(
            text=text.strip(),
            finish_reason="length" if end is None else "stop",
            prompt_tokens=int(prompt_tokens),
            completion_tokens=len(tokens) if end is None else end + 1,
            seed=seed,
            seconds=seconds,
            device=torch_runtime.describe(self.device, self.dtype),
        )


def _common_length(rows: Sequence[Sequence[int]]) -> int:
    """Return how many tokens all `rows` begin with alike."""
    shortest = min(rows, key=len)
    for i, token in enumerate(shortest):
        if any(row[i] != token for row in rows):
            return i
    return len(shortest)
