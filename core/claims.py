"""The SQL of a claim: one statement picks rows, locks them, writes to them and returns them.

One round trip, and a transaction only if the caller has one. A queryset that is kept, as a drainer may keep its own, is
compiled once: for a single row that was half of the time.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from django.core.exceptions import EmptyResultSet
from django.db import connection, models

M = TypeVar("M", bound=models.Model)
# The token of a row whose holder let go of it in good order, and without a word about the outcome (RFC 9562: nil).
GIVEN_UP = uuid.UUID(int=0)
ALL = "SELECT pk, 1 AS place, 1 AS company FROM picked"
# Places in the order of the queryset, and in how large a company the most suspect row so far may be worked on.
IN_COMPANY = """
    SELECT pk, row_number() OVER so_far AS place, min((%s::int[])[n_attempts + n_losses + 1]) OVER so_far AS company
    FROM picked WINDOW so_far AS (ROWS UNBOUNDED PRECEDING)"""


class _Statement(NamedTuple):
    """A claim as SQL. Parameters: those of the queryset, how many, the company (if asked for), duration, values."""

    sql: str
    picking: tuple[Any, ...]
    written: list[Any]
    attributes: list[str]
    # Which columns come out of the database in another shape than the instance has, e.g. JSON.
    converters: list[tuple[int, Any, Any]]


_compiled: WeakKeyDictionary[models.QuerySet[Any], dict[tuple[Any, ...], _Statement]] = WeakKeyDictionary()


def claim(
    queryset: models.QuerySet[M],
    *,
    n: int,
    duration: dt.timedelta,
    updates: Mapping[str, Any],
    company: Sequence[int] = (),
    most: tuple[int, int] | None = None,
) -> list[M]:
    """Lease up to `n` rows of the ordered `queryset`, set `updates` on them, and return them in order.

    `company[k]` says how many rows may be claimed together with one that was tried or lost `k` times. `most`: a row
    with so many attempts, or so many losses, is not claimed at all. A row whose last holder was lost counts a loss for
    that and no attempt for this.
    """
    changes = {"lease_token": uuid.uuid4(), **updates}
    known = _compiled.setdefault(queryset, {})
    in_company = [list(company)] if company and n > 1 else []
    key = (most, bool(in_company), *changes)
    if key not in known:
        try:
            known[key] = _compile(queryset, most, bool(in_company), names=list(changes))
        except EmptyResultSet:
            return []
    statement = known[key]
    parameters: list[Any] = [*statement.picking, n, *in_company, duration]
    for field, value in zip(statement.written, changes.values(), strict=True):
        parameters.append(field.get_db_prep_save(getattr(value, "pk", value), connection))
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, parameters)
        found = sorted(cursor.fetchall(), key=itemgetter(0))
    return [_instance(queryset, statement, row) for _, *row in found]


def _compile(
    queryset: models.QuerySet[Any], most: tuple[int, int] | None, in_company: bool, *, names: list[str]
) -> _Statement:
    fresh = queryset if most is None else queryset.filter(n_attempts__lt=most[0], n_losses__lt=most[1])
    picked, picking = fresh.values("pk", "n_attempts", "n_losses").query.sql_with_params()
    meta, quote = queryset.model._meta, connection.ops.quote_name
    fields: dict[str, Any] = {field.name: field for field in meta.concrete_fields}
    table, pk = quote(meta.db_table), quote(str(meta.pk.column))
    lost = f"{table}.lease_token <> '{GIVEN_UP}'"  # whoever has a token still, and can be claimed, ran out
    # PostgreSQL never runs a WITH that locks twice; as a subquery of the UPDATE it could be, and lease more than `n`.
    # The names are our own, and quoted; all values are parameters.
    sql = f"""
        WITH picked AS ({picked} LIMIT %s FOR NO KEY UPDATE OF {table} SKIP LOCKED),
            placed AS ({IN_COMPANY if in_company else ALL})
        UPDATE {table} SET n_attempts = {table}.n_attempts + CASE WHEN {lost} THEN 0 ELSE 1 END,
            n_losses = {table}.n_losses + CASE WHEN {lost} THEN 1 ELSE 0 END,
            lease_expires_at = statement_timestamp() + %s,
            {", ".join(f"{quote(fields[name].column)} = %s" for name in names)}
        FROM placed WHERE {table}.{pk} = placed.pk AND place <= company
        RETURNING place, {", ".join(f"{table}.{quote(field.column)}" for field in fields.values())}"""  # noqa: S608
    return _Statement(
        sql=sql,
        picking=tuple(picking),
        written=[fields[name] for name in names],
        attributes=[field.attname for field in fields.values()],
        converters=[
            (i, convert, field.cached_col)
            for i, field in enumerate(fields.values())
            for convert in field.get_db_converters(connection)
        ],
    )


def _instance(queryset: models.QuerySet[M], statement: _Statement, row: list[Any]) -> M:
    for i, convert, column in statement.converters:
        row[i] = convert(row[i], column, connection)
    return queryset.model.from_db(queryset.db, statement.attributes, row)
