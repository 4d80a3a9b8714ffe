"""Passkeys (WebAuthn): a key in a person's device that signs a challenge of ours, for our address alone.

One with user verification is two factors in one: the device, and the finger, face or PIN that opens it. So it signs in
by itself, and it is asked for instead of a code after a password. What a browser sends is parsed and verified by
Yubico's fido2.
"""

from __future__ import annotations

import base64
import ipaddress
import json
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from accounts import factors
from accounts.models import Factor
from accounts.secrets_at_rest import keyed_hash
from accounts.tickets import Ticket
from core.exceptions import PermanentError

LONGEST_ANSWER = 20_000
REFUSED = "This passkey was not accepted."


def can_be_used(request: HttpRequest) -> bool:
    """Whether browsers offer passkeys at this address: not at a bare IP address, and without TLS at localhost alone."""
    host = _host(request)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or request.is_secure()
    return False


def _host(request: HttpRequest) -> str:
    return urlsplit(f"//{request.get_host()}").hostname or ""


def _server(request: HttpRequest) -> Fido2Server:
    """For the very origin that was asked: fido2 alone would also take another port, or a subdomain."""
    ours = {f"{request.scheme}://{request.get_host()}", settings.SITE_URL}
    rp = PublicKeyCredentialRpEntity(id=_host(request), name="ecomsite")
    return Fido2Server(rp, verify_origin=lambda origin: origin in ours)


def _handle(person: User) -> bytes:
    """What a device keeps to know the account by: nothing that says who it is."""
    return bytes.fromhex(keyed_hash(f"passkey handle of {person.pk}"))


def _credential(factor: Factor) -> AttestedCredentialData:
    return AttestedCredentialData(base64.b64decode(factor.secret))


def _of(person: User) -> list[Factor]:
    return list(Factor.objects.filter(user=person, kind=Factor.Kind.PASSKEY))


def begin_adding(request: HttpRequest, person: User) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the browser is asked to make, and what to remember until it answers (a ticket's data)."""
    options, state = _server(request).register_begin(
        PublicKeyCredentialUserEntity(
            id=_handle(person), name=person.get_username(), display_name=person.get_full_name() or person.get_username()
        ),
        [_credential(factor) for factor in _of(person)],
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return dict(options), _plain(state)


def _plain(state: Any) -> dict[str, Any]:
    return {"challenge": state["challenge"], "user_verification": "required"}


def add(request: HttpRequest, person: User, *, ticket: Ticket, answer: str, name: str) -> list[str]:
    """Keep the passkey that the browser made for `ticket`. Returns recovery codes, if it is the first second factor.

    Raises `PermanentError` for anything but an answer to what was asked.
    """
    try:
        made = _server(request).register_complete(ticket.data, _parsed(answer))
        credential = made.credential_data
        assert credential is not None  # noqa: S101  (fido2 says so)
    except Exception as exc:  # a stranger's bytes go through a parser that is not ours: whatever it raises is a refusal
        raise PermanentError(REFUSED, hint="Try again, or use another device.") from exc
    fields = {
        "name": name.replace("\0", "").strip()[:60] or "Passkey",
        "credential_id": credential.credential_id,
        "secret": base64.b64encode(bytes(credential)).decode(),
        "counter": made.counter,
    }
    try:
        with transaction.atomic():
            ticket.use()
            return factors.add_passkey(person, **fields)
    except IntegrityError as exc:
        raise PermanentError("This passkey is registered already.") from exc


def begin_using(request: HttpRequest, person: User | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the browser is asked to sign, and what to remember.

    Without `person` it says itself whose passkey it is.
    """
    known = [_credential(factor) for factor in _of(person)] if person else None
    options, state = _server(request).authenticate_begin(known, UserVerificationRequirement.REQUIRED)
    return dict(options), _plain(state)


def use(request: HttpRequest, *, state: dict[str, Any], answer: str, person: User | None = None) -> Factor:
    """Return the passkey that signed `state`, of `person` if given. Raises `PermanentError` for anything else.

    A counter that does not go up says that the key is in two places: then it is refused. Those that sync stay at zero.
    """
    try:
        signed = AuthenticationResponse.from_dict(_parsed(answer))
        factor = Factor.objects.select_related("user").get(
            kind=Factor.Kind.PASSKEY, credential_id=bytes(signed.raw_id), **({"user": person} if person else {})
        )
        _server(request).authenticate_complete(state, [_credential(factor)], signed)
        handle, counter = signed.response.user_handle, signed.response.authenticator_data.counter
        if handle and bytes(handle) != _handle(factor.user):
            raise ValueError("another account's handle")
    except Exception as exc:  # as above
        raise PermanentError(REFUSED, hint="Try again, or sign in another way.") from exc
    fresh = Factor.objects.filter(pk=factor.pk)
    if counter or factor.counter:
        fresh = fresh.filter(counter__lt=counter)
    if not fresh.update(counter=counter, used_at=timezone.now()):
        raise PermanentError(REFUSED, hint="It may have been copied: remove it, and make a new one.")
    return factor


def _parsed(answer: str) -> dict[str, Any]:
    if len(answer) > LONGEST_ANSWER:
        raise ValueError("too long")
    found = json.loads(answer)
    if not isinstance(found, dict):
        raise TypeError("no object")
    return found
