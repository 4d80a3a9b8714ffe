"""Bring products and customer reviews in: in batches, by key, resumable, every bad row named, no good one lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, transaction

from catalog.feeds.base import FactRecord, FeedRow, ProductRecord, R, ReviewRecord
from catalog.feeds.detection import detect_format, products_of, reviews_of
from catalog.feeds.mapped_csv import load_mapping
from catalog.feeds.source import Source
from catalog.import_runs import Problem, Progress, advance, close_run, one_at_a_time, open_run
from catalog.models import CustomerReview, ImportRun, Product, ProductFact
from core.actors import require_permission
from core.hashing import hash_file, hash_json

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from core.actors import SystemActor

BATCH = 200
OnProgress = Callable[[ImportRun, float], None]
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
    write: Callable[[Sequence[R], str], tuple[int, int, int]],
    feed_format: str | None,
    mapping: Path | None,
    actor: User | SystemActor,
    resume: bool,
    on_progress: OnProgress | None,
) -> ImportRun:
    rules = load_mapping(mapping) if mapping else None
    with Source(path) as source:
        feed_format = feed_format or detect_format(source, has_mapping=mapping is not None)
        rows = rows_of(source, feed_format=feed_format, mapping=rules)
        # The first row is read before a run is opened: a wrong format or mapping leaves no trace.
        first = list(islice(rows, 1))
        file_hash = hash_file(path)
        read_as = f"{feed_format}:{hash_file(mapping)[:12]}" if mapping else feed_format
        with one_at_a_time(file_hash):
            run = open_run(kind=kind, path=path, file_hash=file_hash, feed_format=read_as, resume=resume, actor=actor)
            try:
                # What an earlier process committed is read again, not skipped unread, to know the keys it has seen.
                remaining = islice(_sorted_out(chain(first, rows), key_of=key_of), run.n_rows, None)
                while batch := list(islice(remaining, BATCH)):
                    _commit(run, batch, write=write, origin=path.name[:200])
                    if on_progress:
                        on_progress(run, source.share_read)
            except BaseException:
                # A kill -9 leaves the run `running`, which resumes just as well.
                with suppress(DatabaseError):
                    close_run(run, status=ImportRun.Status.INTERRUPTED, actor=actor)
                raise
            close_run(run, status=ImportRun.Status.COMPLETED, actor=actor)
    return run


def _sorted_out(rows: Iterator[FeedRow[R]], *, key_of: Callable[[R], str]) -> Iterator[tuple[FeedRow[R], bool]]:
    """Yield each row and whether it repeats an earlier one word for word; a differing repetition becomes a bad row.

    Holds 16 bytes of hash and a line number per key, so that a million rows fit in about 200 MB.
    """
    seen: dict[bytes, tuple[int, bytes]] = {}
    for row in rows:
        if row.record is None:
            yield row, False
            continue
        key, content = _digest(key_of(row.record)), _digest(repr(row.record))
        entry = (row.line, content)
        first = seen.setdefault(key, entry)
        if first is entry:
            yield row, False
        elif first[1] == content:
            yield row, True
        else:
            reason = f"line {first[0]} has the same key and other content; that one was taken"
            yield FeedRow(row.line, error=reason, sku=row.sku, raw=row.record.title), False


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _commit(
    run: ImportRun,
    batch: Sequence[tuple[FeedRow[R], bool]],
    *,
    write: Callable[[Sequence[R], str], tuple[int, int, int]],
    origin: str,
) -> None:
    records = [row.record for row, is_repeated in batch if row.record is not None and not is_repeated]
    problems = [Problem(row.line, row.sku[:200], row.error, row.raw) for row, _ in batch if row.record is None]
    with transaction.atomic():
        created, updated, unchanged = write(records, origin)
        advance(
            run,
            Progress(
                n_rows=len(batch),
                n_created=created,
                n_updated=updated,
                n_unchanged=unchanged,
                n_duplicates=sum(is_repeated for _, is_repeated in batch),
                problems=problems,
            ),
        )


def _write_products(records: Sequence[ProductRecord], origin: str) -> tuple[int, int, int]:
    """Upsert products and replace the facts of those whose facts changed. Returns created, updated, unchanged."""
    records = sorted(records, key=lambda record: record.sku)  # one lock order for all imports
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
        to_write.append(Product(sku=record.sku, source=origin, **values))
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
    return len(to_write) - n_updated, n_updated, len(records) - len(to_write)


def _write_reviews(records: Sequence[ReviewRecord], origin: str) -> tuple[int, int, int]:
    """Upsert reviews. Returns created, updated, unchanged."""
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
    return len(to_write) - n_updated, n_updated, len(records) - len(to_write)
