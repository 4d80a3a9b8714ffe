"""A question that exists under tests alone: whether it came in time, going by what the customer wrote."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from labeling.question import Choice
from questions.choice import ChoiceQuestion


class Delivery(ChoiceQuestion):
    """Late or in time."""

    name = "delivery"
    title = "Delivery"
    instructions = "<p>Go by the words.</p>"
    choices = (Choice("late", "Late", "1", "bad"), Choice("in_time", "In time", "2", "good"))
    about = "review"
    backend = "sequence_classifier"
    first_labels = 300
    source = "labels of the queue delivery"
    acted: list[Any] = []

    def act(self, decision: Model) -> None:
        """Remember that something followed."""
        self.acted.append(decision.pk)


class Parts(ChoiceQuestion):
    """Several may be said at once."""

    name = "parts"
    title = "What it is about"
    choices = (Choice("quality", "Quality", "1"), Choice("price", "Price", "2"), Choice("service", "Service", "3"))
    is_multiple = True
