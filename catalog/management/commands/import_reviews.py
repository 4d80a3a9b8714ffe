"""`manage.py import_reviews FILE`: bring customer reviews in."""

from __future__ import annotations

from catalog.feeds.detection import REVIEW_READERS
from catalog.importing import import_reviews
from catalog.management.import_command import ImportCommand
from core.actors import SystemActor


class Command(ImportCommand):
    help = (
        "Import customer reviews from JSONL, or from any CSV with a mapping file. They are matched by external_id, or "
        "by content where there is none, and linked to the product of their sku. Bad rows are named in an error file."
    )
    formats = REVIEW_READERS
    do_import = staticmethod(import_reviews)
    actor = SystemActor("catalog.import_reviews")
