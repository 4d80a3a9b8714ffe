"""Bring products and what customers write in: in batches, by key, resumable, every bad row named, no good one lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.feeds.base import FeedRow, R
from catalog.feeds.detection import MAPPED_FORMATS, detect_format, messages_of, products_of, reviews_of
from catalog.feeds.mapping import Mapping, read_mapping
from catalog.import_loop import Job, OnProgress, Written, run_import
from catalog.import_writes import external_id_of, write_products, write_reviews
from catalog.message_writes import message_id_of, write_messages
from catalog.models import ImportRun
from core.actors import require_permission
from core.exceptions import PermanentError
from core.files import open_source
from core.hashing import hash_file, hash_json

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from core.actors import SystemActor
SHOWN = 11  # digits of the mapping's hash: what `ImportRun.feed_format` has room for


def import_products(
    path: Path,
    *,
    feed_format: str | None = None,
    mapping: Path | None = None,
    said: dict[str, str] | None = None,
    actor: User | SystemActor,
    resume: bool = True,
    on_progress: OnProgress | None = None,
) -> ImportRun:
    """Import a product feed and return its run. Needs the permission catalog.add_product.

    Upserts by sku; unchanged products stay untouched. Of one sku twice in a file the first row counts. A run of the
    same file that was interrupted goes on where it stopped, unless `resume` is off. `said` is what holds for the whole
    file and is not in the mapping, or stands above it: `decimal`, `locale`, `currency`. `on_progress` gets the run and
    the share of the file read after every batch. Raises `PermanentError` for a file that cannot be read at all.
    """
    require_permission(actor, "catalog.add_product")
    return _import(
        path,
        kind="products",
        rows_of=products_of,
        key_of=lambda record: record.sku,
        write=write_products,
        feed_format=feed_format,
        rules=read_mapping(mapping, said),
        actor=actor,
        resume=resume,
        on_progress=on_progress,
    )


def import_reviews(
    path: Path,
    *,
    feed_format: str | None = None,
    mapping: Path | None = None,
    said: dict[str, str] | None = None,
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
        write=write_reviews,
        feed_format=feed_format,
        rules=read_mapping(mapping, said),
        actor=actor,
        resume=resume,
        on_progress=on_progress,
    )


def import_messages(
    path: Path,
    *,
    feed_format: str | None = None,
    mapping: Path | None = None,
    said: dict[str, str] | None = None,
    actor: User | SystemActor,
    resume: bool = True,
    on_progress: OnProgress | None = None,
) -> ImportRun:
    """Import messages of customers as `import_reviews` does reviews. Needs the permission catalog.add_product.

    Who wrote one is kept as a pseudonym; a bad row is named by its line alone. Raises `PermanentError` also while
    SECRET_KEY is one that ends with the process.
    """
    require_permission(actor, "catalog.add_product")
    return _import(
        path,
        kind="messages",
        rows_of=messages_of,
        key_of=message_id_of,
        write=write_messages,
        feed_format=feed_format,
        rules=read_mapping(mapping, said),
        actor=actor,
        resume=resume,
        on_progress=on_progress,
    )


def _import(
    path: Path,
    *,
    kind: str,
    rows_of: Callable[..., Iterator[FeedRow[R]]],
    key_of: Callable[[R], str],
    write: Callable[[Sequence[FeedRow[R]], ImportRun], Written],
    feed_format: str | None,
    rules: Mapping | None,
    actor: User | SystemActor,
    resume: bool,
    on_progress: OnProgress | None,
) -> ImportRun:
    with open_source(path) as source:
        names_columns = rules is not None and rules.names_columns
        feed_format = feed_format or detect_format(source, has_mapping=names_columns)
        if names_columns and feed_format not in MAPPED_FORMATS:
            raise PermanentError(
                f"{feed_format} says itself what is what, and takes no mapping of columns.",
                hint=f"Leave [fields] and [[facts]] out of the mapping, or say --format {' or '.join(MAPPED_FORMATS)}.",
            )
        rows = rows_of(source, feed_format=feed_format, mapping=rules)
        read_as = f"{feed_format}:{hash_json(rules.model_dump())[:SHOWN]}" if rules else feed_format
        job = Job(kind=kind, path=path, file_hash=hash_file(path), read_as=read_as, key_of=key_of, write=write)
        return run_import(
            job, rows, share_read=lambda: source.share_read, actor=actor, resume=resume, on_progress=on_progress
        )
