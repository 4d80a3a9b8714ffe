"""`manage.py export_labels FILE`: take the labels of a queue out."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from rich.console import Console

from catalog.feeds.base import BadRow, parse_moment
from core.command_line import FileCommand, Show, WithExamples, actor_from, add_by
from labeling.exchange.formats import WRITERS
from labeling.question import current_name, queue_names
from moderation.label_exchange.exporting import Exported, export_labels

HELP = """Export the labels of a queue, a row a subject: its text, the label, how it came about and when. Formats: Label
Studio's JSON, which can be imported there again, CSV, JSONL, and a dataset for Hugging Face's `datasets` (a folder).

With --votes each row has what every person said as well; people are under pseudonyms, which are the same in each export
and lead back to nobody. The file appears once it is whole; until then it is FILE.part, and the same command goes on
with it.

  manage.py export_labels labels.jsonl --question sentiment --votes
  manage.py export_labels labels --question copy_verdict --format hf --since 2026-11-01
"""


class Command(WithExamples, FileCommand):
    help = HELP
    formats = WRITERS
    no_resume = "write an interrupted export from its first row again"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--question", "--kind", choices=queue_names(), type=current_name, required=True, help="whose labels"
        )
        parser.add_argument("--votes", action="store_true", help="with the vote of each person")
        parser.add_argument(
            "--since", type=_moment, metavar="DATE", help="labelled then or later: 2026-11-01, or a time (ISO 8601)"
        )
        add_by(parser)

    def run(self, path: Path, *, options: dict[str, Any], show: Show) -> Any:
        return export_labels(
            path,
            question=options["question"],
            file_format=options["format"] or "",
            with_votes=options["votes"],
            since=options["since"],
            actor=actor_from(options["by"]),
            resume=not options["no_resume"],
            on_progress=show,
        )

    def summarise(self, result: Any, console: Console) -> None:
        exported: Exported = result
        self.stdout.write(
            self.style.SUCCESS(f"{exported.n_rows:,} labels exported") + f", sha256 {exported.file_hash}."
        )
        if exported.n_gone:
            self.stdout.write(f"{exported.n_gone:,} were left out: what they are about is not there any more.")


def _moment(text: str) -> dt.datetime:
    try:
        moment = parse_moment("--since", text)
    except BadRow as exc:
        raise CommandError(str(exc)) from exc
    if moment is None:
        raise CommandError("--since needs a date.")
    return moment
