"""Can a draft be made again? Its prompt is rendered anew, and its model writes once more with the seed of then."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from core.exceptions import EcomsiteError
from core.hashing import hash_json
from inference import loader
from inference.contracts import GenerationParams, Message
from inference.writing import limits
from inference.writing.tries import Order, finished
from moderation.drafting.screening import brief_of
from moderation.drafting.writing import FactJudge, prompt_for
from moderation.models.candidates import Candidate

_PARAMETERS = {field.name for field in dataclasses.fields(GenerationParams)}


@dataclass(frozen=True)
class Prompt:
    """What the model was asked, rendered now. `is_same`: its hash is the one kept with the draft."""

    messages: Sequence[Message]
    is_same: bool


@dataclass(frozen=True)
class Reproduction:
    """What came of writing a draft again: the text, whether it is the same to the letter,
    and in words why it may not be.
    """

    text: str
    is_same: bool
    words: str


def prompt_of(candidate: Candidate) -> Prompt:
    """Return the prompt of a machine's draft, rendered from the facts of then and the product's title of now."""
    constraints = candidate.params.get("constraints", 0)
    messages = prompt_for(brief_of(candidate), asked_with=candidate.prompt_version, constraints=constraints)
    hashed = hash_json([dataclasses.asdict(message) for message in messages])
    return Prompt(messages, hashed == candidate.prompt_hash)


def reproduce(candidate: Candidate) -> Reproduction:
    """Have the model of a draft write it again with the same prompt, parameters and seed. Loads the model: seconds.

    A text that differs is no fault by itself: other devices and other versions of the libraries round otherwise
    (https://docs.pytorch.org/docs/stable/notes/randomness.html), and an endpoint may not honour the seed.
    """
    if candidate.model_version is None:
        return Reproduction("", False, "No model wrote it: a person did.")
    prompt = prompt_of(candidate)
    if not prompt.is_same:
        return Reproduction(
            "",
            False,
            "Its prompt cannot be rendered again: the product's title, brand or category, or the "
            "words of the prompt, have changed since.",
        )
    kept = {name: value for name, value in candidate.params.items() if name in _PARAMETERS}
    params = GenerationParams(**{**kept, "seed": candidate.seed})
    if params.constraints not in (0, limits.VERSION):
        return Reproduction("", False, "It was written within limits of an older version, which are made no more.")
    try:
        draft = loader.load_generator(candidate.model_version).generate([prompt.messages], params)[0]
    except EcomsiteError as exc:
        return Reproduction("", False, f"Its model cannot write now: {exc}")
    order = Order(brief_of(candidate), prompt.messages, FactJudge(brief_of(candidate)))
    text = finished(order, draft, params).text
    if text == (candidate.untidied or candidate.text):
        return Reproduction(text, True, "The same model, prompt, parameters and seed gave the same text to the letter.")
    return Reproduction(
        text,
        False,
        f"The text differs. It was drawn on {candidate.device or 'another device'}, now on {draft.device}: another "
        "processor, another version of a library, or an endpoint rounds otherwise, and one word leads to another.",
    )
