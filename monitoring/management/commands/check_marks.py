"""`manage.py check_marks`: read the shop's pages and say whether they still carry the AI mark."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.progress import Progress

from core.command_line import BAR, console_on
from core.exceptions import EcomsiteError
from monitoring import mark_checks
from monitoring.models import MarkCheck

ADVICE = {
    MarkCheck.Outcome.STRIPPED: "The page shows the text without the mark: put the label beside it, and what the API "
    "gives under ai_mark.meta or ai_mark.json_ld into its head.",
    MarkCheck.Outcome.NO_TEXT: "The page shows another text, or makes it with scripts, which nobody runs here.",
}


class Command(BaseCommand):
    help = "Read pages that shoppers see (SHOP_PAGE_URL) and say whether they still carry the AI mark of our texts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sku", help="the live texts of this product (default: those unread for longest)")
        parser.add_argument("-n", type=int, default=20, help="how many pages to read (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            checks = self._of_product(options) if options["sku"] else self._some(options["n"])
        except EcomsiteError as exc:
            raise CommandError(str(exc)) from exc
        for check in checks:
            self.stdout.write(f"{check.get_outcome_display()}: {check.url}  {check.details}")
        counts = Counter(check.outcome for check in checks)
        for outcome, advice in ADVICE.items():
            if counts[outcome]:
                self.stdout.write(self.style.WARNING(f"{counts[outcome]} × {outcome.label.lower()}. {advice}"))
        self.stdout.write(f"{counts[MarkCheck.Outcome.CARRIED]} of {len(checks)} carry the mark.")
        if counts[MarkCheck.Outcome.STRIPPED]:
            sys.exit(1)

    def _of_product(self, options: dict[str, Any]) -> list[MarkCheck]:
        copies = list(mark_checks.on_pages().filter(product__sku=options["sku"]).select_related("product"))
        if not copies:
            raise CommandError(f"No text is live for {options['sku']} that its page can show.")
        return [mark_checks.check(copy) for copy in copies]

    def _some(self, n: int) -> list[MarkCheck]:
        live = mark_checks.on_pages()
        if first := live.select_related("product").first():
            mark_checks.page_of(first)  # says where to set the address, if nobody did
        console, found = console_on(self.stdout), []
        with Progress(*BAR, console=console, disable=not self.stdout.isatty(), transient=True) as progress:
            bar = progress.add_task("pages", total=min(n, live.count()))
            for check in mark_checks.check_some(n):
                found.append(check)
                progress.advance(bar)
        return found
