"""`manage.py evidence SKU`: the evidence pack of a product, as of now or of a date."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from catalog.models import Channel, Locale
from core.command_line import actor_from, add_by
from core.exceptions import EcomsiteError
from monitoring.auditor.asking import moment
from monitoring.evidence import pack


class Command(BaseCommand):
    help = (
        "Write what shoppers saw of a product, and everything behind it, into a folder: evidence.json, the same as "
        "evidence.html for people, and our signature. The same date gives the same hash."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("sku", metavar="SKU")
        parser.add_argument(
            "--at", type=moment, metavar="DATE", help="2026-11-01, or 2026-11-01T14:30 (UTC); default: now"
        )
        parser.add_argument("--channel", default="", choices=["", *Channel.values], help="default: all")
        parser.add_argument("--locale", default="", choices=["", *Locale.values], help="default: all")
        parser.add_argument("--into", type=Path, help="the folder (default: evidence-SKU-DATE)")
        add_by(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        at: dt.datetime | None = options["at"]
        name = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in options["sku"])
        into = options["into"] or Path(f"evidence-{name}-{at:%Y%m%dT%H%M}" if at else f"evidence-{name}-now")
        try:
            with transaction.atomic():
                made = pack.collect(
                    options["sku"],
                    at=at,
                    channel=options["channel"],
                    locale=options["locale"],
                    actor=actor_from(options["by"]),
                )
            files = pack.write(made, into)
        except (EcomsiteError, PermissionDenied) as exc:
            raise CommandError(str(exc)) from exc
        for file in files:
            self.stdout.write(str(file))
        self.stdout.write(self.style.SUCCESS(f"{len(made.content['texts'])} text(s), hash {made.hash}"))
