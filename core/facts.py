"""A statement that can be checked, as plain data: what writes from facts and what checks them take the same."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """What is so. `number` and `unit` are set for quantities (canonical unit symbol).

    `has_evidence`: a file that proves it is attached (a test report, a certificate); for who checks, not who writes.
    """

    name: str
    value: str
    number: float | None = None
    unit: str = ""
    has_evidence: bool = False
