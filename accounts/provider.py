"""The provider of single sign-on: its addresses and keys, as it publishes them, kept for some minutes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

import jwt
from django.conf import settings

from core import http
from core.exceptions import EcomsiteError, PermanentError

KEPT_S = 600
# A provider that is away is not asked again at once: each who waits for it holds a thread.
AWAY_S = 10
# A key that we do not know may be new: then they are fetched again, but not for every stranger who makes one up.
NEW_KEYS_S = 30
TIMEOUT_S = 5.0
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass
class Provider:
    """What `<issuer>/.well-known/openid-configuration` says."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    takes_basic: bool
    asked_at: float
    keys: jwt.PyJWKSet | None = None
    keys_at: float = 0.0

    _known: ClassVar[dict[str, Provider]] = {}
    _away: ClassVar[dict[str, tuple[float, EcomsiteError]]] = {}
    _lock: ClassVar[threading.Lock] = threading.Lock()

    @classmethod
    def now(cls) -> Provider:
        """Return the provider of the settings.

        Raises `TransientError` when it is away, `PermanentError` for a wrong one.
        """
        issuer = settings.ACCOUNTS.oidc.issuer
        with cls._lock:
            known = cls._known.get(issuer)
            if known and time.monotonic() - known.asked_at < KEPT_S:
                return known
            since, trouble = cls._away.get(issuer, (0.0, None))
            if trouble and time.monotonic() - since < AWAY_S:
                raise type(trouble)(trouble.message, hint=trouble.hint)
            try:
                found = cls._ask(issuer)
            except EcomsiteError as exc:
                cls._away[issuer] = (time.monotonic(), exc)
                raise
            cls._away.pop(issuer, None)
            cls._known[issuer] = found
            return found

    @classmethod
    def _ask(cls, issuer: str) -> Provider:
        said = fetched(f"{issuer}/.well-known/openid-configuration")
        if said.get("issuer") not in (issuer, f"{issuer}/"):
            raise PermanentError("The provider calls itself something else than OIDC_ISSUER.")
        addresses = {
            name: str(said.get(name) or "")
            for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
        }
        for name, address in addresses.items():
            if not is_safe(address) and (address or name != "userinfo_endpoint"):
                raise PermanentError(f"The provider's {name} is no https:// address.")
        methods = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return cls(
            issuer=str(said["issuer"]),
            authorization_endpoint=addresses["authorization_endpoint"],
            token_endpoint=addresses["token_endpoint"],
            userinfo_endpoint=addresses["userinfo_endpoint"],
            jwks_uri=addresses["jwks_uri"],
            takes_basic="client_secret_basic" in methods,
            asked_at=time.monotonic(),
        )

    def key_for(self, kid: str | None) -> jwt.PyJWK | None:
        """Return the public key called `kid`; the only one where tokens name none. None when there is no such key."""
        with self._lock:
            found = self._find(kid)
            if found is None and time.monotonic() - self.keys_at > (NEW_KEYS_S if self.keys else 0):
                self.keys, self.keys_at = _key_set(fetched(self.jwks_uri)), time.monotonic()
                found = self._find(kid)
        return found

    def _find(self, kid: str | None) -> jwt.PyJWK | None:
        keys = [key for key in self.keys.keys if key.public_key_use in (None, "sig")] if self.keys else []
        if kid is None:
            return keys[0] if len(keys) == 1 else None
        return next((key for key in keys if key.key_id == kid), None)


def _key_set(said: dict[str, Any]) -> jwt.PyJWKSet:
    try:
        return jwt.PyJWKSet.from_dict(said)
    except jwt.PyJWTError as exc:
        raise PermanentError("The provider's keys cannot be read.") from exc


def is_safe(address: str) -> bool:
    """Whether `address` may be given secrets: https, or plain HTTP on this very machine."""
    parts = urlsplit(address)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))


def fetched(address: str) -> dict[str, Any]:
    """Return the JSON object at `address`. Raises as `core.http.request_json`."""
    if not is_safe(address):
        raise PermanentError("OIDC_ISSUER is no https:// address.")
    with http.client(timeout_s=TIMEOUT_S) as session:
        found = http.request_json(session, "GET", address, timeout_s=TIMEOUT_S, attempts=1, max_bytes=500_000)
    if not isinstance(found, dict):
        raise PermanentError("The provider answered with something else than it should.")
    return found
