"""What a claim is: words of a draft that a fact must back, with the fact or with what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from moderation.policy.base import Severity

Kind = Literal[
    "number",
    "quantity",
    "material",
    "colour",
    "attribute",
    "yes or no",
    "name",
    "origin",
    "certification",
    "compatibility",
    "comparison",
    "first or only",
]


@dataclass(frozen=True)
class Claim:
    """Something the draft says at start:end that a fact must back.

    `fact` names the fact (or title, brand, category) that backs it. Where none does, `code` says what is wrong and
    `nearest` quotes the fact that comes closest, if any. `severity` is how grave it is that nothing backs it.
    `attribute` is what the sentence says it is of, in its words at `attribute_at`; `instead` is what that fact says in
    the place of start:end, where the one could stand for the other (`has_unit_of_fact`: in the same unit).
    """

    start: int
    end: int
    kind: Kind
    text: str
    fact: str | None = None
    code: str = ""
    nearest: str = ""
    severity: Severity = Severity.WARN
    attribute: str = ""
    attribute_at: tuple[int, int] | None = None
    instead: str = ""
    has_unit_of_fact: bool = False

    @property
    def is_contradicted(self) -> bool:
        """Whether a fact says otherwise, beyond that none says so."""
        return self.code.startswith("contradicted")

    def backed_by(self, fact: str) -> Claim:
        """Return the claim as one that `fact` backs."""
        return replace(self, fact=fact, code="", nearest="")
