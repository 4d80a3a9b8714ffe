"""Logits processors of `causal_lm`: sampling from a seed per row, and repetition rules that leave the prompt alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import LogitsProcessor, LogitsProcessorList
from transformers.generation.logits_process import (
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from inference.contracts import GenerationParams


class AfterPrompt(LogitsProcessor):  # type: ignore[misc]
    """Apply `inner` to the generated tokens alone.

    transformers counts the prompt too: there, copying a fact or the product's name from the prompt would be punished
    as a repetition, when it is exactly what good copy does.
    """

    def __init__(self, inner: LogitsProcessor, *, prompt_length: int) -> None:
        self.inner = inner
        self.prompt_length = prompt_length

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        generated = input_ids[:, self.prompt_length :]
        if generated.shape[1] == 0:
            return scores
        result: torch.Tensor = self.inner(generated, scores)
        return result


class SeededDraw(LogitsProcessor):  # type: ignore[misc]
    """Add Gumbel noise from one generator per row, so that the argmax is a draw from the row's distribution.

    A row's noise depends on its own seed and on nothing else in the batch (Gumbel-max trick; Maddison et al. 2014,
    "A* sampling", section 2). Comes after every other processor.
    """

    def __init__(self, seeds: Sequence[int], *, device: torch.device) -> None:
        self.generators = [torch.Generator(device=device).manual_seed(seed) for seed in seeds]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        scores = scores.float()
        noise = torch.empty_like(scores)
        for row, generator in zip(noise, self.generators, strict=True):
            row.exponential_(generator=generator)
        # -log(Exp(1)) is Gumbel(0, 1); the floor keeps a zero draw from becoming infinite.
        return scores - noise.clamp_min_(1e-20).log_()


def processors(
    params: GenerationParams, *, seeds: Sequence[int], prompt_length: int, device: torch.device
) -> LogitsProcessorList:
    """Return the processors that make greedy decoding follow `params`, row i drawn with `seeds[i]`."""
    chain = LogitsProcessorList()
    if params.repetition_penalty != 1.0:
        inner = RepetitionPenaltyLogitsProcessor(penalty=float(params.repetition_penalty))
        chain.append(AfterPrompt(inner, prompt_length=prompt_length))
    if params.no_repeat_ngram_size > 0:
        inner = NoRepeatNGramLogitsProcessor(params.no_repeat_ngram_size)
        chain.append(AfterPrompt(inner, prompt_length=prompt_length))
    if params.temperature > 0:
        chain.append(TemperatureLogitsWarper(float(params.temperature)))
        if params.top_p < 1:
            chain.append(TopPLogitsWarper(float(params.top_p)))
        chain.append(SeededDraw(seeds, device=device))
    return chain
