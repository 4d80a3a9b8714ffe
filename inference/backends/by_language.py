"""A classifier made of parts, one for each script: a text goes to the part that learnt its language.

What was labelled in one language makes the model better there and leaves the other as it was.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.exceptions import PermanentError
from inference.backends.cold_start import is_chinese
from inference.backends.parts import load_part
from inference.contracts import Classification, TextClassifier

PARTS = "parts.json"
CHINESE, OTHER = "chinese", "other"


class ByLanguage(TextClassifier):
    """`parts.json` names the back end, folder and options of the part for Chinese and of that for everything else.

    Options: handed to both parts.
    """

    def __init__(self, *, directory: Path | None, options: Mapping[str, Any]) -> None:
        super().__init__(directory=directory, options=options)
        if directory is None:
            raise PermanentError("the back end by_language needs an artefact", hint="Train one: `manage.py train`.")
        parts = json.loads((directory / PARTS).read_text(encoding="utf-8"))
        loaded: dict[str, TextClassifier] = {}
        for about in parts.values():
            if about["folder"] not in loaded:
                loaded[about["folder"]] = load_part(directory / about["folder"], about, options)
        self.parts = {script: loaded[about["folder"]] for script, about in parts.items()}
        self.labels = list(self.parts[OTHER].labels)
        if any(set(part.labels) != set(self.labels) for part in self.parts.values()):
            raise PermanentError("the parts of this model do not have the same labels")

    def classify(self, texts: Sequence[str]) -> list[Classification]:
        """Return one `Classification` for each text, in order."""
        found: dict[int, Classification] = {}
        for script in (CHINESE, OTHER):
            rows = [i for i, text in enumerate(texts) if script_of(text) == script]
            found |= dict(zip(rows, self.parts[script].classify([texts[i] for i in rows]), strict=True))
        return [found[i] for i in range(len(texts))]


def script_of(text: str) -> str:
    """Return which part `text` belongs to."""
    return CHINESE if is_chinese(text) else OTHER
