"""`manage.py auditor [N]`: the questions an auditor asks, and their answers."""

from __future__ import annotations

import csv
import json
import sys
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from rich.markup import escape
from rich.table import Table as RichTable
from rich.text import Text

from core.command_line import actor_from, add_by, console_on
from core.exceptions import EcomsiteError
from core.spreadsheets import escape_formula
from monitoring.auditor.asking import Answer, Asked, moment
from monitoring.auditor.questions import QUESTIONS, ask

FIELDS = ("sku", "at", "since", "until", "person", "seconds", "model", "code")


class Command(BaseCommand):
    help = "Answer one of the questions of an auditor; without a number, list them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", nargs="?", type=int, metavar="N")
        parser.add_argument("--sku", default="", help="the product")
        parser.add_argument("--at", type=moment, metavar="DATE", help="as of: 2026-11-01, or 2026-11-01T14:30 (UTC)")
        parser.add_argument("--since", type=moment, metavar="DATE", help="what happened from then on")
        parser.add_argument("--until", type=moment, metavar="DATE", help="what happened until then")
        parser.add_argument("--person", default="", metavar="user:5", help="the pseudonym of a person")
        parser.add_argument("--seconds", type=float, help="less than so many seconds")
        parser.add_argument("--model", default="", metavar="ROLE:NUMBER", help="a model version, a role or a name")
        parser.add_argument("--code", default="", help="the code of a finding, or a family of claims")
        parser.add_argument("--format", choices=("text", "json", "csv"), default="text")
        add_by(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["number"] is None:
            for one in QUESTIONS:
                self.stdout.write(f"{one.number:>3}  {one.words}  {' '.join(f'--{name}' for name in one.options)}")
            return
        try:
            with transaction.atomic():
                answer = ask(
                    options["number"],
                    Asked(**{name: options[name] for name in FIELDS}),
                    actor=actor_from(options["by"]),
                )
        except (EcomsiteError, PermissionDenied) as exc:
            raise CommandError(str(exc)) from exc
        getattr(self, f"_as_{options['format']}")(answer)

    def _as_text(self, answer: Answer) -> None:
        console = console_on(self.stdout, width=None if sys.stdout.isatty() else 200)
        console.print(Text(answer.words))
        for table in answer.tables:
            shown = RichTable(
                *map(escape, table.columns),
                title=Text(table.title),
                title_justify="left",
                caption=Text(table.note) if table.note else None,
                caption_justify="left",
            )
            for row in table.rows:
                shown.add_row(*[Text(str(cell)) for cell in row])
            console.print(shown if table.rows else Text(f"{table.title}: none. {table.note}"))

    def _as_json(self, answer: Answer) -> None:
        tables = [{"title": t.title, "columns": t.columns, "rows": t.rows, "note": t.note} for t in answer.tables]
        self.stdout.write(json.dumps({"answer": answer.words, "tables": tables}, ensure_ascii=False, indent=2))

    def _as_csv(self, answer: Answer) -> None:
        writer = csv.writer(self.stdout)
        writer.writerow([escape_formula(answer.words)])
        for table in answer.tables:
            writer.writerow([])
            writer.writerow([table.title])
            writer.writerow(table.columns)
            writer.writerows([[escape_formula(str(cell)) for cell in row] for row in table.rows])
