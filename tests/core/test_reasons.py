"""Reasons that people give."""

from __future__ import annotations

import pytest

from core.exceptions import PermanentError
from core.reasons import require_reason


def test_a_reason_is_kept_without_blanks_and_up_to_a_length() -> None:
    assert require_reason("  it is wrong \n", act="Ending it") == "it is wrong"
    assert require_reason("x" * 900, act="Ending it", longest=200) == "x" * 200


@pytest.mark.parametrize("nothing", ["", " \n\t "])
def test_without_one_it_says_what_needs_one(nothing: str) -> None:
    with pytest.raises(PermanentError, match="Ending it needs a reason") as caught:
        require_reason(nothing, act="Ending it", hint="Say what came of it.")
    assert caught.value.hint == "Say what came of it."
