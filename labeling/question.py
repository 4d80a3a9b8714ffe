"""What a question is: what people are asked and models learn to answer, in one place.

A question's name is its queue, the `question` of its labels, the role of its model and the name of its data set. Which
there are stands in settings.QUESTIONS (name → dotted path); this app does not know what it asks about.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model, QuerySet
from django.utils.module_loading import import_string

from core.exceptions import PermanentError
from labeling.annotations import Result, prediction_of

if TYPE_CHECKING:
    from labeling.examples import Example, Excluded
    from labeling.models import Label

Said = TypeVar("Said")  # an answer of a model


@dataclass(frozen=True)
class Choice:
    """One answer: what is stored, what people read, the key that picks it, and how it is coloured (good,
    bad or neither).
    """

    value: str
    title: str
    hotkey: str = ""
    tone: str = ""


class Question(ABC):
    """One judgement of people or models. Stateless."""

    name: str
    title: str
    description: str = ""
    icon: str = "checklist"  # beside its name, one of Material Symbols
    # HTML shown to who opens the project; ours, not a user's.
    instructions: str = ""
    # What the editor asks for before it lets an answer go, for who wonders.
    submit_hint: str = "Submit waits for an answer, or for a comment to a senior."
    # What pauses while too many wait for people, and what becomes of the rest.
    when_paused: str = "No more is asked; what is there is kept"
    choices: tuple[Choice, ...] = ()
    is_multiple: bool = False
    about: str = "review"  # one of settings.SUBJECTS
    # Whether a model can read what it is about; where none can, people alone answer, and nobody searches for wrong
    # labels.
    is_readable: bool = True
    # The key in INFERENCE.backends that a model of it runs on unless another is named; empty where no model answers
    # it.
    backend: str = ""
    # People are asked where the champion is less sure than this; None: a model's doubt asks nobody.
    ask_below: float | None = None
    # And wherever it says anything else than this, however sure it is; empty: doubt alone asks.
    asks_unless: str = ""
    # So many labels are asked for by lot, whatever a model says: a question that ships no model learns its first one
    # from them.
    first_labels: int = 0
    # So many of what comes each day are drawn by lot and judged by people without a suggestion, to tell whether what
    # serves gets worse; 0: none at present, None: never.
    daily_lot: int | None = None
    # Whether people are asked again when an import brings other words than those they judged.
    asks_again_when_edited: bool = False
    # Rules of its queue (moderation/queues/rules.py) while an administrator has set none; those of the settings
    # otherwise.
    queue_rules: Mapping[str, Any] = MappingProxyType({})
    # Whether people have a labelling page for it. Where they have not, a model alone answers, taught by other answers.
    has_page: bool = True
    # Where its examples come from, in words: it stands in every snapshot.
    source: str = ""
    # From how much in common two texts are near copies, 0 to 1; 1: the same text alone.
    copies_from: float = 1.0
    # So many tokens of an input a model reads, unless its recipe says otherwise.
    reads_tokens: int = 128
    # What a recipe for a model of it says where who asks for one leaves it open, and rules of the gate that hold in
    # place of those of the settings (training/recipes.py, training/evaluation/gate.py).
    recipe: Mapping[str, Any] = MappingProxyType({})
    gate: Mapping[str, Any] = MappingProxyType({})
    # The question whose labels its examples are made from, where that is another one.
    taught_by: str = ""
    # The field of the task data, HTML, that a note to who answers is put at the top of.
    top: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """What an answer can come to, as one label: people agree or differ in this."""
        return tuple(choice.value for choice in self.choices)

    # --- The labelling page ----------------------------------------------------------------------------------------

    def config(self) -> str:
        """Return the labelling page as Label Studio's XML."""
        raise NotImplementedError(f"nobody is asked {self.name}")

    def task_data(self, subject: Any) -> dict[str, Any]:
        """Return what the labelling page shows of `subject`, a row."""
        raise NotImplementedError(f"nobody is asked {self.name}")

    def suggestions(
        self, subject: Any, *, label: str = "", model_version: str = "", score: float | None = None
    ) -> list[dict[str, Any]]:
        """Return what is suggested to who judges `subject`, as predictions of Label Studio: `label`, where a model said
        one.

        Raises `PermanentError` for a label that the question does not have.
        """
        if not label:
            return []
        self.require_label(label)
        return [prediction_of(self.result_of(label), model_version, score)]

    def require_label(self, label: str) -> None:
        """Raise `PermanentError` for a label that the question does not have."""
        if label not in self.labels:
            raise PermanentError(f"There is no {self.name} {label!r}; there are {', '.join(self.labels)}.")

    def parse(self, result: Result, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer in `result`, an annotation of a task with data `payload`, as plain values.

        Strict: raises `PermanentError` for a control or a label that the page does not have, and for an answer that is
        missing.
        """
        raise NotImplementedError(f"nobody is asked {self.name}")

    def label_of(self, answer: Mapping[str, Any]) -> str:
        """Return what a parsed `answer` comes to, one of `labels`; empty when it says none of them."""
        raise NotImplementedError(f"nobody is asked {self.name}")

    def require_answer(self, answer: Mapping[str, Any]) -> None:  # noqa: B027  (most never lose one)
        """Raise `PermanentError` for a parsed `answer` that the question does not have (any more)."""

    def result_of(self, label: str) -> list[dict[str, Any]]:
        """Return an annotation that says `label`, and nothing else."""
        raise NotImplementedError(f"nobody is asked {self.name}")

    def fills_suggestions(self) -> bool:
        """Whether an annotation starts from the predictions; without, `beside` says what they are."""
        return True

    def beside(self, payload: Mapping[str, Any], predictions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return the task data with what `predictions` suggest in words, for where nothing is ticked beforehand."""
        return dict(payload)

    def explained(self, data: Mapping[str, Any], *, reference: str) -> dict[str, Any]:
        """Return the task data with why the model suggests what it does, for the task of `reference`; as it is where
        nobody knows.
        """
        return dict(data)

    def conflict(self, answers: Sequence[Mapping[str, Any]]) -> str:
        """Return why `answers` of one and the same label still say different things; empty when they do not."""
        return ""

    # --- What it is about, and what models read of it ----------------------------------------------------------------

    @property
    @abstractmethod
    def subject_model(self) -> type[Model]:
        """The table of what it is about. Of some, whatever comes is put before the champion (moderation/scoring.py)."""

    @abstractmethod
    def rows(self, subjects: Sequence[str]) -> dict[str, Any]:
        """Return the row of each of `subjects` (references); nothing for one that is gone."""

    @abstractmethod
    def inputs(self, subjects: Sequence[Any]) -> list[str]:
        """Return what a model reads of each of `subjects` (rows): the same for serving,
        training and the search for errors.
        """

    def texts(self, subjects: Sequence[str]) -> list[str]:
        """Return the input of each of `subjects` (references); empty for one that is gone."""
        rows = self.rows(subjects)
        found = dict(zip(rows, self.inputs(list(rows.values())), strict=True))
        return [found.get(subject, "") for subject in subjects]

    def asked_of(self, classify: Callable[[list[str]], list[Said]], subjects: Sequence[Any]) -> list[Said]:
        """Return the answer about each of `subjects` (rows) of a model that is `classify`: texts → an answer for each.

        One text of each, unless a question has its subjects read in parts.
        """
        return classify(self.inputs(subjects))

    def opinions(self, subjects: Sequence[str]) -> dict[str, dict[str, float]]:
        """Return what the serving model thinks of each of `subjects`: a probability for each label;
        none for the unknown.
        """
        return {}

    # --- What follows --------------------------------------------------------------------------------------------

    def teaching(self, labels: QuerySet[Label]) -> QuerySet[Label]:
        """Narrow `labels`, of `taught_by` or its own, to those that examples are made from: when a run is due goes by
        them.
        """
        return labels

    def examples(self) -> Iterable[Example | Excluded]:
        """Return what people said as examples to learn from, and what is left out with the reason."""
        return ()

    def act(self, decision: Model) -> None:  # noqa: B027  (most answers have no more to them than a label)
        """Do what follows from a decision, within its transaction: nothing but a label, unless a question says so."""


def question(name: str) -> Question:
    """Return the question `name`. Raises `PermanentError` when the settings name none."""
    path = settings.QUESTIONS.get(name)
    if path is None:
        raise PermanentError(
            f"There is no question {name!r}; there are {', '.join(sorted(settings.QUESTIONS))}.",
            hint="Add it to QUESTIONS in ecomsite/settings.py.",
        )
    try:
        loaded = import_string(path)
    except ImportError as exc:
        raise ImproperlyConfigured(f"the question {name!r}: cannot import {path!r}: {exc}") from exc
    found = loaded() if isinstance(loaded, type) else loaded
    if not isinstance(found, Question) or found.name != name:
        raise ImproperlyConfigured(f"{path!r} is not the question {name!r}")
    return found


def all_questions() -> list[Question]:
    """Return every question, in the order of the settings."""
    return [question(name) for name in settings.QUESTIONS]


def asked_questions() -> list[Question]:
    """Return the questions that people are asked: each has a queue."""
    return [one for one in all_questions() if one.has_page]


def queue_names() -> list[str]:
    """Return the names of the queues."""
    return [one.name for one in asked_questions()]


def queues() -> list[tuple[str, str]]:
    """Return name and title of each queue."""
    return [(one.name, one.title) for one in asked_questions()]


def answered_by_models() -> list[Question]:
    """Return the questions that a model can answer."""
    return [one for one in all_questions() if one.backend]


# What questions were called before: commands and the ledger know these words.
FORMER = {"copy_review": "copy_verdict", "review_sentiment": "sentiment"}


def current_name(name: str) -> str:
    """Return what the question that was once called `name` is called now."""
    return FORMER.get(name, name)


def is_known(name: str) -> bool:
    """Whether the settings name the question `name`: what was asked before outlives it."""
    return name in settings.QUESTIONS


def known(names: Iterable[str]) -> list[str]:
    """Return those of `names`, as rows hold them, that the settings name; each once, sorted.

    What goes through stored questions goes by this: a row of one that is gone must not hold up the others.
    """
    return sorted({name for name in names if is_known(name)})


def title_of(name: str) -> str:
    """Return what people call the question `name`; the name itself for one that is not there any more."""
    return question(name).title if is_known(name) else name
