"""ID tokens of OpenID Connect: read only if the provider signed them, for us, now, and for this very sign-in."""

from __future__ import annotations

from typing import Any

import jwt
from django.conf import settings
from django.utils.crypto import constant_time_compare

from accounts.provider import Provider
from core.exceptions import PermanentError

# Public-key signatures alone: neither `none` nor HMAC, whose key a public one could be taken for.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
CLOCK_S = 60
LONGEST = 20_000


def _refused() -> PermanentError:
    return PermanentError("The provider's answer could not be verified.", hint="Try again, or ask who runs it.")


def verified(token: Any, *, provider: Provider, nonce: str) -> dict[str, Any]:
    """Return the claims of `token`. Raises `PermanentError` for one that is forged, expired, or meant for another."""
    if not isinstance(token, str) or not 0 < len(token) <= LONGEST:
        raise _refused()
    client_id = settings.ACCOUNTS.oidc.client_id
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        key = provider.key_for(kid)
        if key is None:
            raise _refused()
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=ALGORITHMS,
            audience=client_id,
            issuer=provider.issuer,
            leeway=CLOCK_S,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as exc:
        raise _refused() from exc
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    party = claims.get("azp", client_id if len(audiences) == 1 else None)
    subject, brought = claims["sub"], claims.get("nonce")
    if party != client_id or not isinstance(subject, str) or not 0 < len(subject) <= 255 or "\0" in subject:
        raise _refused()
    if not isinstance(brought, str) or not constant_time_compare(brought, nonce):
        raise _refused()
    return claims
