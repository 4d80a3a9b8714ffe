"""Logits processors of `causal_lm`: sampling from a seed per row, repetition rules, and keeping to the facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from transformers import LogitsProcessor, LogitsProcessorList
from transformers.generation.logits_process import (
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from inference.contracts import GenerationParams
from inference.writing.limits import Limits


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


class Remember(LogitsProcessor):  # type: ignore[misc]
    """Keep the scores as they come in: where everything likely is refused, the rest is chosen from by them."""

    def __init__(self) -> None:
        self.scores: torch.Tensor | None = None

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        self.scores = scores
        return scores


class WithinLimits(LogitsProcessor):  # type: ignore[misc]
    """Give each row the best token that its limits allow. Comes last, after the draw.

    Tokens are tried in the order of their scores. With Gumbel noise in the scores that is a draw from the row's
    distribution over what is allowed, exactly (Maddison et al. 2014, section 2): nothing is drawn twice, and a row does
    not depend on its neighbours. Mostly the first one holds, so a step costs one reading of the text's end.
    """

    # Beyond the likeliest, what is allowed is no longer what the model means: the text ends there, and its last
    # sentence counts as cut.
    MOST_TRIED = 16

    def __init__(
        self,
        limits: Sequence[Limits | None],
        before: Remember,
        *,
        prompt_length: int,
        decode: Callable[[list[int]], str],
        encode: Callable[[str], list[int]],
        stop_ids: Sequence[int],
    ) -> None:
        self.limits, self.prompt_length = limits, prompt_length
        self.decode, self.encode, self.stop_ids, self.before = decode, encode, list(stop_ids), before
        self.cut: set[int] = set()

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        for row, limits in enumerate(self.limits):
            written = input_ids[row, self.prompt_length :].tolist()
            if limits is None or (written and written[-1] in self.stop_ids):
                continue
            chosen = self._choose(limits, written, scores[row], row)
            scores[row] = float("-inf")
            scores[row, chosen] = 0.0
        return scores

    def _choose(self, limits: Limits, written: list[int], scores: torch.Tensor, row: int) -> int:
        text = self.decode(written)

        def holds(token: int) -> bool:
            if token in self.stop_ids:
                return limits.may_end(text)
            after = self.decode([*written, token])
            return limits.allows(text, after[len(text) :]) if after.startswith(text) else True

        pools = [scores] if self.before.scores is None else [scores, self.before.scores[row]]
        for pool in pools:
            values, tokens = pool.topk(min(self.MOST_TRIED, len(pool)))
            for value, token in zip(values.tolist(), tokens.tolist(), strict=True):
                if value == float("-inf"):
                    break
                if holds(token):
                    return int(token)
        # Nothing that the model would say is allowed: it says what the facts have, or ends.
        for way in limits.ways_on(text):
            ids = self.encode(way)
            if ids and holds(ids[0]):
                return ids[0]
        self.cut.add(row)
        return int(self.stop_ids[0]) if self.stop_ids else int(scores.argmax())


def processors(
    params: GenerationParams,
    *,
    seeds: Sequence[int],
    prompt_length: int,
    device: torch.device,
    within: Callable[[Remember], WithinLimits] | None = None,
) -> LogitsProcessorList:
    """Return the processors that make greedy decoding follow `params`, row i drawn with `seeds[i]`.

    `within` makes the last of them, which keeps each row to its limits.
    """
    chain = LogitsProcessorList()
    before = Remember()
    if params.repetition_penalty != 1.0:
        inner = RepetitionPenaltyLogitsProcessor(penalty=float(params.repetition_penalty))
        chain.append(AfterPrompt(inner, prompt_length=prompt_length))
    if params.no_repeat_ngram_size > 0:
        inner = NoRepeatNGramLogitsProcessor(params.no_repeat_ngram_size)
        chain.append(AfterPrompt(inner, prompt_length=prompt_length))
    if within is not None:
        chain.append(before)
    if params.temperature > 0:
        chain.append(TemperatureLogitsWarper(float(params.temperature)))
        if params.top_p < 1:
            chain.append(TopPLogitsWarper(float(params.top_p)))
        chain.append(SeededDraw(seeds, device=device))
    if within is not None:
        chain.append(within(before))
    return chain
