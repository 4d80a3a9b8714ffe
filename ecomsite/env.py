"""Typed readers of the environment that fail loudly on nonsense.

A name is looked up in the process environment first, then in `var/stack.env`, which the local stack writes when it
starts (mode 0600): so any `manage.py` command finds the embedded servers without being told.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import re
from collections.abc import Collection
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("ECOMSITE_VAR", BASE_DIR / "var")).resolve()
OWNER_FILE = "owner.env"
UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def read_env_file(path: Path) -> dict[str, str]:
    """Return the `NAME=value` lines of a file (no quoting, no expansion); empty when there is no such file."""
    if not path.is_file():
        return {}
    lines = (line.strip() for line in path.read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#") and "=" in line)


_stack = read_env_file(VAR_DIR / "stack.env")


def given(name: str) -> str:
    """Return what the process environment itself says about `name` (or the file named by `<name>_FILE`), else ""."""
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text().strip()
        except OSError as exc:
            raise ImproperlyConfigured(f"{name}_FILE: {exc}") from exc
    return os.environ.get(name, "").strip()


def owner_database_url() -> str:
    """Return the URL of the role that owns the tables; "" where web and workers connect as it too.

    From the environment, or of the embedded PostgreSQL from `var/owner.env`: a file of its own, which `migrate` alone
    reads.
    """
    is_embedded = not given("DATABASE_URL")
    held = read_env_file(VAR_DIR / OWNER_FILE) if is_embedded else {}
    return given("DATABASE_OWNER_URL") or held.get("DATABASE_OWNER_URL", "")


def text(name: str, default: str = "") -> str:
    """Return the value of `name` from the environment, from the running stack, or `default`. Empty counts as unset."""
    return given(name) or _stack.get(name, "").strip() or default.strip()


def integer(name: str, default: int, *, minimum: int = 0) -> int:
    """Return `name` as a whole number ≥ `minimum`. Raises `ImproperlyConfigured` otherwise."""
    raw = text(name, str(default))
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}") from None
    if value < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum}, not {value}")
    return value


def boolean(name: str, *, default: bool) -> bool:
    """Return `name` as a truth value (1/0, true/false, yes/no, on/off). Raises `ImproperlyConfigured` otherwise."""
    raw = text(name, "1" if default else "0").lower()
    if raw in TRUE:
        return True
    if raw in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be 1 or 0, not {raw!r}")


def one_of(name: str, default: str, *, known: Collection[str]) -> str:
    """Return `name` as one of the words `known`. Raises `ImproperlyConfigured` otherwise."""
    raw = text(name, default).lower()
    if raw not in known:
        raise ImproperlyConfigured(f"{name} must be {' or '.join(known)}, not {raw!r}")
    return raw


def durations(name: str, default: str) -> tuple[dt.timedelta, ...]:
    """Return the comma-separated lengths of time of `name` (`5s`, `5m`, `2h`, `1d`).

    Raises `ImproperlyConfigured` otherwise.
    """
    parts = words(name, default)
    if not parts or not all(re.fullmatch(r"\d{1,6}[smhd]", part) for part in parts):
        raise ImproperlyConfigured(f"{name} must be lengths of time such as 5s,5m,2h, not {text(name, default)!r}")
    return tuple(dt.timedelta(seconds=int(part[:-1]) * UNIT_SECONDS[part[-1]]) for part in parts)


def numbers(name: str, *, minimum: float = 0, maximum: float = 1e6) -> dict[str, float]:
    """Return the numbers of `name` by what they are of (`negative=5,neutral=0.5`).

    Raises `ImproperlyConfigured` otherwise.
    """
    found = {}
    for part in words(name):
        of, is_there, raw = part.partition("=")
        try:
            value = float(raw)
        except ValueError:
            value = math.nan
        if not of.strip() or not is_there or not minimum <= value <= maximum:
            known = f"numbers from {minimum:g} to {maximum:g} by name, such as negative=5,neutral=1"
            raise ImproperlyConfigured(f"{name} must be {known}, not {part!r}")
        found[of.strip()] = value
    return found


def words(name: str, default: str = "") -> list[str]:
    """Return the comma-separated parts of `name`, stripped, without empty ones."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]
