"""Errors of the house: each says what went wrong and, where there is one, the way out."""

from __future__ import annotations


class EcomsiteError(Exception):
    """An expected failure. `hint` tells the reader what to do about it; commands and views print both."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        stop = "" if not self.hint or self.message.endswith((".", "!", "?", ":", "…")) else "."
        return f"{self.message}{stop} {self.hint}".strip()


class TransientError(EcomsiteError):
    """Worth trying again later: the other side was absent, busy or slow."""


class PermanentError(EcomsiteError):
    """Trying again will not help: the input or the configuration has to change."""


class StaleState(EcomsiteError):
    """Somebody else moved the row first (a compare-and-set changed no row). Nothing was written."""


class IllegalMove(PermanentError):
    """The state table has no such move."""


class LeaseLost(StaleState):
    """The lease expired or was taken over; what was computed under it must not be written."""
