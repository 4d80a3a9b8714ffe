"""A text read once for all checks: as written, folded, in words, and without its disguises."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from moderation.policy.disguise import unmask
from moderation.policy.folding import Folded, fold
from moderation.policy.words import Words, words_in


@dataclass(frozen=True)
class Text:
    """What somebody wrote. Each reading of it is made when it is first asked for, and then kept."""

    raw: str

    @cached_property
    def folded(self) -> Folded:
        """Return it in lower case, half width, without accents and invisible characters; spans lead back to `raw`."""
        return fold(self.raw)

    @cached_property
    def words(self) -> Words:
        """Return its words, folded; spans lead back to `raw`."""
        return words_in(self.folded)

    @cached_property
    def readings(self) -> tuple[Folded, ...]:
        """Return how it can be read: folded, and once more without disguises where it wears any."""
        unmasked = unmask(self.folded)
        return (self.folded,) if unmasked is None else (self.folded, unmasked)
