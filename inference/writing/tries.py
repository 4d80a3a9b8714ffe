"""Have texts written and finished; what has a fault is asked for again, with another seed, up to a bound."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.exceptions import EcomsiteError
from inference import prompts
from inference.contracts import CopyBrief, Generation, GenerationParams, Message, TextGenerator, never
from inference.writing.finishing import Finished, Judge, finish

# Far from the seeds of a batch, so that no text of it is drawn twice.
APART = 100_003
MOST_TRIES = 8


@dataclass(frozen=True)
class Order:
    """A text to write: what from, the prompt, and who judges it."""

    brief: CopyBrief
    prompt: Sequence[Message]
    judge: Judge


@dataclass(frozen=True)
class Written:
    """What was written, and the draft that was made of it; `n_tries`: how many were asked for."""

    generation: Generation
    finished: Finished
    n_tries: int = 1

    @property
    def as_provenance(self) -> dict[str, Any]:
        """Return what is kept with a draft beside its parameters."""
        done = self.finished
        kept = {"plan": list(done.plan), "plainly": list(done.plainly), "dropped": done.n_dropped}
        return {**kept, "tries": self.n_tries}


def as_written(
    generator: TextGenerator,
    orders: Sequence[Order],
    params: GenerationParams,
    *,
    seeds: Sequence[int] | None = None,
    tries: int = 1,
    cancelled: Callable[[], bool] = never,
) -> Iterator[list[tuple[int, Written]]]:
    """Yield the drafts for `orders` as they are finished: (place, what was written). Raises what `generator` raises.

    Without `params.constraints` a draft is what the model said, cleaned. Else it is finished, and where a sentence had
    to go or a fact was left out it is asked for again, at most `tries` times in all; the best of them is taken. The
    seed of each is in its generation, and gives the same text alone.
    """
    first = generator.seeds_of(orders, params, seeds)
    best: dict[int, Written] = {}
    places = list(range(len(orders)))
    for n in range(max(1, min(tries, MOST_TRIES)) if params.constraints else 1):
        now = [(first[i] + n * APART) % 2**31 for i in places]
        again: list[int] = []
        is_last = n + 1 >= tries or not params.constraints or params.temperature == 0
        open_ = set(places)
        try:
            for piece in generator.as_completed(
                [orders[i].prompt for i in places], params, seeds=now, cancelled=cancelled
            ):
                ready = []
                for at, generation in piece:
                    place = places[at]
                    written = Written(generation, finished(orders[place], generation, params), n + 1)
                    if place in best and best[place].finished.rank <= written.finished.rank:
                        written = replace(best[place], n_tries=n + 1)
                    best[place] = written
                    open_.discard(place)
                    if is_last or sum(written.finished.rank) == 0:
                        ready.append((place, written))
                    else:
                        again.append(place)
                if ready:
                    yield ready
        except EcomsiteError:
            if not n:
                raise
            # There is a draft of each already: a better one was wanted, and it is not to be had.
            yield [(place, best[place]) for place in (*sorted(again), *sorted(open_))]
            return
        places = sorted(again)
        if is_last or not places or cancelled():
            return


def finished(order: Order, generation: Generation, params: GenerationParams) -> Finished:
    """Return the draft that comes of what a model said."""
    brief = order.brief
    text = prompts.clean(
        generation.text, channel=brief.channel, locale=brief.locale, finish_reason=generation.finish_reason
    )
    if not params.constraints or generation.finish_reason == "error":
        return Finished(text)
    return finish(text, brief, order.judge, finish_reason=generation.finish_reason)
