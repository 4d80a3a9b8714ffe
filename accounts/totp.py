"""Authenticator apps: codes of six digits that change every 30 s (TOTP, RFC 6238), each taken once."""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from urllib.parse import quote, urlencode

import segno
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from django.contrib.auth.models import User
from django.utils import timezone

from accounts.models import Factor
from accounts.secrets_at_rest import decrypt, encrypt

STEP_S, DIGITS = 30, 6
# A clock may be half a minute off, and typing takes a while: the step before and the step after are taken, too.
STEPS_OFF = 1


def new_key() -> str:
    """Return a fresh key of 160 bits as apps take it, in base32."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def address_of(key: str, *, person: User, issuer: str) -> str:
    """Return the otpauth:// address that an app reads from a QR code."""
    label = quote(f"{issuer}:{person.get_username()}", safe="")
    return f"otpauth://totp/{label}?{urlencode({'secret': key, 'issuer': issuer}, quote_via=quote)}"


def qr_code(address: str) -> str:
    """Return `address` as a QR code, an SVG in a data: address, dark on white whatever the page's colours."""
    return segno.make(address, error="m").svg_data_uri(scale=4, light="white", dark="black")


def step_of(key: str, code: str, *, now: float | None = None) -> int | None:
    """Return the step whose code this is, or None. SHA-1 is what apps understand; HMAC does not mind its collisions."""
    digits = code.strip().replace(" ", "")
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdecimal()):
        return None
    hotp = HOTP(base64.b32decode(key), DIGITS, SHA1())  # noqa: S303  (RFC 6238)
    current = int(time.time() if now is None else now) // STEP_S
    steps = range(max(current - STEPS_OFF, 0), current + STEPS_OFF + 1)
    right = [step for step in steps if hmac.compare_digest(hotp.generate(step).decode(), digits)]
    return right[-1] if right else None


def add(person: User, *, key: str, code: str) -> Factor | None:
    """Keep the app of `person` if `code` shows that it has the key; None if it does not.

    It takes the place of the last.
    """
    step = step_of(key, code)
    if step is None:
        return None
    Factor.objects.filter(user=person, kind=Factor.Kind.TOTP).delete()
    return Factor.objects.create(user=person, kind=Factor.Kind.TOTP, secret=encrypt(key.encode()), counter=step)


def use(person: User, code: str) -> Factor | None:
    """Return the app of `person` if `code` is its code of now and was not used yet; a step goes forward only."""
    factor = Factor.objects.filter(user=person, kind=Factor.Kind.TOTP).first()
    step = step_of(decrypt(factor.secret).decode(), code) if factor else None
    if factor is None or step is None:
        return None
    unused = Factor.objects.filter(pk=factor.pk, counter__lt=step)
    return factor if unused.update(counter=step, used_at=timezone.now()) else None
