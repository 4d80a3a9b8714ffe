"""`manage.py statement_of_reasons`: for a rejection, a taking down or a hidden review, as JSON or as text."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date

from catalog.models import Locale
from core.exceptions import EcomsiteError
from moderation.decisions.statements import document
from moderation.models.reviews import Decision


class Command(BaseCommand):
    help = (
        "Write the statement of reasons for rejections, takings down and hidden reviews: as JSON in the shape of the "
        "EU's DSA Transparency Database (API v2; one statement, or {statements: […]} with --since), or with --text for "
        "whom it affects, which quotes their own text. The JSON holds no personal data; neither names who decided."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("decision", nargs="?", help="the id of a decision, or the number of its statement")
        which.add_argument("--since", metavar="YYYY-MM-DD", help="every one from that day on")
        parser.add_argument("--text", action="store_true", help="the text for whom it affects, with how to appeal")
        parser.add_argument(
            "--locale", choices=Locale.values, help="language of the text (default: that of what it is about)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["since"]:
                self._write(self._since(options["since"]))
                return
            decision = self._decision(options["decision"])
            if options["text"]:
                locale = options["locale"] or document.locale_of(decision)
                self.stdout.write(document.text_for(decision, locale=locale), ending="")
            else:
                self._write(document.statement_for(decision).as_json())
        except EcomsiteError as exc:
            raise CommandError(str(exc)) from exc

    def _write(self, body: object) -> None:
        self.stdout.write(json.dumps(body, indent=2, ensure_ascii=False))

    def _decision(self, key: str) -> Decision:
        try:
            return Decision.objects.get(pk=uuid.UUID(key.removeprefix(document.PREFIX)))
        except (ValueError, Decision.DoesNotExist) as exc:
            raise CommandError(f"There is no decision {key}. Its id stands on the page of what it is about.") from exc

    def _since(self, day: str) -> dict[str, object]:
        first = parse_date(day)
        if first is None:
            raise CommandError(f"{day} is no date: write YYYY-MM-DD.")
        decisions = document.with_statements().filter(created_at__date__gte=first)
        made = [document.statement_for(decision).as_json() for decision in decisions]
        return {"statements": made}
