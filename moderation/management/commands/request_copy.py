"""`manage.py request_copy`: order drafts for products."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.models import CONTROL, Channel, Locale, Product
from core.actors import SystemActor
from core.exceptions import EcomsiteError
from moderation.drafting.ordering import request_copy


class Command(BaseCommand):
    help = "Order drafts for products × channels × locales. Asking again for unchanged facts makes nothing new."

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--sku", action="append", help="one product; may be given several times")
        which.add_argument("--category", help="every product whose category contains this")
        which.add_argument("--all", action="store_true", help="every product")
        parser.add_argument("--limit", type=int, help="at most this many products, by sku")
        parser.add_argument("--channel", action="append", choices=Channel.values, help="default: description")
        parser.add_argument("--locale", action="append", choices=Locale.values, help="default: en")
        parser.add_argument("-n", "--drafts", type=int, help="drafts per request (default: DRAFTS_PER_REQUEST)")
        parser.add_argument("--round", type=int, default=1, help="raise it to get fresh drafts for the same facts")
        parser.add_argument("--audience", default="", help="whom the text is for (default: everybody)")
        parser.add_argument(
            "--variant",
            default=CONTROL,
            help="live beside the others of its slot, for the shop to choose (default: control)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        products = Product.objects.order_by("sku")
        if options["sku"]:
            products = products.filter(sku__in=options["sku"])
            if missing := sorted(set(options["sku"]) - set(products.values_list("sku", flat=True))):
                raise CommandError(f"No such product: {', '.join(missing)}.")
        elif options["category"]:
            products = products.filter(category__icontains=options["category"])
        try:
            summary = request_copy(
                products[: options["limit"]] if options["limit"] else products,
                channels=options["channel"] or [Channel.DESCRIPTION],
                locales=options["locale"] or [Locale.EN],
                actor=SystemActor("command.request_copy"),
                n_candidates=options["drafts"],
                round=options["round"],
                audience=options["audience"],
                variant=options["variant"],
            )
        except EcomsiteError as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(
            self.style.SUCCESS(f"{len(summary.created)} requests queued")
            + f", {len(summary.existing)} were there already. Drafts appear in the console as they are written."
        )
