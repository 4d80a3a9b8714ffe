"""Settings of sign-in: passwords, sessions, locks, second factors, single sign-on. Taken over by `settings`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from ecomsite import env

LOGIN_URL = "admin:login"
AUTHENTICATION_BACKENDS = ["accounts.backends.ThrottledPasswords"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_NAME = "ecomsite_session"
SESSION_COOKIE_AGE = int(dt.timedelta(hours=12).total_seconds())


@dataclass(frozen=True)
class SingleSignOn:
    """The provider of single sign-on (OpenID Connect); without an issuer there is none."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str
    # The provider asks for a second factor itself: then we do not.
    brings_second_factor: bool


@dataclass(frozen=True)
class Accounts:
    """How people sign in (accounts/)."""

    # Wrong tries of one account from one address, and for how long sign-in is locked then.
    tries: int
    lock: dt.timedelta
    # Proxies of ours that append the address they heard to X-Forwarded-For.
    proxies: int
    # Whoever holds one of these roles has to have a second factor.
    second_factor_roles: Sequence[str]
    oidc: SingleSignOn


ACCOUNTS = Accounts(
    tries=env.integer("SIGN_IN_TRIES", 5, minimum=1),
    lock=dt.timedelta(minutes=env.integer("SIGN_IN_LOCK_MINUTES", 15, minimum=1)),
    proxies=env.integer("CLIENT_ADDRESS_PROXIES", 0),
    second_factor_roles=env.words("SECOND_FACTOR_ROLES"),
    oidc=SingleSignOn(
        issuer=env.text("OIDC_ISSUER").rstrip("/"),
        client_id=env.text("OIDC_CLIENT_ID"),
        client_secret=env.text("OIDC_CLIENT_SECRET"),
        name=env.text("OIDC_NAME", "single sign-on"),
        brings_second_factor=env.boolean("OIDC_BRINGS_SECOND_FACTOR", default=False),
    ),
)
