"""Thousands of rows or keys at once: rows by COPY into a temporary table, keys as one array."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models.expressions import RawSQL
from psycopg import sql


def in_array(keys: Iterable[object], type: str = "text") -> RawSQL:
    """Return `keys` for a lookup with `__in`, as one parameter:
    thousands of placeholders take longer than the query.
    """
    return RawSQL(f"SELECT unnest(%s::{type}[])", [list(keys)])  # noqa: S611  (the type is ours)


def copy_into(cursor: Any, table: str, columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Put `rows` of `columns` into `table`. Raises Django's errors of the database, as any statement does."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    with cursor.db.wrap_database_errors, cursor.copy(statement) as copy:
        write = copy.write_row
        for row in rows:
            write(row)


def copy_into_temp_table(cursor: Any, table: str, columns: Mapping[str, str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Put `rows` into the temporary table `table` of `columns` (name → type), gone with the transaction."""
    name = sql.Identifier(table)
    fields = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(c), sql.SQL(t)) for c, t in columns.items())
    cursor.execute(sql.SQL("DROP TABLE IF EXISTS pg_temp.{}").format(name))
    cursor.execute(sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP").format(name, fields))
    copy_into(cursor, table, columns, rows)
    # Without statistics the planner takes the table for tiny, and joins row by row.
    cursor.execute(sql.SQL("ANALYZE pg_temp.{}").format(name))
