"""`manage.py retro_scan`: try a policy on everything live, take down what it finds, put it back."""

from __future__ import annotations

import time
import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import CommandError, CommandParser
from rich.progress import Progress

from catalog.slots import Slot
from core.actors import SystemActor
from core.command_line import BAR, WithExamples, actor_from, add_by, console_on
from core.exceptions import EcomsiteError
from moderation import policy_versions
from moderation.live import retro_scan
from moderation.models.policies import PolicyVersion
from moderation.models.retro_scans import RetroScan

HELP = """Try a policy on everything live. First a dry run, which changes nothing: how many texts fail, by code, with
examples. Then, if a person says so, recall: each text is taken down with the reason. What a scan took down can be put
back. Interrupted at any moment, by kill -9 as well, it goes on where it was: with --resume, or by itself while the desk
runs.

  manage.py retro_scan --by kim --reason "green claims"                  dry run of the policy files as they are
  manage.py retro_scan --policy 3 --severity warn --by kim --reason "…"  dry run of a stored version, warnings too
  manage.py retro_scan --recall SCAN --by kim --reason "…"               take down what the dry run found
  manage.py retro_scan --undo SCAN --by sam --reason "…"                 put back what it took down
  manage.py retro_scan --resume                                          go on with whatever was interrupted
  manage.py retro_scan --show SCAN                                       what came of it
"""
EXAMPLES = 10


class Command(WithExamples):
    help = HELP

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--recall", type=uuid.UUID, metavar="SCAN", help="take down what this scan found")
        what.add_argument("--undo", type=uuid.UUID, metavar="SCAN", help="put back what this scan took down")
        what.add_argument("--show", type=uuid.UUID, metavar="SCAN", help="show a scan, change nothing")
        what.add_argument("--resume", action="store_true", help="go on with the scans that were interrupted")
        parser.add_argument("--policy", type=int, metavar="N", help="a stored version (default: the files as they are)")
        parser.add_argument(
            "--severity",
            choices=RetroScan.Severity.values,
            default="block",
            help="from which severity on (default: block)",
        )
        parser.add_argument("--reason", default="", help="why; stands in the ledger and on each text taken down")
        add_by(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            scans = self._scans(options)
            for scan in scans:
                self._follow(scan)
                self._show(scan)
        except (EcomsiteError, PermissionDenied) as exc:
            raise CommandError(str(exc)) from exc
        except KeyboardInterrupt:
            raise CommandError("interrupted; what was done is kept. Go on with --resume.", returncode=130) from None
        if not scans:
            self.stdout.write("Nothing was interrupted.")

    def _scans(self, options: dict[str, Any]) -> list[RetroScan]:
        if options["resume"]:
            return list(RetroScan.objects.filter(status__in=retro_scan.WORKING).order_by("created_at"))
        if options["show"]:
            return [self._scan(options["show"])]
        actor = actor_from(options["by"])
        if isinstance(actor, SystemActor):
            raise CommandError("A person answers for this: say who with --by USERNAME.")
        if options["recall"] or options["undo"]:
            scan = self._scan(options["recall"] or options["undo"])
            act = retro_scan.recall if options["recall"] else retro_scan.undo
            act(scan, actor=actor, reason=options["reason"])
            return [scan]
        if options["policy"] is None:
            version, _ = policy_versions.store_version(policy_versions.content_now(), actor=actor)
        elif (found := PolicyVersion.objects.filter(number=options["policy"]).first()) is not None:
            version = found
        else:
            raise CommandError(f"There is no policy {options['policy']}: manage.py load_policies --list names them.")
        return [retro_scan.start(version, actor=actor, reason=options["reason"], severity=options["severity"])]

    def _scan(self, pk: uuid.UUID) -> RetroScan:
        scan = RetroScan.objects.select_related("version").filter(pk=pk).first()
        if scan is None:
            raise CommandError(f"There is no retro-scan {pk}.")
        return scan

    def _follow(self, scan: RetroScan) -> None:
        """Work on `scan`, or watch who does, until its stage is over."""
        console = console_on(self.stdout)
        with Progress(*BAR, console=console, disable=not self.stdout.isatty(), transient=True) as progress:
            bar = progress.add_task(scan.get_status_display(), total=1.0)

            def show(now: RetroScan) -> None:
                progress.update(bar, completed=share_done(now), description=now.get_status_display())

            while scan.status in retro_scan.WORKING:
                if not retro_scan.run_next(scan, on_progress=show):
                    time.sleep(1)  # another worker has it, or its lease has still to run out
                scan.refresh_from_db()
                show(scan)
                if scan.quarantined_at:
                    raise CommandError(f"It failed too often: {scan.last_error} See the page Quarantine.")

    def _show(self, scan: RetroScan) -> None:
        states = retro_scan.tally(scan)
        self.stdout.write(
            f"{scan.pk}  policy {scan.version.number}, {scan.get_status_display().lower()}: {scan.n_seen:,} texts "
            f"looked at, {sum(states.values()):,} fail"
        )
        for code, n in sorted(scan.counts.items(), key=lambda entry: -entry[1]):
            self.stdout.write(f"  {n:>6,}  {code}")
        for status, n in states.items():
            self.stdout.write(f"  {n:>6,}  {dict(scan.hits.model.Status.choices)[status].lower()}")
        for hit in scan.hits.select_related("published_copy__product")[:EXAMPLES]:
            first, copy = hit.findings[0], hit.published_copy
            words = copy.text[first["start"] : first["end"]] if first["start"] is not None else copy.text[:60]
            self.stdout.write(f"  {Slot.of(copy)}: “{words[:60]}” {first['message']}")
        if scan.status == RetroScan.Status.SCANNED and states:
            self.stdout.write(f"Nothing was changed. To take them down: manage.py retro_scan --recall {scan.pk}")


def share_done(scan: RetroScan) -> float:
    """Return which part of the present stage of `scan` is done, 0 to 1."""
    if scan.status == RetroScan.Status.SCANNING:
        return min(1.0, scan.n_seen / max(1, scan.n_total))
    states = retro_scan.tally(scan)
    left = states.get("found" if scan.status == RetroScan.Status.RECALLING else "recalled", 0)
    return 1 - left / max(1, sum(states.values()))
