"""Signatures of Standard Webhooks (v1, HMAC-SHA256), and the secrets they are made with.

A secret is derived from SECRET_KEY and a random salt, so a copy of the database signs nothing. The price: when
SECRET_KEY changes, every secret has to be rotated; a fingerprint tells, and nothing is sent with a wrong signature.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from core.exceptions import PermanentError
from outbox.models import Endpoint, Secret

PREFIX = "whsec_"


def new_secret(endpoint: Endpoint) -> str:
    """Store the salt of a new current secret of `endpoint` and return the secret, for the one time that it is shown."""
    if settings.SECRET_KEY_IS_TEMPORARY:
        raise PermanentError("Without SECRET_KEY no secret would outlive this process.", hint="Set SECRET_KEY first.")
    salt = secrets.token_hex(32)
    key = _derive(salt)
    Secret.objects.create(endpoint=endpoint, salt=salt, fingerprint=_fingerprint(key))
    return PREFIX + base64.b64encode(key).decode()


def keys_of(endpoint: Endpoint) -> list[bytes]:
    """Return the keys that are valid now, the current one first.

    Raises `PermanentError` when SECRET_KEY is another than the one the current secret was made with.
    """
    valid = endpoint.secrets.filter(Q(expires_at=None) | Q(expires_at__gt=Now())).order_by("-created_at", "-pk")
    keys = [key for secret in valid if _fingerprint(key := _derive(secret.salt)) == secret.fingerprint]
    if not keys:
        raise PermanentError(
            "SECRET_KEY was changed after the endpoint's secret was made.",
            hint="Rotate the endpoint's secret and give the new one to the receiver.",
        )
    return keys


def signature(keys: Sequence[bytes], *, id: str, timestamp: int, body: bytes) -> str:
    """Return the header `webhook-signature`: one signature for each key, separated by spaces."""
    signed = f"{id}.{timestamp}.".encode() + body
    return " ".join(f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}" for key in keys)


def _derive(salt: str) -> bytes:
    return hmac.digest(settings.SECRET_KEY.encode(), f"outbox.signing.{salt}".encode(), "sha256")


def _fingerprint(key: bytes) -> str:
    return hashlib.sha256(b"fingerprint:" + key).hexdigest()[:16]
