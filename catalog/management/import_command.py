"""What the two import commands share: arguments, progress bar, summary, and errors without tracebacks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from catalog.models import ImportRun
from core.actors import SystemActor
from core.exceptions import EcomsiteError

BAR = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())


class ImportCommand(BaseCommand):
    """Runs `do_import` on a file and says what came of it."""

    formats: ClassVar[Iterable[str]]
    do_import: ClassVar[Any]
    actor: ClassVar[SystemActor]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument(
            "--format", choices=tuple(self.formats), help="default: told from the file's suffix and header"
        )
        parser.add_argument(
            "--mapping",
            type=Path,
            metavar="TOML",
            help="which column of a CSV is which; see catalog/feeds/mapped_csv.py",
        )
        parser.add_argument(
            "--no-resume", action="store_true", help="start an interrupted import of this file again at its first row"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        console = Console(file=self.stdout)  # type: ignore[arg-type]  # a wrapper around a text stream
        with Progress(*BAR, console=console, disable=not self.stdout.isatty(), transient=True) as progress:
            bar = progress.add_task(path.name, total=1.0)

            def show(run: ImportRun, share: float) -> None:
                progress.update(bar, completed=share, description=f"{path.name}: {run.n_rows:,} rows")

            try:
                run = type(self).do_import(
                    path,
                    feed_format=options["format"],
                    mapping=options["mapping"],
                    actor=self.actor,
                    resume=not options["no_resume"],
                    on_progress=show,
                )
            except EcomsiteError as exc:
                raise CommandError(str(exc)) from exc
            except KeyboardInterrupt:
                raise CommandError(
                    "interrupted; what was read is kept. Run the same command again to resume.", returncode=130
                ) from None
        table = Table(title=f"{run.kind} from {run.file_name} ({run.feed_format})", title_justify="left")
        for name in ("rows", "created", "updated", "unchanged", "duplicates", "bad"):
            table.add_column(name, justify="right")
        counts = (run.n_rows, run.n_created, run.n_updated, run.n_unchanged, run.n_duplicates, run.n_bad)
        table.add_row(*(f"{count:,}" for count in counts))
        console.print(table)
        if run.n_bad:
            self.stdout.write(self.style.WARNING(f"{run.n_bad} rows were not taken; each is named in {run.error_file}"))
