"""Shoppers by pseudonym: the shop's own ids of people and sessions enter no table, no log and no token."""

from __future__ import annotations

from core.exceptions import PermanentError
from core.pseudonyms import pseudonym

LONGEST = 200  # characters of a shop's id of a shopper or a session


def shopper_of(shop_id: str) -> str:
    """Return our pseudonym of the shop's shopper `shop_id`: 16 hex digits; empty for nobody known.

    Raises `PermanentError` for an id that is too long, and while SECRET_KEY is one that ends with the process.
    """
    return _known(shop_id, purpose="storefront.shopper")


def session_of(shop_id: str) -> str:
    """Return our pseudonym of the shop's session `shop_id`. Raises as `shopper_of`."""
    return _known(shop_id, purpose="storefront.session")


def unit_of(shopper: str, session: str) -> str:
    """Return who is assigned in experiments: the shopper, where there is consent to know them again, else the session.

    Takes pseudonyms; empty where neither is known, and then there is nobody to assign.
    """
    return shopper or session


def _known(shop_id: str, *, purpose: str) -> str:
    if len(shop_id) > LONGEST:
        raise PermanentError(f"An id of a shopper or a session has at most {LONGEST} characters.")
    return pseudonym(shop_id, purpose=purpose) if shop_id else ""
