"""Look of the console (settings.UNFOLD). Imported by the settings: no models here."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

from ecomsite.console.navigation import navigation, tabs_at


def environment(request: HttpRequest) -> tuple[str, str]:
    """Say whose data one is looking at: this machine's, or that of a named host."""
    from django.conf import settings

    host = urlsplit(settings.SITE_URL).hostname or ""
    if settings.DEBUG:
        return "debug", "danger"
    if host in {"127.0.0.1", "localhost", "::1"}:
        return "this machine", "info"
    return host, "warning"


TEAL = {
    "50": "oklch(98.4% .014 180.72)",
    "100": "oklch(95.3% .051 180.801)",
    "200": "oklch(91% .096 180.426)",
    "300": "oklch(85.5% .138 181.071)",
    "400": "oklch(77.7% .152 181.912)",
    "500": "oklch(70.4% .14 182.503)",
    "600": "oklch(54% .105 184.704)",
    "700": "oklch(48% .09 186.391)",
    "800": "oklch(43.7% .078 188.216)",
    "900": "oklch(38.6% .063 188.416)",
    "950": "oklch(27.7% .046 192.524)",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "ecomsite",
    "SITE_HEADER": "ecomsite",
    "SITE_SUBHEADER": "copy desk",
    "SITE_SYMBOL": "fact_check",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("ecomsite/icon.svg")},
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "ecomsite.console.theme.environment",
    "DASHBOARD_CALLBACK": "ecomsite.console.dashboard.dashboard_callback",
    "STYLES": [lambda request: static("ecomsite/console.css")],
    "SCRIPTS": [lambda request: static("ecomsite/console.js")],
    "COLORS": {"primary": TEAL},
    "BORDER_RADIUS": "8px",
    "LOGIN": {"image": lambda request: static("ecomsite/login.svg")},
    "ACCOUNT": {
        "navigation": [
            {"title": "My sign-in", "link": reverse_lazy("console:my_sign_in")},
            {"title": "Change password", "link": reverse_lazy("admin:password_change")},
        ],
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": lambda request: navigation(),
    },
    "TABS": lambda request: tabs_at(request.path),
}
