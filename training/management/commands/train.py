"""`manage.py train`: make a better model from what people said."""

from __future__ import annotations

import sys
import time
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core.command_line import actor_from, add_by, pairs_from
from core.exceptions import EcomsiteError
from training import approvals, pipeline, runs, snapshots
from training.models import DatasetSnapshot, TrainingRun
from training.recipes import recipe_of


class Command(BaseCommand):
    help = """Train on everything people have labelled, measure the result beside the champion, and put it before the
    gate.

    The training worker does the work; this command waits and shows how far it is. With --here the work is done in this
    very process, for a machine without workers.

    Examples: train sentiment --reason "two thousand new labels"
              train sentiment --set method=lora --set epochs=6 --set search_trials=10
              train --from-run 5f0c…  (the same recipe on the same snapshot again)"""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        import argparse

        return super().create_parser(
            prog_name, subcommand, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        known = "; ".join(
            f"{task}: {', '.join(recipe.model_fields)}"
            for task, recipe in ((task, recipe_of(task)) for task in runs.trained())
        )
        parser.add_argument("task", nargs="?", choices=runs.trained(), help="sentiment, or that of --from-run")
        parser.add_argument("--reason", default="asked for on the command line")
        parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=f"of the recipe: {known}")
        parser.add_argument("--from-run", metavar="ID", help="repeat that run: its recipe, on its snapshot")
        parser.add_argument("--here", action="store_true", help="work in this process; do not wait for a worker")
        parser.add_argument("--no-wait", action="store_true", help="plan the run and return at once")
        add_by(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        like = self._like(options["from_run"])
        task = options["task"] or (like.task if like else "sentiment")
        if like and options["set"]:
            raise CommandError("--from-run repeats a run as it was; leave out --set, or --from-run.")
        try:
            run, is_new = runs.plan(
                task,
                reason=options["reason"],
                actor=actor_from(options["by"]),
                recipe=pairs_from(options["set"], option="--set"),
                like=like,
            )
            self.stdout.write(f"{'Planned' if is_new else 'Already under way'}: run {run.pk}, {run.reason}.")
            if is_new and like and like.snapshot:
                self._warn(like.snapshot)
        except (EcomsiteError, PermissionDenied) as exc:
            raise CommandError(str(exc)) from exc
        if options["no_wait"]:
            return
        while options["here"] and self._is_open(run):
            if not pipeline.run_next(run):  # it rests after an error, or a worker has it
                time.sleep(1)
        self._wait(run)
        self._tell(TrainingRun.objects.get(pk=run.pk))

    def _like(self, key: str | None) -> TrainingRun | None:
        if not key:
            return None
        try:
            return TrainingRun.objects.select_related("snapshot").get(pk=key)
        except (TrainingRun.DoesNotExist, ValidationError) as exc:
            raise CommandError(f"There is no run {key}.") from exc

    def _warn(self, snapshot: DatasetSnapshot) -> None:
        """Say what of a snapshot that is trained on again would not be learnt from today."""
        for reason, n in sorted(snapshots.left_out_today(snapshot).items()):
            self.stdout.write(f"  {n} of its examples would be left out today ({reason})")

    def _is_open(self, run: TrainingRun) -> bool:
        return TrainingRun.objects.filter(pk=run.pk, status__in=runs.OPEN).exists()

    def _wait(self, run: TrainingRun) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
            shown = bar.add_task("Waits for the training worker", total=None)
            while (now := TrainingRun.objects.get(pk=run.pk)).status in runs.OPEN:
                words = now.stage or "Waits for the training worker"
                bar.update(shown, description=words, completed=now.n_done, total=now.n_total or None)
                time.sleep(0.5)

    def _tell(self, run: TrainingRun) -> None:
        if run.status != TrainingRun.Status.SUCCEEDED:
            raise CommandError(f"The run {run.get_status_display().lower()}: {run.last_error or 'somebody ended it'}")
        if run.version == run.champion:
            self.stdout.write(f"It came to {run.version}, the champion itself: nothing changes.")
            return
        if (report := run.report) is None:
            return
        self.stdout.write(f"{report.version}: the gate says {report.verdict}.")
        for verdict, words in report.reasons:
            self.stdout.write(f"  {verdict}: {words}")
        if report.asks_people:
            self.stdout.write(f"What is marked people they decide. {approvals.how_to_approve(report.version)}")
