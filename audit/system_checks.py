"""`manage.py check` on the ledger: a warning, because the commands that look into it have to run all the same."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register
from django.db import DatabaseError, connection

from audit import checks


@register()
def ledger_is_all_there(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """W001: ledger, heads and second place are less than what was verified before, or differ.

    Compares ends, not lines.
    """
    if not settings.LEDGER.key and not settings.LEDGER.key_file.exists():
        return []  # nothing was ever signed here
    was_open = connection.connection is not None
    try:
        problem = checks.quick_problem()
    except DatabaseError:  # it is away, or has no tables yet: other checks say so
        return []
    finally:
        if not was_open:
            connection.close()  # a worker would hand it on to the processes that it forks
    if not problem:
        return []
    hint = "Repair nothing. The runbook, “The ledger check says…”, has what to do for each."
    return [Warning(f"The ledger does not hold: {problem}.", hint=hint, id="audit.W001")]
