"""`manage.py approve_raters RUN`: answer for the raters of an imported file, so that they count as people."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import CommandError, CommandParser

from catalog.models import ImportRun
from core.command_line import WithExamples, actor_from, add_by
from core.exceptions import EcomsiteError
from moderation.label_exchange import agreement, approving
from moderation.label_exchange.importing import rater_of

HELP = """Answer for raters of an import of labels: that they are people, and who. Until then their votes count as what
a file states: they are learnt from, and let no model in. RUN is the number that `import_labels` printed. Who answers is
another person than who brought the file in, and needs the permission to set known answers; where nobody is named who
brought it in, two people answer.

How far the raters agree with our own people is measured first, on what both answered: without --reason it is shown, and
nothing else is done. With --ask our people are asked about so many of its texts, drawn by lot.

  manage.py approve_raters 12
  manage.py approve_raters 12 --ask 60 --by anna@example.com
  manage.py approve_raters 12 --by anna@example.com --reason "our support team, labelled in May"
  manage.py approve_raters 12 --rater ann --rater bob --by anna@example.com --reason "Ann and Bob, whom I know"
  manage.py approve_raters 12 --by anna@example.com --reason "half of it was a model" --withdraw
"""


class Command(WithExamples):
    help = HELP

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", type=int, metavar="RUN")
        parser.add_argument("--reason", default="", help="who the raters are, and how you know")
        parser.add_argument("--withdraw", action="store_true", help="have nobody answer for them any longer")
        parser.add_argument(
            "--rater",
            action="append",
            default=[],
            metavar="NAME",
            help="this one alone, as the file calls them or as they are listed; may be given several times",
        )
        parser.add_argument("--pool", default="", metavar="NAME", help="the pool that the file was imported with")
        parser.add_argument("--ask", type=int, metavar="N", help="ask our own people about N of its texts, by lot")
        add_by(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        run = ImportRun.objects.filter(pk=options["run"], kind="labels").first()
        if run is None:
            raise CommandError(f"There is no import {options['run']} of labels.")
        actor = actor_from(options["by"])
        try:
            if options["ask"] is not None:
                n = approving.ask_our_people(run, n=options["ask"], actor=actor)
                self.stdout.write(self.style.SUCCESS(f"Our people are asked about {n:,} texts of {run.file_name}."))
            elif options["reason"] or options["withdraw"]:
                self._act(run, options, actor)
            else:
                self._show(run)
        except (EcomsiteError, PermissionDenied) as exc:
            raise CommandError(str(exc)) from exc

    def _act(self, run: ImportRun, options: dict[str, Any], actor: Any) -> None:
        raters = [_listed(name, pool=options["pool"]) for name in options["rater"]] or None
        act = approving.withdraw_approval if options["withdraw"] else approving.approve_raters
        came = act(run, reason=options["reason"], actor=actor, raters=raters)
        for name, why in came.left_out.items():
            self.stdout.write(self.style.WARNING(f"{name} is left out: it {why}."))
        if came.n_lacking:
            self.stdout.write(
                self.style.WARNING(
                    f"Nobody is named who brought {run.file_name} in: {came.n_lacking} more person answers for "
                    f"{came.n_raters:,} raters before they count."
                )
            )
            return
        now = "as what a file states" if options["withdraw"] else "as people"
        self.stdout.write(self.style.SUCCESS(f"{came.n_raters:,} raters of {run.file_name} count {now}."))

    def _show(self, run: ImportRun) -> None:
        found = agreement.measure(run)
        self.stdout.write(f"{run.file_name}: {found.n_votes:,} votes of {len(found.raters):,} raters.")
        for line in in_words(found):
            self.stdout.write(line)
        for rater in found.raters[:50]:
            held = "not measured" if rater.percent.value is None else _figure(rater.percent)
            self.stdout.write(
                f"  {rater.name}: {rater.n_votes:,} votes, {held}{f'; {rater.problem}' * bool(rater.problem)}"
            )
        if found.problem:
            self.stdout.write(self.style.WARNING(f"Nobody can answer for it: {found.problem} {found.way_out}"))


def in_words(found: agreement.Measured) -> list[str]:
    """Return the figures of a file, a sentence each."""
    lines = []
    for what, which in (
        ("", found.counted),
        (" that they had answered before it came, and it may repeat", found.before),
    ):
        if which.percent.value is not None:
            kappa = (
                ""
                if which.kappa.value is None
                else f", κ {which.kappa.value:.2f} [{which.kappa.low:.2f}, {which.kappa.high:.2f}]"
            )
            lines.append(f"With our own people{what}: {_figure(which.percent)}{kappa}.")
    if found.model.value is not None:
        lines.append(
            f"Where our people contradict the model {found.model_name}, it sides with the model: "
            f"{_figure(found.model)}."
        )
    return lines


def _figure(figure: Any) -> str:
    return f"{figure.value:.0%} [{figure.low:.0%}, {figure.high:.0%}] of {figure.n:,}"


def _listed(name: str, *, pool: str) -> str:
    """Return the rater `name` as votes have them: it is one already, or what the file calls them."""
    return name if name.startswith("import:") else rater_of(name, pool=pool)
