"""What a back end takes and gives. Plain data, no torch: everything above `inference` speaks these types."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

from core import label_sets
from core.facts import Fact as Fact
from inference.writing.limits import Limits

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class Message:
    """One turn of a chat prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class GenerationParams:
    """Decoding parameters; stored with every draft. `temperature` 0 means greedy.

    `constraints`: by which version of the limits (`inference.writing.limits.VERSION`) it is written, 0 without any.
    """

    max_new_tokens: int = 120
    temperature: float = 0.7
    top_p: float = 0.9
    repetition_penalty: float = 1.1
    no_repeat_ngram_size: int = 4
    seed: int = 0
    constraints: int = 0


@dataclass(frozen=True)
class Prompt(Sequence[Message]):
    """A chat prompt with what its answer may say; a back end that knows no limits reads the messages alone."""

    messages: tuple[Message, ...]
    limits: Limits

    def __len__(self) -> int:
        return len(self.messages)

    @overload
    def __getitem__(self, index: int) -> Message: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Message]: ...
    def __getitem__(self, index: int | slice) -> Message | Sequence[Message]:
        return self.messages[index]


def limits_of(prompt: Sequence[Message], params: GenerationParams) -> Limits | None:
    """Return what the answer to `prompt` may say; None where it has no limits, or `params` switch them off."""
    return prompt.limits if params.constraints and isinstance(prompt, Prompt) else None


@dataclass(frozen=True)
class Generation:
    """One text out of a back end. `seconds` is this text's share of its batch's wall time."""

    text: str
    finish_reason: Literal["stop", "length", "error"]
    prompt_tokens: int
    completion_tokens: int
    seed: int
    seconds: float
    device: str


def never() -> bool:
    """Nobody cancels it."""
    return False


@dataclass(frozen=True)
class Classification:
    """One label, and the probability of every answer.

    Of a closed list it is the likeliest, and the probabilities sum to 1. Where several answers may hold (`is_several`)
    each has a probability of its own, 0 to 1, and the label is made of those that are likelier than not
    (core/label_sets.py).
    """

    label: str
    probabilities: Mapping[str, float]
    is_several: bool = False

    @classmethod
    def of(cls, labels: Sequence[str], row: Sequence[float]) -> Classification:
        """Return the classification with these probabilities, in the order of `labels`."""
        probabilities = dict(zip(labels, row, strict=True))
        return cls(max(probabilities, key=lambda label: probabilities[label]), probabilities)

    @classmethod
    def of_several(cls, labels: Sequence[str], row: Sequence[float], at: Sequence[float] = ()) -> Classification:
        """Return what answers of which several may hold come to; `at`: from which probability each does,
        .5 unless said.
        """
        probabilities = dict(zip(labels, row, strict=True))
        bounds = at or [0.5] * len(labels)
        said = {label for label, bound in zip(labels, bounds, strict=True) if probabilities[label] >= bound}
        return cls(label_sets.join(said, labels), probabilities, is_several=True)

    @property
    def confidence(self) -> float:
        """How sure the label is, 0 to 1: of several answers, that each of them is right, taken as independent."""
        return self.probability_of(self.label)

    def probability_of(self, label: str) -> float:
        """Return how likely `label` is, 0 to 1; of several answers, that just those in it hold, taken as independent.

        Raises `KeyError` for a label that the model does not have.
        """
        if not self.is_several:
            return self.probabilities[label]
        said = set(label_sets.split(label))
        if strange := said - set(self.probabilities):
            raise KeyError(", ".join(sorted(strange)))
        return math.prod(p if one in said else 1 - p for one, p in self.probabilities.items())


class Backend(abc.ABC):
    """A loaded model.

    Built from the directory of a verified artefact (None for models behind an endpoint) and options.
    """

    def __init__(self, *, directory: Path | None, options: Mapping[str, Any]) -> None:
        self.directory = directory
        self.options = options


class TextGenerator(Backend):
    """Writes text from chat prompts.

    `tries`: how often a text is asked for at most until it has no fault, unless setting or option say otherwise.
    """

    tries: ClassVar[int] = 1

    @abc.abstractmethod
    def generate(
        self, prompts: Sequence[Sequence[Message]], params: GenerationParams, *, seeds: Sequence[int] | None = None
    ) -> list[Generation]:
        """Return one `Generation` for each prompt, in order.

        Prompt i is drawn with `seeds[i]`; without them with `params.seed + i`.

        Raises `TransientError` when the model is out of reach for now, `PermanentError` when it refuses the input.
        """

    def as_completed(
        self,
        prompts: Sequence[Sequence[Message]],
        params: GenerationParams,
        *,
        seeds: Sequence[int] | None = None,
        cancelled: Callable[[], bool] = never,
    ) -> Iterator[list[tuple[int, Generation]]]:
        """Yield what `generate` returns in pieces, each as soon as it is finished: (place among `prompts`, generation).

        Once `cancelled` says so it ends early: what is finished by then is still yielded, the rest is dropped. An error
        is raised after the last piece that is finished. A back end that finishes all at once needs no other form than
        this.
        """
        yield list(enumerate(self.generate(prompts, params, seeds=seeds)))

    @staticmethod
    def seeds_of(prompts: Sequence[object], params: GenerationParams, seeds: Sequence[int] | None) -> Sequence[int]:
        """Return the seed of each prompt: those that were given, else the ones that `params` begins."""
        given = [params.seed + i for i in range(len(prompts))] if seeds is None else seeds
        if len(given) != len(prompts):
            raise ValueError(f"{len(given)} seeds for {len(prompts)} prompts")
        return given


class TextClassifier(Backend):
    """Gives each text one label out of a fixed set."""

    labels: Sequence[str] = ()

    @abc.abstractmethod
    def classify(self, texts: Sequence[str]) -> list[Classification]:
        """Return one `Classification` for each text, in order."""


class TextEncoder(Backend):
    """Turns texts into vectors of unit length."""

    dimension: int = 0

    @abc.abstractmethod
    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return an array of shape (len(texts), dimension), rows of L2 norm 1."""


@dataclass(frozen=True)
class BrandVoice:
    """How a brand speaks in one language, written by the house. `pairs` are what to say, and what not to say for it.

    `longest_sentence` is in words, in Chinese in characters; `version` names where it is kept.
    """

    version: str
    tone: str = ""
    longest_sentence: int | None = None
    pairs: Sequence[tuple[str, Sequence[str]]] = ()
    never: Sequence[str] = ()


@dataclass(frozen=True)
class CopyBrief:
    """Everything a prompt is rendered from. Facts and title are data written by strangers, never instructions.

    `voice` is what the house says of the brand; without one the prompt has no word of it.
    """

    channel: str
    locale: str
    title: str
    brand: str = ""
    category: str = ""
    facts: Sequence[Fact] = field(default_factory=tuple)
    voice: BrandVoice | None = None
