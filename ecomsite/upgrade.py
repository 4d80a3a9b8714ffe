"""Brings a database of commit 6c052e0 along, whose migrations are not in the code one by one any more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.utils import DatabaseError

from core.exceptions import PermanentError
from core.migrating import HOW

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

# What the single migrations since did, and the notes that they are done.
STATEMENTS = Path(__file__).parent / "from_6c052e0.sql"


def bring_along(connection: BaseDatabaseWrapper) -> None:
    """Do what the migrations since 6c052e0 did before they were squashed, in one transaction.

    Raises `PermanentError`, with nothing changed, for a database of any other commit.
    """
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(STATEMENTS.read_text(encoding="utf-8"))
    except DatabaseError as exc:
        raise PermanentError(f"The database is older than what was squashed: {exc}".strip(), hint=HOW) from exc
