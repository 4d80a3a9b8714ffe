"""The SQL of a claim: one statement picks rows, locks them, writes to them and returns them.

One round trip, and a transaction only if the caller has one. A queryset that is kept, as a drainer may keep its own, is
compiled once: for a single row that was half of the time.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from django.core.exceptions import EmptyResultSet
from django.db import connection, models

M = TypeVar("M", bound=models.Model)
Sql = tuple[str, tuple[Any, ...]]
_compiled: WeakKeyDictionary[models.QuerySet[Any], dict[int | None, Sql]] = WeakKeyDictionary()
ALL = "SELECT pk, 1 AS place, 1 AS company FROM picked"
# Places in the order of the queryset, and in how large a company the most suspect row so far may be worked on.
IN_COMPANY = """
    SELECT pk, row_number() OVER so_far AS place, min((%s::int[])[n_attempts + 1]) OVER so_far AS company
    FROM picked WINDOW so_far AS (ROWS UNBOUNDED PRECEDING)"""


class _Table(NamedTuple):
    """How the table of a model is written in SQL, and how its rows become instances."""

    name: str
    pk: str
    columns: str
    attributes: list[str]
    # Which columns come out of the database in another shape than the instance has, e.g. JSON.
    converters: list[tuple[int, Any, Any]]


def claim(
    queryset: models.QuerySet[M], *, n: int, duration: dt.timedelta, updates: Mapping[str, Any],
    company: Sequence[int] | None = None,
) -> list[M]:  # fmt: skip
    """Lease up to `n` rows of the ordered `queryset`, set `updates` on them, and return them in order.

    `company[k]` says how many rows may be claimed together with one that was tried `k` times; a row that was tried more
    often is not claimed at all. None: nobody asks how often.
    """
    model = queryset.model
    try:
        table, (picked, parameters) = _table(model), _compile(queryset, most=None if company is None else len(company))
    except EmptyResultSet:
        return []
    placed, parameters = ALL, (*parameters, n)
    if n > 1 and company is not None:
        placed, parameters = IN_COMPANY, (*parameters, list(company))
    fields: dict[str, Any] = {field.name: field for field in model._meta.concrete_fields}
    changes = {fields[name]: value for name, value in {"lease_token": uuid.uuid4(), **updates}.items()}
    sets = "".join(f", {connection.ops.quote_name(field.column)} = %s" for field in changes)
    values: list[Any] = [
        field.get_db_prep_save(getattr(value, "pk", value), connection) for field, value in changes.items()
    ]
    # PostgreSQL never runs a WITH that locks twice; as a subquery of the UPDATE it could be, and lease more than `n`.
    # The names are our own, and quoted; all values are parameters.
    statement = f"""
        WITH picked AS ({picked} LIMIT %s FOR UPDATE OF {table.name} SKIP LOCKED), placed AS ({placed})
        UPDATE {table.name}
        SET n_attempts = {table.name}.n_attempts + 1, lease_expires_at = statement_timestamp() + %s{sets}
        FROM placed WHERE {table.pk} = placed.pk AND place <= company
        RETURNING place, {table.columns}"""  # noqa: S608
    bindings: list[Any] = [*parameters, duration, *values]
    with connection.cursor() as cursor:
        cursor.execute(statement, bindings)
        found = sorted(cursor.fetchall(), key=itemgetter(0))
    return [_instance(queryset, table, row) for _, *row in found]


@cache
def _table(model: type[models.Model]) -> _Table:
    fields: Sequence[Any] = model._meta.concrete_fields
    quote = connection.ops.quote_name
    name = quote(model._meta.db_table)
    return _Table(
        name=name,
        pk=f"{name}.{quote(str(model._meta.pk.column))}",
        columns=", ".join(f"{name}.{quote(field.column)}" for field in fields),
        attributes=[field.attname for field in fields],
        converters=[
            (i, convert, field.cached_col)
            for i, field in enumerate(fields)
            for convert in field.get_db_converters(connection)
        ],
    )


def _compile(queryset: models.QuerySet[Any], *, most: int | None) -> Sql:
    known = _compiled.setdefault(queryset, {})
    if most not in known:
        fresh = queryset if most is None else queryset.filter(n_attempts__lt=most)
        known[most] = fresh.values("pk", "n_attempts").query.sql_with_params()
    return known[most]


def _instance(queryset: models.QuerySet[M], table: _Table, row: list[Any]) -> M:
    for i, convert, column in table.converters:
        row[i] = convert(row[i], column, connection)
    return queryset.model.from_db(queryset.db, table.attributes, row)
