"""Settings of sign-in: passwords, sessions, locks, second factors, single sign-on. Taken over by `settings`."""

from __future__ import annotations

import datetime as dt
from typing import Any

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

ACCOUNTS: dict[str, Any] = {
    # Wrong tries of one account from one address, and for how long sign-in is locked then.
    "TRIES": env.integer("SIGN_IN_TRIES", 5, minimum=1),
    "LOCK": dt.timedelta(minutes=env.integer("SIGN_IN_LOCK_MINUTES", 15, minimum=1)),
    # Proxies of ours that append the address they heard to X-Forwarded-For.
    "PROXIES": env.integer("CLIENT_ADDRESS_PROXIES", 0),
    # Whoever holds one of these roles has to have a second factor.
    "SECOND_FACTOR_ROLES": env.words("SECOND_FACTOR_ROLES"),
    "OIDC": {
        "ISSUER": env.text("OIDC_ISSUER").rstrip("/"),
        "CLIENT_ID": env.text("OIDC_CLIENT_ID"),
        "CLIENT_SECRET": env.text("OIDC_CLIENT_SECRET"),
        "NAME": env.text("OIDC_NAME", "single sign-on"),
        # The provider asks for a second factor itself: then we do not.
        "BRINGS_SECOND_FACTOR": env.boolean("OIDC_BRINGS_SECOND_FACTOR", default=False),
    },
}
