"""`manage.py import_products FILE`: bring a product feed into the catalogue."""

from __future__ import annotations

from catalog.feeds.detection import PRODUCT_READERS
from catalog.importing import import_products
from catalog.management.import_command import ImportCommand
from core.actors import SystemActor


class Command(ImportCommand):
    help = (
        "Import products from a Shopify CSV, a Google Merchant feed (TSV or XML), JSONL, or any CSV with a mapping "
        "file. Products are matched by sku. Bad rows are named in an error file and the good ones kept; an "
        "interrupted import goes on where it stopped when the command is run again."
    )
    formats = PRODUCT_READERS
    do_import = staticmethod(import_products)
    actor = SystemActor("catalog.import_products")
