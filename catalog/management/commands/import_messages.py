"""`manage.py import_messages FILE`: bring messages of customers in."""

from __future__ import annotations

from catalog.feeds.detection import MESSAGE_READERS
from catalog.importing import import_messages
from catalog.management.import_command import ImportCommand
from core.actors import SystemActor


class Command(ImportCommand):
    help = (
        "Import messages of customers from JSONL, or from any CSV with a mapping file. They are matched by "
        "external_id, or by content where there is none, and linked to the product of their sku. Who wrote one is kept "
        "as a pseudonym. Bad rows are named by their line, without their words."
    )
    formats = MESSAGE_READERS
    do_import = staticmethod(import_messages)
    actor = SystemActor("catalog.import_messages")
