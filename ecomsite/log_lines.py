"""Settings of logging: to stderr, one line each; the supervisor of the local stack writes it to var/log."""

from __future__ import annotations

import sys
from typing import Any

from ecomsite import env

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "stream": sys.stderr}},
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "fido2": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        # It would say each time that somebody sent what is no HTTP.
        "uvicorn": {"level": "ERROR"},
    },
}
