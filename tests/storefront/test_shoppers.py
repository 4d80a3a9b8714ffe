"""Shoppers and sessions are known by pseudonyms that cannot be joined without our key."""

from __future__ import annotations

import pytest

from core.exceptions import PermanentError
from storefront.shoppers import LONGEST, session_of, shopper_of, unit_of


def test_a_shopper_has_one_pseudonym_and_a_session_of_that_name_another() -> None:
    assert shopper_of("anna") == shopper_of("anna") != shopper_of("bert")
    assert session_of("anna") != shopper_of("anna")
    assert "anna" not in shopper_of("anna")


def test_nobody_stays_nobody() -> None:
    assert shopper_of("") == session_of("") == unit_of("", "") == ""
    assert unit_of("", "s") == "s"
    assert unit_of("p", "s") == "p"


def test_an_id_without_end_is_refused() -> None:
    with pytest.raises(PermanentError, match="at most"):
        shopper_of("x" * (LONGEST + 1))
