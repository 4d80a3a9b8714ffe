"""How a database is emptied after a test that committed: one TRUNCATE, and back come the rows that migrations leave.

Django's `flush` has them made anew by `post_migrate`: half a second of processor time for each of hundreds of tests.
"""

from __future__ import annotations

from django.db import connection, transaction
from django.test import TransactionTestCase


class Emptying:
    """The rows of a database that was migrated and nothing else, and a way back to them."""

    def __init__(self) -> None:
        """Read them from the database of this process, which no test has written to yet."""
        with connection.cursor() as cursor:
            names = connection.introspection.django_table_names(only_existing=True, include_views=False)
            quoted = sorted(map(connection.ops.quote_name, names))
            # Partitioned tables are made by SQL, and migrations leave nothing in them.
            cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'p' AND relnamespace = 'public'::regnamespace")
            by_sql = [name for (name,) in cursor.fetchall()]
            self._tables = quoted + sorted(map(connection.ops.quote_name, by_sql))
            self._rows: dict[str, bytes] = {}
            for table in quoted:
                with cursor.copy(f"COPY {table} TO STDOUT") as out:
                    if rows := b"".join(out):
                        self._rows[table] = rows

    def empty(self) -> None:
        """Remove all other rows. Foreign keys are looked at on commit: in which order tables come is all the same."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(self._tables)}")
            for table, rows in self._rows.items():
                with cursor.copy(f"COPY {table} FROM STDIN") as into:
                    into.write(rows)

    def take_over(self) -> None:
        """Have Django's transactional tests end so."""
        TransactionTestCase._fixture_teardown = lambda _: self.empty()  # type: ignore[attr-defined]
