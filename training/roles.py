"""What a model can be for: to write, to encode, or to answer a question, whose name is its role."""

from __future__ import annotations

from inference.models import Role
from labeling.question import answered_by_models, title_of
from training.models.datasets import Task


def roles() -> list[str]:
    """Return what a model can be for: who writes, who encodes, who judges beside the question's own model, and each
    question that a model answers.
    """
    return [str(Role.COPYWRITER), *(one.name for one in answered_by_models()), str(Role.ENCODER), str(Role.JUDGE)]


def title_of_role(role: str) -> str:
    """Return what people call a role."""
    return str(Role(role).label) if role in Role.values else title_of(role)


def role_of(task: str) -> str:
    """Return the role of the model that a task makes better: a question's is its own."""
    return str(Role.COPYWRITER) if task in Task.values else task
