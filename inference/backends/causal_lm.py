"""Text generation with a causal language model in this process (transformers)."""

from __future__ import annotations

import copy
import functools
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from jinja2 import TemplateError
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    DynamicCache,
    GenerationConfig,
    StoppingCriteria,
    StoppingCriteriaList,
)

from core.exceptions import PermanentError, TransientError
from inference.backends import batching, chat_tokens, sampling, torch_runtime
from inference.contracts import Generation, GenerationParams, Message, TextGenerator, limits_of, never
from inference.writing.limits import Limits

log = logging.getLogger(__name__)
MIN_PREFIX = 32
# Beginnings that are kept read: one for each channel and language that is being written, mostly.
KEPT_PREFIXES = 6


class _Cancelled(StoppingCriteria):  # type: ignore[misc]
    """Stops all rows of a batch with the token at which `cancelled` begins to say so."""

    def __init__(self, cancelled: Callable[[], bool]) -> None:
        self.cancelled = cancelled

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        return torch.full((input_ids.shape[0],), self.cancelled(), dtype=torch.bool, device=input_ids.device)


class CausalLM(TextGenerator):
    """Padded batches of prompts of one shape; what they begin with is read once.

    Options: `dtype`, `device`, `batch_size`, `max_prompt_tokens`. Prompts with limits are answered within them.

    What is reproducible: on the same device, dtype and library versions a prompt with its parameters and its seed gives
    the same text, alone and in any batch, greedy and drawn, in bfloat16 as in float32. Its draws come from a generator
    of its own; its logits are the same to the bit, because the shapes of all sums over it are its own
    (`inference/backends/batching.py`) and a batch has a multiple of `self.step` rows, of which a product is the same
    in any number of them (`torch_runtime.rows_alike` measures it). Off the CPU every batch is filled up instead.
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
        self.prefixes: OrderedDict[tuple[int, ...], DynamicCache] = OrderedDict()
        self.beginnings: dict[tuple[Message, ...], list[int]] = {}
        self.size = torch_runtime.batch_size(options)
        self.step = torch_runtime.rows_alike(self.model, self.device, most=self.size)
        positions = getattr(self.model.config, "max_position_embeddings", None) or 4096
        self.max_prompt_tokens = int(options.get("max_prompt_tokens") or positions - 64)
        self.max_tokens = int(positions)

    def _stop_ids(self) -> list[int]:
        configured = self.model.generation_config.eos_token_id
        ids = configured if isinstance(configured, list) else [configured]
        return sorted({int(i) for i in [*ids, self.tokenizer.eos_token_id] if i is not None})

    def generate(
        self, prompts: Sequence[Sequence[Message]], params: GenerationParams, *, seeds: Sequence[int] | None = None
    ) -> list[Generation]:
        """Return one `Generation` for each prompt, in order, drawn with its seed.

        Raises `PermanentError` for a prompt longer than the model reads, `TransientError` when there is no memory for
        the smallest batch.
        """
        results = dict(chain.from_iterable(self.as_completed(prompts, params, seeds=seeds)))
        return [results[i] for i in range(len(prompts))]

    def as_completed(
        self,
        prompts: Sequence[Sequence[Message]],
        params: GenerationParams,
        *,
        seeds: Sequence[int] | None = None,
        cancelled: Callable[[], bool] = never,
    ) -> Iterator[list[tuple[int, Generation]]]:
        """Yield the generations of a batch as it is finished; cancelled in the middle of one,
        those of it that had ended.
        """
        seeds = self.seeds_of(prompts, params, seeds)
        limits = [limits_of(messages, params) for messages in prompts]
        rows = [chat_tokens.prompt_ids(self.tokenizer, messages) for messages in prompts]
        limit = min(self.max_prompt_tokens, self.max_tokens - params.max_new_tokens)
        if (longest := max(map(len, rows), default=0)) > limit:
            raise PermanentError(
                f"a prompt has {longest} tokens; with {params.max_new_tokens} new ones this model reads {limit}",
                hint="Shorten the product's facts, or register a model with a longer context.",
            )
        shapes = [
            batching.Shape.of(row, self._n_beginning(messages, row))
            for messages, row in zip(prompts, rows, strict=True)
        ]
        waiting = batching.plan(shapes, size=self.size)
        while waiting and not cancelled():
            batch = waiting.pop(0)
            own, own_seeds = [rows[i] for i in batch.places], [seeds[i] for i in batch.places]
            try:
                own_limits = [limits[i] for i in batch.places]
                generations = self._generate_batch(own, batch.shape, params, own_seeds, own_limits, cancelled)
            except Exception as exc:
                if not torch_runtime.is_out_of_memory(exc):
                    raise
                torch_runtime.free_memory(self.device)
                if len(batch.places) <= self.step:
                    hint = "Lower INFERENCE_BATCH_SIZE, or give the worker more memory."
                    raise TransientError("there is no memory left for a batch", hint=hint) from exc
                waiting[:0] = halves = batch.halves(step=self.step)
                n = len(batch.places)
                log.warning("no memory for a batch of %d prompts: tried again with %d", n, len(halves[0].places))
                continue
            yield [(i, one) for i, one in zip(batch.places, generations, strict=True) if one is not None]

    def _n_beginning(self, messages: Sequence[Message], row: Sequence[int]) -> int:
        """Return how many tokens of a prompt are read beforehand: those of all messages before the last.

        They say what to do and show examples, some 80 % of the tokens, and are the same for all prompts of a channel.
        It depends on the prompt alone, and not on those beside it.
        """
        before = tuple(messages[:-1])
        if not before:
            return 0
        if before not in self.beginnings:
            if len(self.beginnings) > 8 * KEPT_PREFIXES:
                self.beginnings.clear()
            try:
                self.beginnings[before] = chat_tokens.prompt_ids(self.tokenizer, before)
            except TemplateError:  # a template that takes no prompt without a last turn of the user
                self.beginnings[before] = []
        shared = min(_common_length(self.beginnings[before], row), len(row) - 1)  # something must be left to read
        return shared if shared >= MIN_PREFIX else 0

    @torch.inference_mode()
    def _generate_batch(
        self,
        rows: list[list[int]],
        shape: batching.Shape,
        params: GenerationParams,
        seeds: list[int],
        limits: Sequence[Limits | None],
        cancelled: Callable[[], bool],
    ) -> list[Generation | None]:
        """Return what comes of each row; None for one that was cancelled before its end."""
        started = time.perf_counter()
        n_rows, n_prefix, width = len(rows), len(shape.prefix), shape.n_tokens
        n_more = -n_rows % self.step
        rows, seeds = rows + n_more * rows[:1], seeds + n_more * seeds[:1]
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
        processors = sampling.processors(
            params,
            seeds=seeds,
            prompt_length=width,
            device=self.device,
            within=self._within([*limits, *[None] * n_more], width),
        )
        output = self.model.generate(
            input_ids=torch.tensor(padded, device=self.device),
            attention_mask=torch.tensor(mask, device=self.device),
            past_key_values=self._read(shape.prefix, len(rows)),
            generation_config=config,
            logits_processor=processors,
            stopping_criteria=StoppingCriteriaList([_Cancelled(cancelled)]),
        )
        cut = next((one.cut for one in processors if isinstance(one, sampling.WithinLimits)), set())
        new_tokens = output[:n_rows, width:].tolist()
        seconds = (time.perf_counter() - started) / n_rows
        return [
            self._generation(tokens, seed=seed, prompt_tokens=len(row), seconds=seconds, is_cut=place in cut)
            if len(tokens) == params.max_new_tokens or not set(self.stop_ids).isdisjoint(tokens)
            else None
            for place, (tokens, seed, row) in enumerate(zip(new_tokens, seeds[:n_rows], rows[:n_rows], strict=True))
        ]

    def _within(
        self, limits: Sequence[Limits | None], prompt_length: int
    ) -> Callable[[sampling.Remember], sampling.WithinLimits] | None:
        if not any(limits):
            return None
        return functools.partial(
            sampling.WithinLimits,
            limits,
            prompt_length=prompt_length,
            decode=functools.partial(self.tokenizer.decode, skip_special_tokens=True),
            encode=functools.partial(self.tokenizer.encode, add_special_tokens=False),
            stop_ids=self.stop_ids,
        )

    def _read(self, prefix: tuple[int, ...], n_rows: int) -> DynamicCache | None:
        """Return the attention cache of `prefix`, one copy per row; None for an empty one. The last few are kept."""
        if not prefix:
            return None
        if prefix not in self.prefixes:
            while len(self.prefixes) >= KEPT_PREFIXES:
                self.prefixes.popitem(last=False)
            ids = torch.tensor([prefix], device=self.device)
            self.prefixes[prefix] = self.model(ids, use_cache=True, logits_to_keep=1).past_key_values
        self.prefixes.move_to_end(prefix)
        own = copy.deepcopy(self.prefixes[prefix])
        own.batch_repeat_interleave(n_rows)
        return own

    def _generation(
        self, tokens: list[int], *, seed: int, prompt_tokens: int, seconds: float, is_cut: bool
    ) -> Generation:
        end = next((i for i, token in enumerate(tokens) if token in self.stop_ids), None)
        text = self.tokenizer.decode(tokens[:end], skip_special_tokens=True)
        return Generation(
            text=text.strip(),
            finish_reason="length" if end is None or is_cut else "stop",
            prompt_tokens=int(prompt_tokens),
            completion_tokens=len(tokens) if end is None else end + 1,
            seed=seed,
            seconds=seconds,
            device=torch_runtime.describe(self.device, self.dtype),
        )


def _common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens both begin with alike."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
