"""What a file that declares a question may say, read strictly: each mistake with file, line and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from django.conf import settings
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from core.exceptions import PermanentError
from core.label_sets import JOINED
from core.yaml_places import line_of
from labeling.screens import SENIOR_KEY
from labeling.subject import subject_of

HINT: Final = "docs/questions.md says how a question is declared."
# Of what a label column holds; several answers are one label, joined by a sign each.
LONGEST_LABEL: Final = 60
LARGEST_FILE: Final = 64 * 1024
KEYS: Final = "12345678"
# What a file says of models.
OF_MODELS: Final = ("ask_below", "daily_lot", "recipe", "gate")
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class Strict(BaseModel):
    """No unknown keys, and nothing changes after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DeclaredChoice(Strict):
    """One answer. Without a `hotkey` the first eight choices have 1 to 8."""

    value: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
    title: Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]
    hotkey: Annotated[str, StringConstraints(pattern=r"^[1-8a-z]?$")] = ""
    tone: Literal["", "good", "bad"] = ""


class DeclaredRecipe(Strict):
    """How a model of it is made, where a run leaves it open: a part of what training/recipes.py knows,
    with its bounds.
    """

    method: Literal["auto", "characters", "head", "contrastive", "full", "lora", "adalora", "prefix"] = "auto"
    epochs: float = Field(default=0, ge=0, le=100, description="0: what was measured to be best")
    learning_rate: float = Field(default=0, ge=0, le=1, description="0: what was measured to be best")
    max_tokens: int = Field(default=128, ge=16, le=4096)
    class_weights: bool = False
    pseudo_labels: float = Field(default=0, ge=0, lt=1)
    pretrain_steps: int = Field(default=0, ge=0, le=20_000)


class DeclaredGate(Strict):
    """What a model of it has to show, where that is more or less than the settings ask
    (training/evaluation/gate.py).
    """

    gain_points: float | None = Field(default=None, ge=-50, le=50)
    slice_loss_points: float | None = Field(default=None, ge=0, le=50)
    label_margin_points: dict[str, Annotated[float, Field(ge=1, le=100)]] = Field(default_factory=dict)
    label_costs: dict[str, Annotated[float, Field(gt=0, le=1000)]] = Field(default_factory=dict)

    def as_rules(self) -> dict[str, Any]:
        """Return the rules that it sets, as the gate calls them: shares rather than points."""
        said: dict[str, Any] = {}
        if self.gain_points is not None:
            said["gain"] = self.gain_points / 100
        if self.slice_loss_points is not None:
            said["slice_loss"] = self.slice_loss_points / 100
        if self.label_margin_points:
            said["label_margins"] = {label: points / 100 for label, points in self.label_margin_points.items()}
        if self.label_costs:
            said["label_costs"] = dict(self.label_costs)
        return said


class Declaration(Strict):
    """A question as a file declares it."""

    name: Name
    title: Words
    description: str = Field(default="", max_length=500)
    instructions: str = Field(default="", max_length=4000, description="plain text; an empty line begins a paragraph")
    heading: str = Field(default="", max_length=200)
    about: str = "review"
    multiple: bool = False
    choices: tuple[DeclaredChoice, ...] = Field(min_length=2, max_length=100)
    # So many of them are put before people by lot; 0: it is asked about what is brought in with a file alone.
    first_labels: int = Field(default=0, ge=0, le=100_000)
    # People are asked where the model is less sure than this; without, its doubt asks nobody.
    ask_below: float | None = Field(default=None, gt=0, le=1)
    # So many of what comes each day go before people by lot, without a suggestion: whether its model gets worse.
    daily_lot: int = Field(default=0, ge=0, le=1000)
    # People are asked again when an import brings other words than those they judged.
    ask_again_when_edited: bool = False
    # Rules of its queue, while an administrator has set none.
    overlap: int = Field(default=1, ge=1, le=10)
    consensus: Literal["majority", "dawid_skene", "crowdlab"] = "majority"
    recipe: DeclaredRecipe = DeclaredRecipe()
    gate: DeclaredGate = DeclaredGate()

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Declaration:
        for what in ("value", "title", "hotkey"):
            given = [found for one in self.choices if (found := getattr(one, what))]
            if twice := sorted({one for one in given if given.count(one) > 1}):
                raise ValueError(f"two choices have the {what} {', '.join(twice)}")
        values = [one.value for one in self.choices]
        if self.multiple and "none" in values:
            raise ValueError("“none” is what it means to tick nothing: leave it out")
        if self.multiple and (length := len(JOINED.join(values))) > LONGEST_LABEL:
            raise ValueError(
                f"all choices together take {length} characters, and a label holds {LONGEST_LABEL}: shorten values"
            )
        if self.multiple and (self.recipe.method == "contrastive" or self.recipe.pseudo_labels):
            raise ValueError("recipe: contrastive and pseudo_labels learn one label a text, and several may be picked")
        named = {*self.gate.label_margin_points, *self.gate.label_costs}
        if unknown := sorted(named - set(values)):
            raise ValueError(f"gate: there is no choice {', '.join(unknown)}")
        if self.about in settings.SUBJECTS and not subject_of(self.about).is_readable:
            self._require_people_alone()
        if self.daily_lot and self.about in settings.SUBJECTS and not subject_of(self.about).is_scored_as_it_comes:
            raise ValueError(f"daily_lot: no model answers about each {self.about} as it comes")
        return self

    def _require_people_alone(self) -> None:
        """Raise `ValueError` for what is said of models where none can read what it is about."""
        said = [name for name in OF_MODELS if getattr(self, name) != type(self).model_fields[name].default]
        said += ["consensus: crowdlab"] if self.consensus == "crowdlab" else []
        if said:
            raise ValueError(f"{', '.join(said)}: no model reads a {self.about}, people alone answer; leave it out")

    @field_validator("about")
    @classmethod
    def _can_be_asked_about(cls, about: str) -> str:
        there = ", ".join(settings.SUBJECTS)
        if about in settings.SUBJECTS:
            return about
        raise ValueError(f"there is nothing called {about[:40]}; there are {there}")

    def keyed(self) -> tuple[DeclaredChoice, ...]:
        """Return the choices with the key that picks each; none that a senior is asked by."""
        taken = {one.hotkey for one in self.choices} | {SENIOR_KEY}
        free = iter([key for key in KEYS if key not in taken])
        return tuple(one if one.hotkey else one.model_copy(update={"hotkey": next(free, "")}) for one in self.choices)


def read_declaration(path: Path) -> Declaration:
    """Return what the file `path` declares; it has to be named after the question. Raises `PermanentError`."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise PermanentError(f"{path.name} is larger than {LARGEST_FILE // 1024} KiB.", hint=HINT)
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise PermanentError(f"{path.name} cannot be read: {exc}.", hint=HINT) from exc
    found = parse_declaration(text, name=path.name)
    if found.name != path.stem:
        raise PermanentError(f"{path.name} declares the question {found.name}: name the file after it.", hint=HINT)
    return found


def parse_declaration(text: str, *, name: str) -> Declaration:
    """Return what `text`, YAML, declares. Raises `PermanentError` with `name`, the lines and what is wrong there."""
    try:
        if len(text) > LARGEST_FILE:
            raise PermanentError(f"{name} is larger than {LARGEST_FILE // 1024} KiB.", hint=HINT)
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise PermanentError(f"{name}: aliases (*name) are not read here.", hint=HINT)
        document, node = yaml.safe_load(text), yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise PermanentError(f"{name} is no YAML: {' '.join(str(exc).split())[:300]}.", hint=HINT) from exc
    try:
        return Declaration.model_validate(document)
    except ValidationError as exc:
        mistakes = "; ".join(_mistake(node, error) for error in exc.errors()[:5])
        raise PermanentError(f"{name}, {mistakes}.", hint=HINT) from exc


_PARTS: Final[Mapping[int | str, type[Strict]]] = {
    "choices": DeclaredChoice,
    "recipe": DeclaredRecipe,
    "gate": DeclaredGate,
}


def _mistake(node: yaml.Node | None, error: Any) -> str:
    """Say where a mistake is, and what: `line 7, choices.1.hotkey: …`, with what is allowed."""
    place, message = error["loc"], error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        allowed = _PARTS.get(place[0], Declaration).model_fields if len(place) > 1 else Declaration.model_fields
        message = f"there is no such key; there are {', '.join(allowed)}"
    where = ".".join(map(str, place))
    return f"line {line_of(node, place)}{f', {where}' if where else ''}: {message}"
