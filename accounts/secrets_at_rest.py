"""Keeps what second factors rest on from who reads the database alone: by a key derived from SECRET_KEY."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.utils.crypto import salted_hmac

from core.exceptions import PermanentError


def _fernet() -> Fernet:
    key = salted_hmac("accounts.secrets_at_rest", "fernet", secret=settings.SECRET_KEY, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))


def encrypt(data: bytes) -> str:
    """Return `data` as a text that only `decrypt` reads."""
    return _fernet().encrypt(data).decode()


def decrypt(text: str) -> bytes:
    """Return what was encrypted. Raises `PermanentError` when SECRET_KEY is another by now."""
    try:
        return _fernet().decrypt(text.encode())
    except InvalidToken as exc:
        raise PermanentError(
            "This second factor cannot be read any more: SECRET_KEY was changed.",
            hint="An administrator removes it on your page under People; then you set it up anew.",
        ) from exc


def keyed_hash(text: str) -> str:
    """Return a hash of `text` that nobody without SECRET_KEY can guess from."""
    return salted_hmac("accounts.secrets_at_rest.hash", text, algorithm="sha256").hexdigest()
