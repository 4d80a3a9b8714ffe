"""Single values of a form, read strictly: what cannot be is a 400, and no error of ours."""

from __future__ import annotations

import re
from enum import Enum
from typing import Final, TypeVar

from django.core.exceptions import BadRequest

Choice = TypeVar("Choice", bound=Enum)
# As many digits as the largest key of a table has.
_WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,19}", re.ASCII)


def whole_number(raw: str) -> int:
    """Return the number, zero or above, that `raw` is. Raises `BadRequest`."""
    if not _WHOLE_NUMBER.fullmatch(raw):
        raise BadRequest("no whole number")
    return int(raw)


def one_of(choices: type[Choice], raw: str) -> Choice:
    """Return the member of `choices` with the value `raw`. Raises `BadRequest`."""
    try:
        return choices(raw)
    except ValueError:
        raise BadRequest(f"no such {choices.__name__}") from None
