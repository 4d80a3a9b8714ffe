"""One thing to learn, or the reason why something that was labelled is not learnt from."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Example:
    """One thing to learn. `group`: the product, which decides the part it belongs to.

    `fields` are what a trainer reads.

    `is_blind`: the person saw no suggestion of a model; None where that is not known. `is_stated`: a file stated the
    label, from the stars perhaps, or in the name of raters whom nobody here answers for. `is_doubted`: it looks wrong
    and nobody has looked yet. It is tested on all the same: a test without what is hard speaks too well of every model.
    `file`: the import that brought the label, if one did. `files`: all that had a say in it.
    """

    subject: str
    group: str
    locale: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    category: str = ""
    is_blind: bool | None = None
    is_stated: bool = False
    is_doubted: bool = False
    file: str = ""
    files: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        return str(self.fields.get("text", ""))

    def key(self) -> str:
        """Return what makes two examples the same one: their text, without differences of case, width and spaces."""
        text = self.text or "\n".join(str(self.fields.get(name, "")) for name in ("prompt", "completion", "chosen"))
        return hashlib.sha256(" ".join(unicodedata.normalize("NFKC", text).lower().split()).encode()).hexdigest()


@dataclass(frozen=True)
class Excluded:
    """Something that was labelled and is not learnt from."""

    subject: str
    reason: str


OPEN_ISSUE, DUPLICATE, CONFLICT = "open label issue", "duplicate", "the same text, labelled differently"
PERSONAL_DATA, GONE, OUTDATED = "personal data", "erased", "the facts have changed since"
STATED = "a file stated the label, and enough were given by people"
LICENCE = "its feed may not be learnt from"
ASSISTED = "the model's suggestion was shown, and enough were judged without it"
EDITED = "its words have changed since it was judged"
OVERRULED = "a second review came to another verdict on the draft"
NEAR_COPY = "nearly a copy of a text of the test part"
