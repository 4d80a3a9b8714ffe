"""Moments that the database holds and Python does not (before year 1, after 9999), read as the nearest that it does.

One such row would otherwise fail every list and every batch that it is part of.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django.db import DataError
from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from django.db.backends.signals import connection_created
from psycopg import DataError as DriverDataError

# Two days inside of what `datetime` holds, so that no time zone leads out of it.
FIRST = dt.datetime(1, 1, 3, tzinfo=dt.UTC)
LAST = dt.datetime(9999, 12, 29, tzinfo=dt.UTC)
_BEFORE = re.compile(rb" BC$|^-infinity$")


def read_them_as_near_ones() -> None:
    """Have every connection read moments out of range as `FIRST` or `LAST`."""
    connection_created.connect(_register, dispatch_uid="core.far_dates")


def _register(connection: Any, **_: Any) -> None:
    if connection.vendor != "postgresql":
        return

    class Loader(BaseTzLoader):  # type: ignore[misc]  # Django is untyped there
        timezone = connection.timezone  # what Django compares to see whether the loader is its own

        def load(self, data: Any) -> dt.datetime:
            try:
                moment: dt.datetime = super().load(data)
            except (DriverDataError, DataError, OverflowError):
                moment = FIRST if _BEFORE.search(bytes(data)) else LAST
                return moment if self.timezone else moment.replace(tzinfo=None)
            if 1 < moment.year < 9999:
                return moment
            return _within(moment)

    connection.connection.adapters.register_loader("timestamptz", Loader)


def _within(moment: dt.datetime) -> dt.datetime:
    first, last = (FIRST, LAST) if moment.tzinfo else (FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None))
    return min(max(moment.replace(tzinfo=first.tzinfo), first), last)
