"""How a draft is written: its prompt with limits, and the grounding check of production as the judge of what came."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.conf import settings

from catalog.units import canonical_unit
from inference import prompts
from inference.contracts import CopyBrief, Fact, Message, Prompt, TextGenerator
from inference.models import ModelVersion
from inference.writing import limits, plan
from inference.writing.tries import MOST_TRIES, Order
from moderation.drafting.limits import limits_for
from moderation.drafting.screening import draft_from
from moderation.policy.grounding import claims
from moderation.policy.numbers import read_numbers
from moderation.policy.words import words_of

_TOLD = 0.6  # share of a value's words
_YES_NO = frozenset(
    ["yes", "true", "y", "no", "false", "n", "是", "否", "支持", "不支持", "有", "无", "没有", "可以", "不可以"]
)


class FactJudge:
    """Holds a text against the facts of its product, by the check that every draft goes through."""

    def __init__(self, brief: CopyBrief) -> None:
        self.brief = brief

    def faults(self, text: str) -> Sequence[tuple[int, int]]:
        """Return where `text` claims what no fact holds."""
        return [(claim.start, claim.end) for claim in claims(draft_from(self.brief, text)) if claim.fact is None]

    def untold(self, text: str, facts: Sequence[Fact]) -> Sequence[Fact]:
        """Return those of `facts` that `text` does not tell: a number of theirs is missing, or most of their words."""
        words = set(words_of(text).words)
        said = words | {word.removesuffix("s") for word in words}
        numbers = _numbers_of(text)
        return [fact for fact in facts if not _is_told(fact, said, numbers)]


def _is_told(fact: Fact, said: set[str], said_numbers: set[Decimal | str]) -> bool:
    is_answer = fact.value.strip().casefold() in _YES_NO
    value = fact.name if is_answer else fact.value
    numbers = _numbers_of(value)
    others = [
        word
        for word in words_of(value).words
        if not any(char.isdigit() for char in word) and canonical_unit(word) is None and len(word) > word.isascii()
    ]
    if not numbers <= said_numbers:
        return False
    found = sum(word in said or word.removesuffix("s") in said for word in others)
    return found >= _TOLD * len(others) if others else bool(numbers)


def _numbers_of(text: str) -> set[Decimal | str]:
    return {number.token or number.value or Decimal(0) for number in read_numbers(text)}


def order_for(brief: CopyBrief, *, constraints: int, asked_with: str = prompts.PROMPT_VERSION) -> Order:
    """Return a text to write from `brief`; with `constraints`, within the limits of its facts and by its plan.

    Raises `PermanentError` for a locale or channel without a prompt.
    """
    prompt = prompt_for(brief, asked_with=asked_with, constraints=constraints)
    return Order(brief, prompt, FactJudge(brief))


def prompt_for(brief: CopyBrief, *, constraints: int, asked_with: str = prompts.PROMPT_VERSION) -> Sequence[Message]:
    """Return what a model is asked for `brief`; with `constraints` by the plan, and within the limits of its facts.

    `asked_with`: the version of the prompt.
    """
    if not constraints:
        return prompts.render(brief, version=asked_with)
    return Prompt(tuple(prompts.render(plan.as_prompted(brief), version=asked_with)), limits_for(brief))


def messages_for(brief: CopyBrief, *, asked_with: str = prompts.PROMPT_VERSION) -> list[Message]:
    """Return the turns that a model is asked with for `brief` as the setting is now; it learns from the same."""
    asked = plan.as_prompted(brief) if settings.INFERENCE.constrained else brief
    return prompts.render(asked, version=asked_with)


def constraints_for(version: ModelVersion) -> int:
    """Return by which version of the limits `version` writes: 0 where the setting, or its own option, has none."""
    is_on = settings.INFERENCE.constrained and version.options.get("constrained", True)
    return limits.VERSION if is_on else 0


def tries_for(version: ModelVersion, generator: TextGenerator) -> int:
    """Return how often a text is asked for at most: the model's option `tries`, else the setting,
    else what its back end is best with.
    """
    return min(MOST_TRIES, int(version.options.get("tries") or settings.INFERENCE.tries or generator.tries))
