"""What commands share: who stands behind one, and long work over a file with progress and errors in words."""

from __future__ import annotations

import json
from abc import abstractmethod
from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar, TextIO, cast

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from core.actors import COMMAND_LINE, SystemActor
from core.exceptions import EcomsiteError

BAR = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
Show = Callable[[int, float], None]


def add_by(parser: CommandParser) -> None:
    """Add the option `--by USERNAME`."""
    parser.add_argument(
        "--by", metavar="USERNAME", help="the person who does this, for the ledger; their permissions are checked"
    )


def pairs_from(texts: Iterable[str], *, option: str) -> dict[str, Any]:
    """Return what an option NAME=VALUE that may be given several times says; a value that is JSON is read as such."""
    found: dict[str, Any] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            raise CommandError(f"{option} takes NAME=VALUE, not {text!r}.")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def actor_from(username: str | None) -> User | SystemActor:
    """Return the user called `username`, or the command line when none is named."""
    if not username:
        return COMMAND_LINE
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(f"There is no user {username}.")
    return user


def console_on(stdout: OutputWrapper, **options: Any) -> Console:
    """Return a console that writes to `stdout` of a command, a wrapper around a stream; `options` as rich has them."""
    return Console(file=cast(TextIO, stdout), **options)


class WithExamples(BaseCommand):
    """A command whose `help` holds examples, which are shown as they are written."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)


class FileCommand(BaseCommand):
    """Works through a file in `run` and says in `summarise` what came of it."""

    formats: ClassVar[Iterable[str]]
    how_told = "default: told from the file's suffix"
    no_resume = "start again what was interrupted, at the first row"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--format", choices=tuple(self.formats), help=self.how_told)
        parser.add_argument("--no-resume", action="store_true", help=self.no_resume)

    @abstractmethod
    def run(self, path: Path, *, options: dict[str, Any], show: Show) -> Any:
        """Do the work and return what `summarise` needs; `show` takes the rows done and the share of all, 0 to 1."""

    @abstractmethod
    def summarise(self, result: Any, console: Console) -> None:
        """Print what came of it."""

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        console = console_on(self.stdout)
        with Progress(*BAR, console=console, disable=not self.stdout.isatty(), transient=True) as progress:
            bar = progress.add_task(path.name, total=1.0)

            def show(n_rows: int, share: float) -> None:
                progress.update(bar, completed=share, description=f"{path.name}: {n_rows:,} rows")

            try:
                result = self.run(path, options=options, show=show)
            except (EcomsiteError, PermissionDenied) as exc:
                raise CommandError(str(exc)) from exc
            except OSError as exc:  # a name too long, a file that may not be read, a disk that is full
                raise CommandError(str(exc)) from exc
            except KeyboardInterrupt:
                raise CommandError(
                    "interrupted; what was done is kept. Run the same command again to resume.", returncode=130
                ) from None
        self.summarise(result, console)
