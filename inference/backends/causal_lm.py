"""Text generation with a causal language model in this process (transformers)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from core.exceptions import PermanentError, TransientError
from inference.backends import sampling, torch_runtime
from inference.contracts import Generation, GenerationParams, Message, TextGenerator


class CausalLM(TextGenerator):
    """Left-padded batches of prompts of like length.

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
        self.tokenizer.padding_side = "left"
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        model = AutoModelForCausalLM.from_pretrained(
            directory, dtype=self.dtype, local_files_only=True, trust_remote_code=False, use_safetensors=True
        )
        self.model = model.to(self.device).eval()
        self.stop_ids = self._stop_ids()
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
        texts = [self._render(messages) for messages in prompts]
        lengths = [len(ids) for ids in self.tokenizer(texts, add_special_tokens=False)["input_ids"]] if texts else []
        limit = min(self.max_prompt_tokens, self.max_tokens - params.max_new_tokens)
        if lengths and max(lengths) > limit:
            raise PermanentError(
                f"a prompt has {max(lengths)} tokens; with {params.max_new_tokens} new ones this model reads {limit}",
                hint="Shorten the product's facts, or register a model with a longer context.",
            )
        results: dict[int, Generation] = {}
        for batch in torch_runtime.batches_by_length(lengths, size=torch_runtime.batch_size(self.options)):
            seeds = [params.seed + i for i in batch]
            results.update(zip(batch, self._generate_batch([texts[i] for i in batch], params, seeds), strict=True))
        return [results[i] for i in range(len(texts))]

    def _render(self, messages: Sequence[Message]) -> str:
        # A special token inside a message would be read as one: the content of a turn must not end the turn.
        turns = [
            {"role": message.role, "content": self._without_special_tokens(message.content)} for message in messages
        ]
        return str(self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))

    def _without_special_tokens(self, content: str) -> str:
        before = None
        while before != content:
            before = content
            for token in self.tokenizer.all_special_tokens:
                content = content.replace(token, " ")
        return content

    @torch.inference_mode()
    def _generate_batch(self, texts: list[str], params: GenerationParams, seeds: list[int]) -> list[Generation]:
        started = time.perf_counter()
        inputs = self.tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False).to(self.device)
        prompt_length = inputs["input_ids"].shape[1]
        config = GenerationConfig(
            max_new_tokens=params.max_new_tokens,
            do_sample=False,
            eos_token_id=self.stop_ids or None,
            pad_token_id=self.tokenizer.pad_token_id,
        )
        chain = sampling.processors(params, seeds=seeds, prompt_length=prompt_length, device=self.device)
        try:
            output = self.model.generate(
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                generation_config=config,
                logits_processor=chain,
            )
        except torch.cuda.OutOfMemoryError as exc:
            torch.cuda.empty_cache()
            raise TransientError("the GPU ran out of memory", hint="Lower INFERENCE_BATCH_SIZE.") from exc
        new_tokens = output[:, prompt_length:].tolist()
        prompt_tokens = inputs["attention_mask"].sum(dim=1).tolist()
        seconds = (time.perf_counter() - started) / len(texts)
        return [
            self._generation(tokens, seed=seed, prompt_tokens=count, seconds=seconds)
            for tokens, seed, count in zip(new_tokens, seeds, prompt_tokens, strict=True)
        ]

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
