"""`manage.py approve_raters RUN`: answer for the raters of an imported file, so that they count as people."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import CommandError, CommandParser

from catalog.models import ImportRun
from core.command_line import WithExamples, actor_from, add_by
from core.exceptions import EcomsiteError
from moderation.label_exchange.approving import approve_raters, withdraw_approval

HELP = """Answer for the raters of an import of labels: that they are people, and who. Until then their votes count as what a
file states: they are learnt from, and let no model in. RUN is the number that `import_labels` printed. It is another
person than who brought the file in, and needs the permission to set known answers.

  manage.py approve_raters 12 --by anna@example.com --reason "our support team, labelled in May"
  manage.py approve_raters 12 --by anna@example.com --reason "half of it was a model" --withdraw
"""


class Command(WithExamples):
    help = HELP

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", type=int, metavar="RUN")
        parser.add_argument("--reason", default="", help="who the raters are, and how you know")
        parser.add_argument("--withdraw", action="store_true", help="answer for them no longer")
        add_by(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        run = ImportRun.objects.filter(pk=options["run"]).first()
        if run is None:
            raise CommandError(f"There is no import {options['run']}.")
        act = withdraw_approval if options["withdraw"] else approve_raters
        try:
            n_raters = act(run, reason=options["reason"], actor=actor_from(options["by"]))
        except (EcomsiteError, PermissionDenied) as exc:
            raise CommandError(str(exc)) from exc
        now = "as what a file states" if options["withdraw"] else "as people"
        self.stdout.write(self.style.SUCCESS(f"{n_raters:,} raters of {run.file_name} count {now}."))
