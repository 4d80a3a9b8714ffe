"""Tokens that say what was shown to whom, signed by us: events cannot be invented for a text that was not shown."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, Final

from django.core import signing

from core.exceptions import PermanentError

SALT: Final = "storefront.exposures"
LONGEST: Final = 600  # characters of a token; ours have about 200


@dataclass(frozen=True, slots=True)
class Exposure:
    """What was put before one shopper at one time: live copy `shown`, and for which arm of which experiment.

    `shopper` and `session` are pseudonyms of ours; an exposure to nobody known has them empty and counts for no
    experiment.
    """

    shown: uuid.UUID
    shopper: str
    session: str
    experiment: int | None = None
    arm: str = ""


def sign(exposure: Exposure) -> str:
    """Return the token of `exposure`, as of now. It goes into the page with the text, and comes back with the event."""
    body: list[Any] = [exposure.shown.hex, exposure.shopper, exposure.session, exposure.experiment, exposure.arm]
    return signing.TimestampSigner(salt=SALT).sign_object(body)


def read(token: str, *, longest: dt.timedelta) -> Exposure:
    """Return what `token` says. Raises `PermanentError` when we did not sign it, or longer ago than `longest`."""
    if len(token) > LONGEST:
        raise PermanentError("The exposure token is too long.", hint="Send the one that came with the text.")
    try:
        shown, shopper, session, experiment, arm = signing.TimestampSigner(salt=SALT).unsign_object(
            token, max_age=longest
        )
    except signing.SignatureExpired:
        raise PermanentError("The exposure token is too old.", hint="Ask for the text again.") from None
    except (signing.BadSignature, ValueError, UnicodeError):
        raise PermanentError("The exposure token is not ours.", hint="Send the one that came with the text.") from None
    return Exposure(uuid.UUID(shown), shopper, session, experiment, arm)
