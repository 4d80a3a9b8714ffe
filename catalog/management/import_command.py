"""What the import commands share: the arguments of a feed, and the counts of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import CommandError, CommandParser
from rich.console import Console
from rich.table import Table
from rich.text import Text

from catalog.models import ImportRun
from core.actors import SystemActor
from core.command_line import FileCommand, Show


class RunCommand(FileCommand):
    """Imports a file and prints the counts of the run."""

    no_resume = "start an interrupted import of this file again at its first row"

    def summarise(self, result: Any, console: Console) -> None:
        run: ImportRun = result
        title = Text(f"{run.kind} from {run.file_name} ({run.feed_format})")  # no markup: `[/b].csv` is a name too
        table = Table(title=title, title_justify="left")
        for name in ("rows", "created", "updated", "unchanged", "duplicates", "bad"):
            table.add_column(name, justify="right")
        counts = (run.n_rows, run.n_created, run.n_updated, run.n_unchanged, run.n_duplicates, run.n_bad)
        table.add_row(*(f"{count:,}" for count in counts))
        console.print(table)
        if run.went_on_after:
            self.stdout.write(
                f"An import of this file had stopped after {run.went_on_after:,} rows; this one went on from there. "
                "The counts are those of the whole file."
            )
        self.tell_counts(run)
        if run.n_bad:
            self.stdout.write(self.style.WARNING(f"{run.n_bad} rows were not taken; each is named in {run.error_file}"))
        if not run.n_rows:
            self.stdout.write(self.style.WARNING("The file holds no rows."))
        if run.n_bad and not run.n_created + run.n_updated + run.n_unchanged:
            raise CommandError("not one row was taken.")

    def tell_counts(self, run: ImportRun) -> None:
        """Print what else there was to count."""


class ImportCommand(RunCommand):
    """Imports a feed with `do_import`."""

    do_import: ClassVar[Any]
    actor: ClassVar[SystemActor]
    how_told = "default: told from the file's suffix and header"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--mapping",
            type=Path,
            metavar="TOML",
            help="which column of a table, or which key of JSONL, is which; see catalog/feeds/mapping.py",
        )
        parser.add_argument(
            "--decimal", choices=(",", "."), help="the decimal sign of the whole file; default: told from each column"
        )
        parser.add_argument("--locale", help="the language of all texts, en or zh-Hans; default: told from the texts")
        parser.add_argument("--currency", help="the currency of prices that name none, e.g. EUR")

    def run(self, path: Path, *, options: dict[str, Any], show: Show) -> Any:
        return type(self).do_import(
            path,
            feed_format=options["format"],
            mapping=options["mapping"],
            said={name: options[name] or "" for name in ("decimal", "locale", "currency")},
            actor=self.actor,
            resume=not options["no_resume"],
            on_progress=lambda run, share: show(run.n_rows, share),
        )

    def tell_counts(self, run: ImportRun) -> None:
        for name, count in sorted(run.counts.items()):
            self.stdout.write(f"{name}: {count:,}")
