"""Settings of work in the background: for how long a worker holds it, and how often it is tried (core/leases.py)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from ecomsite import env


@dataclass(frozen=True)
class Leases:
    """Leases on work."""

    # What a worker holds while it works; it renews that while it lives, for `longest_work` at most.
    work: dt.timedelta
    longest_work: dt.timedelta
    # After so many failures an item goes into quarantine until a person readmits it.
    max_attempts: int
    # A worker that is lost costs no attempt; an item that so many in a row were lost with is what they died of.
    max_losses: int


LEASES = Leases(
    work=dt.timedelta(seconds=env.integer("WORK_LEASE_S", 60, minimum=3)),
    longest_work=dt.timedelta(minutes=30),
    max_attempts=env.integer("MAX_ATTEMPTS", 5, minimum=1),
    max_losses=10,
)
