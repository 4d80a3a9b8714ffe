"""Questions out of reviewed YAML files: `questions.declared.NAME` is the question that NAME.yaml declares."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Return the question that `name`.yaml declares. Raises `AttributeError` where there is no such file."""
    if name.startswith("_"):
        raise AttributeError(name)
    from questions.declared.question import declared_question

    return declared_question(name)
