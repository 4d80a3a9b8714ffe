"""A reason that a person gives for what they do: it has to be there, and is kept up to a length."""

from __future__ import annotations

from core.exceptions import PermanentError

FOR_AUDITORS = "Say why, for whoever audits it later."


def require_reason(reason: str, *, act: str, hint: str = FOR_AUDITORS, longest: int = 500) -> str:
    """Return the first `longest` characters of `reason`, without blanks around it.

    Raises `PermanentError` where nothing is left: `act`, which begins a sentence, needs one, and `hint` says of what.
    """
    said = reason.strip()[:longest]
    if not said:
        raise PermanentError(f"{act} needs a reason.", hint=hint)
    return said
