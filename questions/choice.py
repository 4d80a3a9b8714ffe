"""A question with a closed list of answers: its page, its reading and its examples follow from the choices alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from django.db.models import Model

from core import label_sets
from core.bulk import in_array
from core.exceptions import PermanentError
from core.label_sets import NONE
from core.refs import keys_of
from inference import resolver
from labeling import answers, approvals, issues
from labeling.annotations import Result, choices
from labeling.examples import EDITED, GONE, LICENCE, PERSONAL_DATA, Example, Excluded
from labeling.models import Label, Vote
from labeling.question import Choice, Question
from labeling.screens import MOST_IN_A_ROW, choice_page
from labeling.subject import Subject, subject_of
from moderation import explaining, markup
from moderation.models.predictions import Prediction
from moderation.models.reviews import ReviewItem
from moderation.queues.rules import policy_for
from questions import eligibility
from questions.subjects import group_of

BATCH = 500


class ChoiceQuestion(Question):
    """One of `choices`, or several (`is_multiple`), of what `about` names.

    Several answers come to one label, their values in the order of the choices, `a+b`; none of them to `none`.
    """

    heading: str = ""  # what stands above the choices; the title where it is empty

    @property
    def subject(self) -> Subject:
        """The sort of thing it is about."""
        return subject_of(self.about)

    @property
    def subject_model(self) -> type[Model]:
        return self.subject.model

    @property
    def top(self) -> str:  # type: ignore[override]
        """The field of the task data that a note is put at the top of."""
        return f"{self.about}_html"

    def config(self) -> str:
        offered = self._offered()
        titles = [one.title for one in offered]
        # Of many the heading is asked for alone: nobody reads them all in a message.
        is_short = 1 < len(titles) <= MOST_IN_A_ROW
        ask = f"{', '.join(titles[:-1])} or {titles[-1].lower()}?" if is_short else ""
        return choice_page(
            self.name,
            offered,
            heading=self.heading or self.title,
            to=self.about,
            shown=self.subject.tags(),
            is_multiple=self.is_multiple,
            required_message=ask,
        )

    def _offered(self) -> tuple[Choice, ...]:
        """The choices on the page.

        Nothing ticked is no answer in Label Studio, so none of several is a box of its own.
        """
        return (*self.choices, Choice(NONE, "None of these", "0")) if self.is_multiple else self.choices

    def task_data(self, subject: Any) -> dict[str, Any]:
        about = self.subject
        data = {**about.data(subject), "text": about.words(subject)}
        edition = about.edition(subject)
        return {**data, "edition": edition} if edition else data

    def parse(self, result: Result, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return {<name>: value (a list where several may be picked), escalate, comment}.

        An answer may be missing only where a senior is asked for. None of several is an empty list, and stands alone.
        """
        parts = answers.parts_of(result, {self.name, "escalate", "comment"})
        escalate = bool(answers.picked(parts, "escalate", ("escalate",)))
        said: Any = answers.picked(parts, self.name, [one.value for one in self._offered()])
        if self.is_multiple:
            if (NONE in said and len(said) > 1) or not (said or escalate):
                raise PermanentError(f"The annotation says {' and '.join(said) or 'nothing'} to {self.name!r}.")
            said = [value for value in said if value != NONE]
        else:
            said = answers.one(parts, self.name, self.labels, required=not escalate)
        comment = answers.text(parts, "comment")[: answers.LONGEST_COMMENT]
        return {self.name: said, "escalate": escalate, "comment": comment}

    def label_of(self, answer: Mapping[str, Any]) -> str:
        said = answer.get(self.name)
        if not self.is_multiple:
            return str(said or "")
        if not said:
            return "" if said is None or answer.get("escalate") else NONE
        return label_sets.join(said, self.labels)

    def require_answer(self, answer: Mapping[str, Any]) -> None:
        """Raise `PermanentError` for an answer that was read before a version took it away: it must not be left out."""
        said = answer.get(self.name) or []
        gone = sorted({said} - set(self.labels) if isinstance(said, str) else set(said) - set(self.labels))
        if gone:
            raise PermanentError(f"{self.name} has no answer {', '.join(gone)} any more.")

    def require_label(self, label: str) -> None:
        """Raise `PermanentError` for a label that the question does not have: one of several says each answer once,
        in the order of the choices, and `none` says nothing else.
        """
        if not self.is_multiple:
            super().require_label(label)
        elif label != label_sets.join(values := label_sets.split(label), self.labels):
            for value in values:
                super().require_label(value)
            raise PermanentError(f"{label!r} is no label of {self.name}: join each answer once, in their order.")

    def _is_known(self, label: str) -> bool:
        """Whether `label` is one of now: answers may have gone since."""
        return set(label_sets.split(label)) <= set(self.labels) if self.is_multiple else label in self.labels

    def result_of(self, label: str) -> list[dict[str, Any]]:
        return [choices(self.name, *self._values_in(label), to=self.about)]

    def _values_in(self, label: str) -> list[str]:
        return label.split(label_sets.JOINED) if self.is_multiple else [label]

    def fills_suggestions(self) -> bool:
        return policy_for(self.name).ticks_suggestions

    def beside(self, payload: Mapping[str, Any], predictions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Say what the model thinks, below what is asked about."""
        said = ", ".join(answers.suggested(predictions, self.name))
        sure = predictions[0].get("score") if predictions else None
        words = f"The model suggests: {said}" + ("" if sure is None else f", sure to {sure:.0%}")
        return markup.with_suggestion(payload, self.top, words if said else "")

    def explained(self, data: Mapping[str, Any], *, reference: str) -> dict[str, Any]:
        """Say which words moved the model, below what it suggests; not where the check of them failed."""
        items = ReviewItem.objects.select_related("lead", "labeling_task")
        item = items.filter(pk__in=keys_of([reference.partition("#")[0]], ReviewItem)).first()
        found = explaining.behind(item) if item else None
        why = found[1] if found else None
        return markup.with_suggestion(data, self.top, why.in_words if why and why.holds is not False else "")

    @property
    def is_readable(self) -> bool:  # type: ignore[override]
        """Whether a model can read what it is about."""
        return self.subject.is_readable

    def rows(self, subjects: Sequence[str]) -> dict[str, Any]:
        return self.subject.rows(subjects)

    def inputs(self, subjects: Sequence[Any]) -> list[str]:
        return [self.subject.text(row) for row in subjects]

    def opinions(self, subjects: Sequence[str]) -> dict[str, dict[str, float]]:
        """Return those of the champion, of what it scored; nothing where it does not speak of every label."""
        champion = resolver.find(self.name) if self.backend else None
        if (
            champion is None or self.is_multiple
        ):  # of several answers a model says each by itself: no odds of whole labels
            return {}
        said = Prediction.objects.of(self.name, subjects).filter(model_version=champion)
        found = {subject: dict(odds) for subject, odds in said.values_list("subject", "probabilities")}
        return {subject: odds for subject, odds in found.items() if set(odds) >= set(self.labels)}

    def examples(self) -> Iterator[Example | Excluded]:
        doubted = issues.doubted(self.name)
        labels = Label.objects.filter(question=self.name).exclude(label="")
        if not self.is_multiple:
            labels = labels.filter(label__in=self.labels)
        rows = (one for one in labels.order_by("subject").iterator(BATCH) if self._is_known(one.label))
        while batch := list(islice(rows, BATCH)):
            yield from self._labelled(batch, doubted)

    def _labelled(self, labels: list[Label], doubted: set[str]) -> Iterator[Example | Excluded]:
        subjects = [label.subject for label in labels]
        rows, about = self.rows(subjects), self.subject
        texts = dict(zip(rows, self.inputs(list(rows.values())), strict=True))
        blind = eligibility.blind(self.name, subjects)
        stated = approvals.stated(self.name, labels)
        files = approvals.files_behind(self.name, labels)
        edited = self._edited(subjects)
        for label in labels:
            row, text = rows.get(label.subject), eligibility.clean(texts.get(label.subject, ""))
            product = about.product(row) if row is not None else None
            if row is None or not text:
                yield Excluded(label.subject, GONE)
            elif eligibility.is_barred(product):
                yield Excluded(label.subject, LICENCE)
            elif label.subject in edited and not approvals.file_of(label):
                yield Excluded(label.subject, EDITED)
            elif eligibility.holds_personal_data(text):
                yield Excluded(label.subject, PERSONAL_DATA)
            else:
                yield Example(
                    label.subject,
                    group=group_of(product, text),
                    locale=about.locale(row),
                    fields={"text": text, "label": label.label},
                    category=product.category if product else "",
                    is_blind=blind.get(label.subject),
                    is_stated=label.subject in stated,
                    is_doubted=label.subject in doubted,
                    file=approvals.file_of(label),
                    files=files.get(label.subject, frozenset()),
                )

    def _edited(self, subjects: Sequence[str]) -> set[str]:
        """Return those of `subjects` that say something else by now than what people were shown."""
        asked = ReviewItem.objects.filter(
            question=self.name, lead=None, purpose=Vote.Purpose.LABEL, about__in=in_array(subjects)
        )
        return set(self.subject.edited(asked).order_by().values_list("about", flat=True))
