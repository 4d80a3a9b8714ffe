"""Customers' messages of a batch, written in a few statements; who wrote one is kept as a pseudonym alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from catalog.cleaning import clean_line
from catalog.feeds.base import FeedRow
from catalog.feeds.texts import MessageRecord
from catalog.import_loop import Written
from catalog.models import ImportRun
from core.bulk import copy_into_temp_table
from core.hashing import hash_texts
from core.pseudonyms import pseudonym

AUTHORS = "authors of messages"
_COLUMNS = {
    "external_id": "text",
    "sku": "text",
    "channel": "text",
    "locale": "text",
    "text": "text",
    "author": "text",
    "received_at": "timestamptz",
}
_OWN = ("channel", "locale", "text", "author", "received_at")
_OF_NEW, _OF_HELD = (", ".join(f"{table}.{name}" for name in _OWN) for table in ("n", "m"))
_PRODUCT = "(SELECT p.id FROM catalog_product p WHERE p.sku = n.sku AND n.sku <> '')"
_ALONE = f"SELECT count(*) FROM new_message n WHERE n.sku <> '' AND {_PRODUCT} IS NULL"  # noqa: S608
# All imports lock in one order.
_LOCK = """
SELECT m.id FROM catalog_customermessage m WHERE m.external_id = ANY (SELECT external_id FROM new_message)
ORDER BY m.external_id FOR NO KEY UPDATE"""
_LEAVE = f"""
DELETE FROM new_message n USING catalog_customermessage m WHERE m.external_id = n.external_id
AND ({_OF_HELD}, m.product_id) IS NOT DISTINCT FROM ({_OF_NEW}, {_PRODUCT})"""  # noqa: S608
_PUT = f"""
INSERT INTO catalog_customermessage (id, external_id, product_id, {", ".join(_OWN)}, created_at)
SELECT gen_random_uuid(), n.external_id, {_PRODUCT}, {_OF_NEW}, now() FROM new_message n ORDER BY n.external_id
ON CONFLICT (external_id) DO UPDATE SET product_id = excluded.product_id,
    {", ".join(f"{name} = excluded.{name}" for name in _OWN)}"""  # noqa: S608


def pseudonym_of(author: str) -> str:
    """Return what is kept of who wrote a message: 16 hex digits, the same for the same person; none for nobody.

    Of a name as it is written: what an import takes out of it, and how its letters are put together, tell nobody apart.
    """
    name = clean_line(author)
    return pseudonym(name, purpose=AUTHORS) if name else ""


def message_id_of(record: MessageRecord) -> str:
    """Return the shop's id of a message, or the SHA-256 of its content."""
    if record.external_id:
        return record.external_id
    author = pseudonym_of(record.author)
    return hash_texts({"message": [record.channel, author, record.sku, record.text, str(record.received_at)]})


def write_messages(rows: Sequence[FeedRow[MessageRecord]], run: ImportRun) -> Written:
    """Upsert messages by their id; what is unchanged stays untouched."""
    records = {message_id_of(row.record): row.record for row in rows if row.record}
    n_existing = n_unchanged = n_alone = 0
    with connection.cursor() as cursor:
        copy_into_temp_table(cursor, "new_message", _COLUMNS, map(_values, records.items()))
        if any(record.sku for record in records.values()):
            cursor.execute(_ALONE)
            (n_alone,) = cursor.fetchone()
        cursor.execute(_LOCK)
        if n_existing := cursor.rowcount:
            cursor.execute(_LEAVE)
            n_unchanged = cursor.rowcount
        cursor.execute(_PUT)
    counts = {"messages about a product that is not there": n_alone} if n_alone else {}
    return Written(len(records) - n_existing, n_existing - n_unchanged, n_unchanged, counts=counts)


def _values(item: tuple[str, MessageRecord]) -> tuple[Any, ...]:
    external_id, m = item
    return external_id, m.sku, m.channel, m.locale, m.text, pseudonym_of(m.author), m.received_at
