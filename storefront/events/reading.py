"""Reading on in the events: each reader takes each event exactly once, whatever is killed, however late it commits."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import QuerySet

from storefront.models.cursors import Cursor
from storefront.models.events import Event

LIMIT = 5_000
# Who is writing events now holds this lock until they commit, from before their first number is drawn; our own
# transaction sees what it wrote itself.
_WRITERS = """
SELECT clock_timestamp(), count(*), min(coalesce(activity.xact_start, 'epoch'))
FROM pg_locks AS held LEFT JOIN pg_stat_activity AS activity ON activity.pid = held.pid
WHERE held.locktype = 'relation' AND held.relation = 'storefront_event'::regclass
  AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND held.mode = 'RowExclusiveLock' AND held.pid <> pg_backend_pid()
"""
_HIGHEST = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM storefront_event_sequence"
_LAST = """
SELECT count(*), max(sequence) FROM (
    SELECT sequence FROM storefront_event WHERE sequence > %s AND sequence <= %s ORDER BY sequence LIMIT %s
) AS unread
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """The events whose sequence is above `after` and up to `until`."""

    after: int
    until: int
    n: int
    is_last: bool

    @property
    def events(self) -> QuerySet[Event]:
        """The events themselves, in the order of their sequence."""
        return Event.objects.filter(sequence__gt=self.after, sequence__lte=self.until).order_by("sequence")


def read_on(name: str, limit: int = LIMIT) -> Batch:
    """Return what the reader `name` has not seen, `limit` events at most, and set its cursor behind them.

    Call it inside the transaction in which you write what you make of them: both are kept or neither. Two readers of
    one name take turns. What may still be written below a number is waited for: numbers are drawn before they are
    committed, so a cursor behind the highest that can be seen would jump over the others. Raises
    `TransactionManagementError` outside of a transaction.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("events are read in the transaction of what is made of them")
    Cursor.objects.get_or_create(name=name)
    cursor = Cursor.objects.select_for_update(no_key=True).get(name=name)
    settled = _settled(cursor)
    with connection.cursor() as sql:
        # A statement of its own: what it sees has to begin after it was known that nobody writes any more.
        sql.execute(_LAST, [cursor.sequence, settled, limit])
        n, last = sql.fetchone()
    is_last = n < limit
    batch = Batch(cursor.sequence, max(cursor.sequence, settled) if is_last else last, n, is_last)
    cursor.sequence = batch.until
    cursor.save(update_fields=("sequence", "ahead", "ahead_at"))
    return batch


def forget(name: str) -> None:
    """Have the reader `name` begin again with the first event: what it derives is made anew."""
    Cursor.objects.filter(name=name).delete()


def _settled(cursor: Cursor) -> int:
    """Return the number up to which nothing can come any more; remember in `cursor` where the sequence stands now."""
    with connection.cursor() as sql:
        # In this order: who draws a number after the first is seen by the second, or began after its time.
        sql.execute(_HIGHEST)
        highest = int(sql.fetchone()[0])
        sql.execute(_WRITERS)
        now, n_writers, oldest = sql.fetchone()
    if n_writers == 0:
        cursor.ahead, cursor.ahead_at = highest, now
        return highest
    # Somebody always writes in a busy shop. Who began after we last looked got numbers above what we saw then.
    began: dt.datetime = oldest
    before, seen_at = cursor.ahead, cursor.ahead_at
    if seen_at is None or began > seen_at:
        cursor.ahead, cursor.ahead_at = highest, now
    return before if seen_at is not None and began > seen_at else cursor.sequence
