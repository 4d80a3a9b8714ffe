"""The good rows of a batch, written in a few statements: by COPY into a table of their own, and from there by key."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone

from catalog.feeds.base import FactRecord, FeedRow, ProductRecord, ReviewRecord
from catalog.import_loop import Written
from catalog.models import ImportRun
from core.bulk import copy_into, copy_into_temp_table
from core.hashing import hash_texts

_PRODUCT = {
    "sku": "text",
    "title": "text",
    "localized_titles": "jsonb",
    "locale": "text",
    "brand": "text",
    "category": "text",
    "description": "text",
    "price": "numeric",
    "currency": "text",
    "image_url": "text",
    "facts_hash": "text",
}
_FACT = ("product_id", "locale", "name", "kind", "value", "number", "unit", "position")
_REVIEW = {
    "external_id": "text",
    "sku": "text",
    "locale": "text",
    "title": "text",
    "text": "text",
    "rating": "numeric",
    "written_at": "timestamptz",
}


def _listed(names: Iterable[str], prefix: str = "") -> str:
    return ", ".join(f"{prefix}{name}" for name in names)


def _set(names: Iterable[str]) -> str:
    return ", ".join(f"{name} = excluded.{name}" for name in names)


_OWN = [name for name in _PRODUCT if name != "sku"]
# All imports lock in one order.
_LOCK_PRODUCTS = """
SELECT p.id FROM catalog_product p WHERE p.sku = ANY (SELECT sku FROM new_product)
ORDER BY p.sku FOR NO KEY UPDATE"""
_LEAVE_PRODUCTS = f"""
DELETE FROM new_product n USING catalog_product p
WHERE p.sku = n.sku AND ({_listed(_OWN, "p.")}) IS NOT DISTINCT FROM ({_listed(_OWN, "n.")})"""  # noqa: S608
_SAME_FACTS = "SELECT p.sku, p.facts_hash = n.facts_hash FROM catalog_product p JOIN new_product n USING (sku)"
_PUT_PRODUCTS = f"""
INSERT INTO catalog_product ({_listed(_PRODUCT)}, source, created_at, updated_at)
SELECT {_listed(_PRODUCT)}, %(source)s, %(now)s, %(now)s FROM new_product ORDER BY sku
ON CONFLICT (sku) DO UPDATE SET {_set([*_OWN, "source", "updated_at"])} RETURNING id, sku"""  # noqa: S608

_REVIEW_OWN = ("locale", "title", "text", "rating", "written_at")
_PRODUCT_OF_REVIEW = "(SELECT p.id FROM catalog_product p WHERE p.sku = n.sku AND n.sku <> '')"
_LOCK_REVIEWS = """
SELECT r.id FROM catalog_customerreview r WHERE r.external_id = ANY (SELECT external_id FROM new_review)
ORDER BY r.external_id FOR NO KEY UPDATE"""
_LEAVE_REVIEWS = f"""
DELETE FROM new_review n USING catalog_customerreview r
WHERE r.external_id = n.external_id AND ({_listed(_REVIEW_OWN, "r.")}, r.product_id)
    IS NOT DISTINCT FROM ({_listed(_REVIEW_OWN, "n.")}, {_PRODUCT_OF_REVIEW})"""  # noqa: S608
_ALONE = f"SELECT count(*) FROM new_review n WHERE n.sku <> '' AND {_PRODUCT_OF_REVIEW} IS NULL"  # noqa: S608
# What was decided about the words before may not hold for these (moderation/decisions/asking_again.py).
_NOTE_EDIT = """edited_at = CASE WHEN (r.title, r.text) IS DISTINCT FROM (excluded.title, excluded.text) THEN now()
    ELSE r.edited_at END"""
_PUT_REVIEWS = f"""
INSERT INTO catalog_customerreview AS r
    (id, external_id, product_id, {_listed(_REVIEW_OWN)}, created_at)
SELECT gen_random_uuid(), n.external_id, {_PRODUCT_OF_REVIEW}, {_listed(_REVIEW_OWN, "n.")}, now()
FROM new_review n ORDER BY n.external_id ON CONFLICT (external_id)"""  # noqa: S608


def facts_hash_of(record: ProductRecord) -> str:
    """Return the SHA-256 of everything copy may claim: titles, brand, category and facts, in canonical order."""
    return hash_texts(
        {
            "title": record.title,
            "locale": record.locale,
            "localized_titles": dict(record.localized_titles),
            "brand": record.brand,
            "category": record.category,
            "facts": sorted(map(_fact_values, record.facts)),
        }
    )


def external_id_of(record: ReviewRecord) -> str:
    """Return the shop's id of a review, or the SHA-256 of its content."""
    if record.external_id:
        return record.external_id
    content = [record.sku, record.title, record.text, str(record.rating), str(record.written_at)]
    return hash_texts({"review": content})


def _fact_values(fact: FactRecord) -> list[str]:
    # The column pads numbers to six places, a feed does not: 1.2 and 1.200000 are one fact.
    number = "" if fact.number is None else f"{fact.number.normalize():f}"
    return [fact.locale, fact.name, fact.kind, fact.value, number, fact.unit]


def write_products(rows: Sequence[FeedRow[ProductRecord]], run: ImportRun) -> Written:
    """Upsert products by sku, and replace the facts of those whose facts changed; what is unchanged stays untouched."""
    records = {row.record.sku: row.record for row in rows if row.record}
    n_existing, n_unchanged, has_same_facts = 0, 0, dict[str, bool]()
    with connection.cursor() as cursor:
        copy_into_temp_table(cursor, "new_product", _PRODUCT, map(_product_values, records.values()))
        cursor.execute(_LOCK_PRODUCTS)
        if n_existing := cursor.rowcount:
            cursor.execute(_LEAVE_PRODUCTS)
            n_unchanged = cursor.rowcount
            cursor.execute(_SAME_FACTS)
            has_same_facts = dict(cursor.fetchall())
        cursor.execute(_PUT_PRODUCTS, {"source": run.file_name[:200], "now": timezone.now()})
        written = cursor.fetchall()
        changed = [(pk, sku) for pk, sku in written if not has_same_facts.get(sku)]
        if had_facts := [pk for pk, sku in changed if sku in has_same_facts]:
            cursor.execute("DELETE FROM catalog_productfact WHERE product_id = ANY (%s)", [had_facts])
        copy_into(cursor, "catalog_productfact", _FACT, _facts_of(changed, records))
    return Written(len(records) - n_existing, n_existing - n_unchanged, n_unchanged)


def _product_values(record: ProductRecord) -> tuple[Any, ...]:
    titles = json.dumps(dict(record.localized_titles), ensure_ascii=False) if record.localized_titles else "{}"
    return (
        record.sku,
        record.title,
        titles,
        record.locale,
        record.brand,
        record.category,
        record.description,
        record.price,
        record.currency,
        record.image_url,
        facts_hash_of(record),
    )


def _facts_of(
    products: Iterable[tuple[int, str]], records: Mapping[str, ProductRecord]
) -> Iterable[tuple[int, str, str, str, str, Decimal | None, str, int]]:
    for pk, sku in products:
        for position, fact in enumerate(records[sku].facts):
            yield pk, fact.locale, fact.name, fact.kind, fact.value, fact.number, fact.unit, position


def write_reviews(rows: Sequence[FeedRow[ReviewRecord]], run: ImportRun) -> Written:
    """Upsert reviews by their id; what is unchanged stays untouched."""
    records = {external_id_of(row.record): row.record for row in rows if row.record}
    n_existing = n_unchanged = n_alone = 0
    with connection.cursor() as cursor:
        copy_into_temp_table(cursor, "new_review", _REVIEW, map(_review_values, records.items()))
        if any(record.sku for record in records.values()):
            cursor.execute(_ALONE)
            (n_alone,) = cursor.fetchone()
        cursor.execute(_LOCK_REVIEWS)
        if n_existing := cursor.rowcount:
            cursor.execute(_LEAVE_REVIEWS)
            n_unchanged = cursor.rowcount
        cursor.execute(f"{_PUT_REVIEWS} DO UPDATE SET {_set([*_REVIEW_OWN, 'product_id'])}, {_NOTE_EDIT}")
    counts = {"reviews of a product that is not there": n_alone} if n_alone else {}
    return Written(len(records) - n_existing, n_existing - n_unchanged, n_unchanged, counts=counts)


def add_reviews(records: Mapping[str, ReviewRecord]) -> int:
    """Store the reviews of `records`, by external id, that are not there yet; others stay as they are.

    Returns how many.

    For imports of something else that is about reviews. Call in a transaction; whoever calls has checked the
    permission.
    """
    with connection.cursor() as cursor:
        copy_into_temp_table(cursor, "new_review", _REVIEW, map(_review_values, records.items()))
        cursor.execute(f"{_PUT_REVIEWS} DO NOTHING")
        return int(cursor.rowcount)


def _review_values(item: tuple[str, ReviewRecord]) -> tuple[Any, ...]:
    external_id, r = item
    return external_id, r.sku, r.locale, r.title, r.text, r.rating, r.written_at
