"""A question that a file declares: no code of its own."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils.html import format_html_join

from core.exceptions import PermanentError
from labeling.question import Choice
from questions.choice import ChoiceQuestion
from questions.declared.schema import HINT, Declaration, read_declaration

SHIPPED = Path(__file__).parent


class DeclaredQuestion(ChoiceQuestion):
    """What `declaration` says. A model may learn to answer it, also where several answers may hold."""

    def __init__(self, declaration: Declaration) -> None:
        self.declaration = declaration
        self.name, self.title, self.about = declaration.name, declaration.title, declaration.about
        self.description, self.heading = declaration.description, declaration.heading
        paragraphs = ((part,) for part in declaration.instructions.split("\n\n") if part.strip())
        self.instructions = str(format_html_join("", "<p>{}</p>", paragraphs))
        self.choices = tuple(Choice(one.value, one.title, one.hotkey, one.tone) for one in declaration.keyed())
        self.is_multiple = declaration.multiple
        self.backend = "sequence_classifier" if self.is_readable else ""
        self.first_labels = declaration.first_labels
        self.asks_again_when_edited = declaration.ask_again_when_edited
        self.daily_lot = declaration.daily_lot or None
        self.queue_rules = {
            "num_reviewers_per_item": declaration.overlap,
            "consensus_method": declaration.consensus,
        }
        self.ask_below = declaration.ask_below
        self.recipe = declaration.recipe.model_dump(exclude_defaults=True)
        self.gate = declaration.gate.as_rules()
        self.source = f"labels of the queue {declaration.name}, as people agreed on them"


def folders() -> list[Path]:
    """Return where files that declare questions are looked for: QUESTIONS_DIR first, then those that ship."""
    return [*([Path(settings.QUESTIONS_DIR)] if settings.QUESTIONS_DIR else []), SHIPPED]


def file_of(name: str) -> Path:
    """Return the file that declares the question `name`. Raises `PermanentError` where there is none."""
    for folder in folders():
        if (path := folder / f"{name}.yaml").is_file():
            return path
    there = sorted({path.stem for folder in folders() for path in folder.glob("*.yaml")})
    raise PermanentError(f"No file declares the question {name}; there are {', '.join(there) or 'none'}.", hint=HINT)


def declared_question(name: str) -> DeclaredQuestion:
    """Return the question that a file declares. Raises `PermanentError` for a missing file or a mistake in it."""
    path = file_of(name)
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _read(path: Path, _changed: int) -> DeclaredQuestion:
    return DeclaredQuestion(read_declaration(path))
