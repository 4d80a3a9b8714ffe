"""`manage.py import_labels FILE`: bring labels of customer reviews in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from rich.console import Console
from rich.table import Table
from rich.text import Text

from catalog.management.import_command import RunCommand
from catalog.models import ImportRun
from core.command_line import Show, WithExamples, actor_from, add_by
from labeling.exchange.formats import READERS
from moderation.label_exchange.approving import people_needed, raters_in
from moderation.label_exchange.columns import COLUMNS
from moderation.label_exchange.importing import File, import_labels
from moderation.label_exchange.preview import Preview, preview_labels
from moderation.label_exchange.records import USUAL, Rules
from moderation.queues.rules import policy_for

HELP = f"""Import labels of customer reviews, of their sentiment or of another question: Label Studio's JSON (an export
of tasks with their annotations), CSV, JSONL, or a dataset that Hugging Face's `datasets` saved to a folder.

A row has a text, or an external_id or subject of a review that is there, and a label. A row that also names its rater
is one vote; a text's label is then what its votes come to by the method that the queue's rules name, and people are
asked where they are tied. Texts that are not there are made customer reviews. What our own people decided is kept.
Raters are kept as pseudonyms. Rows that cannot be taken are named in an error file.

Fields: {", ".join(COLUMNS)}.

Of a question about products a row names one by its sku, about drafts by its id, about anything by our reference in
`subject`; none is made.

  manage.py import_labels reviews.csv --column text=review_body --column label=stars --map 5=positive --map 1=negative
  manage.py import_labels tasks.json --dry-run
  manage.py import_labels damage.csv --question damage
  manage.py import_labels topics.csv --question review_topics --column price=about_price

Of a question with several answers a label is a list (["price", "service"]), a text (price;service, also with + | ,)
or a column for each answer that says 1 or 0, yes or no; none is `none`, or an empty list.
  manage.py import_labels sample.jsonl --gold --by anna@example.com
"""


class Command(WithExamples, RunCommand):
    help = HELP
    formats = READERS

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--question",
            default=USUAL,
            metavar="NAME",
            help=f"what the labels answer; {USUAL} without",
        )
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="FIELD=COLUMN",
            help=(
                "the column that a field is in, where it has another name; in Label Studio's JSON also a control's name"
            ),
        )
        parser.add_argument(
            "--map", action="append", default=[], metavar="THERE=HERE", help="what a label of the file is called here"
        )
        parser.add_argument(
            "--pool",
            default="",
            metavar="NAME",
            help="whose people the raters are; of the same name in two pools they are different people",
        )
        parser.add_argument(
            "--gold", action="store_true", help="make the labels known answers, which our people are tested with"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="read all of it, write nothing, and say what it holds"
        )
        add_by(parser)

    def run(self, path: Path, *, options: dict[str, Any], show: Show) -> Any:
        rules = Rules(_pairs(options["column"]), _pairs(options["map"]), options["pool"], question=options["question"])
        self.question = rules.question
        file, actor = File(path, rules, options["format"] or ""), actor_from(options["by"])
        if options["dry_run"]:
            return preview_labels(file, actor=actor, on_progress=show)
        return import_labels(
            file,
            gold=options["gold"],
            actor=actor,
            resume=not options["no_resume"],
            on_progress=lambda run, share: show(run.n_rows, share),
        )

    def summarise(self, result: Any, console: Console) -> None:
        if isinstance(result, Preview):
            self._summarise_preview(result, console)
            return
        super().summarise(result, console)
        run: ImportRun = result
        self.stdout.write(
            f"{run.counts.get('texts', 0):,} new reviews, {run.counts.get('labels', 0):,} labels set by this import."
        )
        if kept := run.counts.get("kept"):
            self.stdout.write(f"{kept:,} rows are about reviews that our own people labelled; those labels are kept.")
        if ties := run.counts.get("ties"):
            self.stdout.write(f"{ties:,} reviews have no label: their votes are evenly split. Our people are asked.")
        if n_raters := raters_in(run):
            self.stdout.write(
                f"{n_raters:,} raters: what they say counts as a file's word until another person answers for them "
                f"with `manage.py approve_raters {run.pk} --by USERNAME --reason TEXT`."
            )
            if people_needed(run) > 1:
                self.stdout.write("Nobody was named who brings this in (--by USERNAME): so two people answer for them.")
        if "gold" in run.counts:
            self.stdout.write(f"{run.counts['gold']:,} reviews are tests with a known answer now.")
            if not policy_for(self.question).gold_percent:
                self.stdout.write(self.style.WARNING("The rules of the queue test nobody yet: its gold_percent is 0."))

    def _summarise_preview(self, preview: Preview, console: Console) -> None:
        # A row for each count: labels have any name, and beside each other they would be cut at eighty columns.
        table = Table(title="would be imported; nothing was written", title_justify="left", show_header=False)
        counts = {
            "rows": preview.n_rows,
            "duplicates": preview.n_duplicates,
            "bad": preview.n_bad,
            "new reviews": preview.n_new,
            "known reviews": preview.n_known,
            "kept": preview.n_kept,
            "ties": preview.n_ties,
            **dict(sorted(preview.labels.items())),
        }
        table.add_column(overflow="fold")
        table.add_column(justify="right", no_wrap=True)
        for name, count in counts.items():
            table.add_row(Text(name), f"{count:,}")
        console.print(table)
        for reason, (n, line) in sorted(preview.reasons.items(), key=lambda item: -item[1][0])[:20]:
            self.stdout.write(self.style.WARNING(f"{n:,} × {reason} (the first at line {line:,})"))
        if preview.n_bad and preview.n_bad + preview.n_duplicates == preview.n_rows:
            raise CommandError("not one row could be taken.")


def _pairs(given: list[str]) -> dict[str, str]:
    pairs = {}
    for pair in given:
        name, found, value = pair.partition("=")
        if not found or not name or not value:
            raise CommandError(f"{pair!r} is no NAME=VALUE.")
        pairs[name] = value
    return pairs
