"""Bring products and customer reviews in: in batches, by key, resumable, every bad row named, no good one lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import connection

from catalog.feeds.base import FactRecord, FeedRow, ProductRecord, R, ReviewRecord
from catalog.feeds.detection import MAPPED_FORMATS, detect_format, products_of, reviews_of
from catalog.feeds.mapping import load_mapping
from catalog.import_loop import Job, OnProgress, Written, run_import
from catalog.models import CustomerReview, ImportRun, Product, ProductFact
from core.actors import require_permission
from core.bulk import stage
from core.exceptions import PermanentError
from core.hashing import hash_file, hash_json
from core.source import Source

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from core.actors import SystemActor

PLAIN_FIELDS = (
    "title", "localized_titles", "locale", "brand", "category", "description", "price", "currency", "image_url",
)  # fmt: skip
REVIEW_FIELDS = ("locale", "title", "text", "rating", "written_at")


def import_products(
    path: Path,
    *,
    feed_format: str | None = None,
    mapping: Path | None = None,
    actor: User | SystemActor,
    resume: bool = True,
    on_progress: OnProgress | None = None,
) -> ImportRun:
    """Import a product feed and return its run. Needs the permission catalog.add_product.

    Upserts by sku; unchanged products stay untouched. Of one sku twice in a file the first row counts. A run of the
    same file that was interrupted goes on where it stopped, unless `resume` is off. `on_progress` gets the run and the
    share of the file read after every batch. Raises `PermanentError` for a file that cannot be read at all.
    """
    require_permission(actor, "catalog.add_product")
    return _import(
        path,
        kind="products",
        rows_of=products_of,
        key_of=lambda record: record.sku,
        write=_write_products,
        feed_format=feed_format,
        mapping=mapping,
        actor=actor,
        resume=resume,
        on_progress=on_progress,
    )


def import_reviews(
    path: Path,
    *,
    feed_format: str | None = None,
    mapping: Path | None = None,
    actor: User | SystemActor,
    resume: bool = True,
    on_progress: OnProgress | None = None,
) -> ImportRun:
    """Import customer reviews as `import_products` does products. Needs the permission catalog.add_product.

    Upserts by external id, or by the hash of the content where the feed has none. A review of an unknown sku is kept
    without a product; importing it again once the product is there links it.
    """
    require_permission(actor, "catalog.add_product")
    return _import(
        path,
        kind="reviews",
        rows_of=reviews_of,
        key_of=external_id_of,
        write=_write_reviews,
        feed_format=feed_format,
        mapping=mapping,
        actor=actor,
        resume=resume,
        on_progress=on_progress,
    )


def facts_hash_of(record: ProductRecord) -> str:
    """Return the SHA-256 of everything copy may claim: titles, brand, category and facts, in canonical order."""
    return hash_json(
        {
            "title": record.title,
            "locale": record.locale,
            "localized_titles": dict(record.localized_titles),
            "brand": record.brand,
            "category": record.category,
            "facts": [_fact_values(fact) for fact in sorted(record.facts, key=lambda fact: (fact.locale, fact.name))],
        }
    )


def external_id_of(record: ReviewRecord) -> str:
    """Return the shop's id of a review, or the SHA-256 of its content."""
    if record.external_id:
        return record.external_id
    content = [record.sku, record.title, record.text, str(record.rating), str(record.written_at)]
    return hash_json({"review": content})


def _fact_values(fact: FactRecord) -> list[str]:
    # The column pads numbers to six places, a feed does not: 1.2 and 1.200000 are one fact.
    number = "" if fact.number is None else f"{fact.number.normalize():f}"
    return [fact.locale, fact.name, fact.kind, fact.value, number, fact.unit]


def _import(
    path: Path,
    *,
    kind: str,
    rows_of: Callable[..., Iterator[FeedRow[R]]],
    key_of: Callable[[R], str],
    write: Callable[[Sequence[FeedRow[R]], ImportRun], Written],
    feed_format: str | None,
    mapping: Path | None,
    actor: User | SystemActor,
    resume: bool,
    on_progress: OnProgress | None,
) -> ImportRun:
    rules = load_mapping(mapping) if mapping else None
    with Source(path) as source:
        feed_format = feed_format or detect_format(source, has_mapping=mapping is not None)
        if mapping and feed_format not in MAPPED_FORMATS:
            raise PermanentError(
                f"{feed_format} says itself what is what, and takes no mapping.",
                hint=f"Leave out --mapping, or say --format {' or '.join(MAPPED_FORMATS)}.",
            )
        rows = rows_of(source, feed_format=feed_format, mapping=rules)
        read_as = f"{feed_format}:{hash_file(mapping)[:12]}" if mapping else feed_format
        job = Job(kind=kind, path=path, file_hash=hash_file(path), read_as=read_as, key_of=key_of, write=write)
        return run_import(
            job, rows, share_read=lambda: source.share_read, actor=actor, resume=resume, on_progress=on_progress
        )


def _write_products(rows: Sequence[FeedRow[ProductRecord]], run: ImportRun) -> Written:
    """Upsert products and replace the facts of those whose facts changed."""
    # One lock order for all imports.
    records = sorted((row.record for row in rows if row.record), key=lambda record: record.sku)
    existing = {
        product.sku: product
        for product in Product.objects.select_for_update()
        .filter(sku__in=[record.sku for record in records])
        .order_by("sku")
    }
    to_write: list[Product] = []
    new_facts: dict[str, ProductRecord] = {}
    for record in records:
        values: dict[str, Any] = {name: getattr(record, name) for name in PLAIN_FIELDS}
        values |= {"localized_titles": dict(record.localized_titles), "facts_hash": facts_hash_of(record)}
        known = existing.get(record.sku)
        if known is None or known.facts_hash != values["facts_hash"]:
            new_facts[record.sku] = record
        elif all(getattr(known, name) == value for name, value in values.items()):
            continue
        to_write.append(Product(sku=record.sku, source=run.file_name[:200], **values))
    written = Product.objects.bulk_create(
        to_write,
        update_conflicts=True,
        unique_fields=["sku"],
        update_fields=[*PLAIN_FIELDS, "facts_hash", "source", "updated_at"],
    )
    changed = [product for product in written if product.sku in new_facts]
    ProductFact.objects.filter(product__in=[product.pk for product in changed]).delete()
    ProductFact.objects.bulk_create(
        ProductFact(
            product=product,
            locale=fact.locale,
            name=fact.name,
            kind=fact.kind,
            value=fact.value,
            number=fact.number,
            unit=fact.unit,
            position=position,
        )
        for product in changed
        for position, fact in enumerate(new_facts[product.sku].facts)
    )
    n_updated = sum(product.sku in existing for product in to_write)
    return Written(len(to_write) - n_updated, n_updated, len(records) - len(to_write))


def _write_reviews(rows: Sequence[FeedRow[ReviewRecord]], run: ImportRun) -> Written:
    """Upsert reviews."""
    records = [row.record for row in rows if row.record]
    by_id = {external_id_of(record): record for record in records}
    products = dict(Product.objects.filter(sku__in={r.sku for r in records if r.sku}).values_list("sku", "pk"))
    existing = {
        review.external_id: review
        for review in CustomerReview.objects.select_for_update().filter(external_id__in=by_id).order_by("external_id")
    }
    to_write = []
    for external_id, record in sorted(by_id.items()):
        values: dict[str, Any] = {name: getattr(record, name) for name in REVIEW_FIELDS}
        values["product_id"] = products.get(record.sku)
        known = existing.get(external_id)
        if known is not None and all(getattr(known, name) == value for name, value in values.items()):
            continue
        to_write.append(CustomerReview(external_id=external_id, **values))
    CustomerReview.objects.bulk_create(
        to_write, update_conflicts=True, unique_fields=["external_id"], update_fields=[*REVIEW_FIELDS, "product"]
    )
    n_updated = sum(review.external_id in existing for review in to_write)
    n_alone = sum(bool(record.sku) and record.sku not in products for record in records)
    return Written(
        len(to_write) - n_updated,
        n_updated,
        len(records) - len(to_write),
        counts={"reviews of a product that is not there": n_alone} if n_alone else {},
    )


_NEW_REVIEWS = """
INSERT INTO catalog_customerreview
    (id, external_id, product_id, locale, title, text, rating, written_at, created_at, n_attempts, last_error)
SELECT gen_random_uuid(), n.external_id, p.id, n.locale, n.title, n.text, n.rating, n.written_at, now(), 0, ''
FROM new_review n LEFT JOIN catalog_product p ON p.sku = n.sku AND n.sku <> ''
ORDER BY n.external_id ON CONFLICT (external_id) DO NOTHING"""
_NEW_REVIEW = {
    "external_id": "text", "sku": "text", "locale": "text", "title": "text", "text": "text", "rating": "numeric",
    "written_at": "timestamptz",
}  # fmt: skip


def add_reviews(records: Mapping[str, ReviewRecord]) -> int:
    """Store the reviews of `records`, by external id, that are not there yet; others stay as they are. Returns how many.

    For imports of something else that is about reviews. Call in a transaction; whoever calls has checked the permission.
    """
    rows = ((key, r.sku, r.locale, r.title, r.text, r.rating, r.written_at) for key, r in records.items())
    with connection.cursor() as cursor:
        stage(cursor, "new_review", _NEW_REVIEW, rows)
        cursor.execute(_NEW_REVIEWS)
        return int(cursor.rowcount)
