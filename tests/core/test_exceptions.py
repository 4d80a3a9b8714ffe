"""How an error reads: what went wrong, then the way out, as two sentences."""

from __future__ import annotations

import pytest

from core.exceptions import EcomsiteError


@pytest.mark.parametrize(
    ("message", "hint", "words"),
    [
        ("nobody may", "Ask again.", "nobody may. Ask again."),
        ("Nobody may.", "Ask again.", "Nobody may. Ask again."),
        ("it said: nothing", "", "it said: nothing"),
    ],
)
def test_a_hint_is_a_sentence_of_its_own(message: str, hint: str, words: str) -> None:
    assert str(EcomsiteError(message, hint=hint)) == words
