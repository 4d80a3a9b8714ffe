"""A token of what was shown is believed only when we signed it, and not for ever."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.core import signing

from core.exceptions import PermanentError
from storefront.exposures import LONGEST, Exposure, read, sign

DAY = dt.timedelta(days=1)
SHOWN = Exposure(uuid.UUID(int=7), "0123456789abcdef", "fedcba9876543210", 12, "treatment")


def test_a_token_says_what_was_signed() -> None:
    token = sign(SHOWN)
    assert len(token) < LONGEST
    assert read(token, longest=DAY) == SHOWN


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "a:b:c",
        "x" * (LONGEST + 1),
        "\x00",
        "é:é:é",
        signing.TimestampSigner(salt="other").sign_object([1, 2, 3, 4, 5]),
    ],
)
def test_a_forged_token_is_refused(forged: str) -> None:
    with pytest.raises(PermanentError, match="token"):
        read(forged, longest=DAY)


def test_a_token_that_was_changed_is_refused() -> None:
    token = sign(SHOWN)
    for place in range(0, len(token), 7):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(PermanentError, match="not ours"):
            read(changed, longest=DAY)


def test_an_old_token_is_refused() -> None:
    with pytest.raises(PermanentError, match="too old"):
        read(sign(SHOWN), longest=dt.timedelta(seconds=-1))
