"""Names of people made into pseudonyms: the same person, the same pseudonym, and no way back without our key.

The key is derived from SECRET_KEY: who has a copy of the database or of an export cannot try names out. The price: when
SECRET_KEY changes, everybody gets another pseudonym.
"""

from __future__ import annotations

import hmac
from functools import lru_cache

from django.conf import settings

from core.exceptions import PermanentError


def pseudonym(name: str, *, purpose: str) -> str:
    """Return 16 hex digits for `name`; for another `purpose` they are others, so that nothing can be joined.

    Raises `PermanentError` while SECRET_KEY is one that ends with the process.
    """
    if settings.SECRET_KEY_IS_TEMPORARY:
        raise PermanentError(
            "Without SECRET_KEY no pseudonym would outlive this process.", hint="Set SECRET_KEY first."
        )
    return _digest(settings.SECRET_KEY, purpose, name)


@lru_cache(maxsize=1 << 16)
def _digest(key: str, purpose: str, name: str) -> str:
    # What was named by it is in the tables: the words stay what they were.
    derived = hmac.digest(key.encode(), f"labeling.pseudonyms.{purpose}".encode(), "sha256")
    return hmac.digest(derived, name.encode("utf-8", "surrogatepass"), "sha256").hex()[:16]
