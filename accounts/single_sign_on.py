"""Single sign-on by OpenID Connect: the authorization code flow with PKCE, state and nonce, and a signed ID token.

A person is bound to the provider's subject by a verified e-mail address once, and known by that subject ever after.
Accounts are made here, by administrators, and not by signing in.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare

from accounts import id_tokens
from accounts import provider as providers
from accounts.models import Identity
from accounts.provider import Provider
from accounts.sign_in import require_account
from audit import ledger
from core import http
from core.actors import SystemActor
from core.exceptions import PermanentError
from core.refs import ref

SSO = SystemActor("accounts.single_sign_on")
BACK = "/console/sign-in/sso/back/"


def is_on() -> bool:
    """Whether a provider is set (`OIDC_ISSUER`, `OIDC_CLIENT_ID`)."""
    return bool(settings.ACCOUNTS.oidc.issuer and settings.ACCOUNTS.oidc.client_id)


def name() -> str:
    """Return what people call it (`OIDC_NAME`)."""
    return str(settings.ACCOUNTS.oidc.name)


def is_enough() -> bool:
    """Whether the provider asks for a second factor itself (`OIDC_BRINGS_SECOND_FACTOR`)."""
    return bool(settings.ACCOUNTS.oidc.brings_second_factor)


def is_bound(person: User) -> bool:
    """Whether `person` signed in through the provider before."""
    return is_on() and Identity.objects.filter(user=person).exists()


def _back() -> str:
    return f"{settings.SITE_URL}{BACK}"


def begin(*, next_page: str) -> tuple[str, dict[str, str]]:
    """Return the provider's address to send a person to, and what to remember until they are back (a ticket's data).

    Raises `TransientError` or `PermanentError` when the provider cannot be asked for its addresses.
    """
    verifier = secrets.token_urlsafe(48)
    kept = {
        "state": secrets.token_urlsafe(24),
        "nonce": secrets.token_urlsafe(24),
        "verifier": verifier,
        "next": next_page,
    }
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": settings.ACCOUNTS.oidc.client_id,
        "redirect_uri": _back(),
        "scope": "openid email",
        "state": kept["state"],
        "nonce": kept["nonce"],
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    address = Provider.now().authorization_endpoint
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}", kept


def finish(kept: dict[str, str], answer: dict[str, str]) -> User:
    """Return who came back from the provider with `answer`, the query of the call back.

    Raises `PermanentError` for an answer that is not one to what was begun, for a token that is not theirs, and for
    people without an account here; `TransientError` when the provider is away.
    """
    if not constant_time_compare(answer.get("state", ""), kept["state"]):
        raise PermanentError("This answer belongs to another sign-in.", hint="Begin again.")
    provider = Provider.now()
    if "iss" in answer and answer["iss"] != provider.issuer:  # RFC 9207: another provider's answer
        raise PermanentError("This answer comes from another provider.", hint="Begin again.")
    if "code" not in answer:
        raise PermanentError("The provider did not let you in.", hint="Try again, or ask who runs it.")
    tokens = _exchange(provider, answer["code"], kept["verifier"])
    claims = id_tokens.verified(tokens.get("id_token"), provider=provider, nonce=kept["nonce"])
    if "email" not in claims:
        claims |= _more_about(provider, tokens, claims["sub"])
    return _person(provider.issuer, claims)


def _exchange(provider: Provider, code: str, verifier: str) -> dict[str, Any]:
    mine = settings.ACCOUNTS.oidc
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": _back(), "code_verifier": verifier}
    headers = {"Accept": "application/json"}
    if provider.takes_basic:
        pair = f"{quote(mine.client_id, safe='')}:{quote(mine.client_secret, safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form |= {"client_id": mine.client_id, "client_secret": mine.client_secret}
    try:
        with http.client(timeout_s=providers.TIMEOUT_S) as session:
            # Once: a code is void after the first try.
            found = http.request_json(
                session,
                "POST",
                provider.token_endpoint,
                form=form,
                headers=headers,
                timeout_s=providers.TIMEOUT_S,
                attempts=1,
                max_bytes=200_000,
            )
    except PermanentError as exc:
        raise PermanentError("The provider refused this sign-in.", hint="Begin again.") from exc
    return found if isinstance(found, dict) else {}


def _more_about(provider: Provider, tokens: dict[str, Any], subject: str) -> dict[str, Any]:
    """Ask for the address where the ID token has none, as some providers leave it out."""
    if not provider.userinfo_endpoint or not isinstance(tokens.get("access_token"), str):
        return {}
    with http.client(timeout_s=providers.TIMEOUT_S) as session:
        found = http.request_json(
            session,
            "GET",
            provider.userinfo_endpoint,
            timeout_s=providers.TIMEOUT_S,
            attempts=1,
            headers={"Authorization": f"Bearer {tokens['access_token']}"},
            max_bytes=200_000,
        )
    if not isinstance(found, dict) or found.get("sub") != subject:
        return {}
    return {name: found[name] for name in ("email", "email_verified") if name in found}


def _person(issuer: str, claims: dict[str, Any]) -> User:
    known = Identity.objects.select_related("user").filter(issuer=issuer, subject=claims["sub"]).first()
    person = known.user if known else _bind(issuer, claims)
    require_account(person)
    return person


def _is_same(one: str, other: str) -> bool:
    """Whether two addresses differ in ASCII letters' case at most: the database takes a dotless ı for an i as well."""
    return one == other or (one.isascii() and other.isascii() and one.lower() == other.lower())


def _bind(issuer: str, claims: dict[str, Any]) -> User:
    """Bind the subject to the one account with its verified address.

    Superusers are made, and sign in, by password alone.
    """
    address = claims.get("email")
    if not isinstance(address, str) or claims.get("email_verified") is not True or "\0" in address:
        raise PermanentError("The provider does not vouch for your e-mail address.", hint="Ask who runs it.")
    alike = User.objects.filter(email__iexact=address, is_active=True, is_superuser=False)
    found = [person for person in alike if _is_same(person.email, address)]
    if len(found) != 1:
        raise PermanentError(
            "There is no account here for your e-mail address.", hint="An administrator adds one, under People."
        )
    try:
        with transaction.atomic():
            Identity.objects.create(user=found[0], issuer=issuer, subject=claims["sub"])
            ledger.append("accounts.single_sign_on.bound", subject=ref(found[0]), actor=SSO)
    except IntegrityError as exc:
        raise PermanentError(
            "Your account here belongs to another sign-in of the provider.",
            hint="An administrator resets your sign-in, on your page under People.",
        ) from exc
    return found[0]
