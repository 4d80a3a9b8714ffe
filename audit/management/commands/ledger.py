"""`manage.py ledger …`: the public key, signing, proofs, replacing keys, a new second place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import checks, heads, keys, proofs, sealing
from core.command_line import actor_from, add_by
from core.exceptions import EcomsiteError


class Command(BaseCommand):
    help = "Show the ledger's public key, sign now, prove lines, replace keys, begin a new second place."

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("key", help="print the public keys, newest last: keep the last one outside of this machine")
        acts.add_parser("sign", help="check the new lines and sign a head over them now")
        prove = acts.add_parser("prove", help="print the proof that a line is under a signed head, as JSON (RFC 9162)")
        prove.add_argument("line", type=int)
        grown = acts.add_parser("consistent", help="print the proof that the newest head only added to an older one")
        grown.add_argument("lines", type=int, help="lines of the older head")
        rotate = acts.add_parser("rotate-key", help="replace the signing key; heads of the old one go on to count")
        rotate.add_argument("--lost", action="store_true", help="the old key is gone and cannot vouch for the new one")
        place = acts.add_parser(
            "new-second-place", help="begin a new second place, after a restore or when the old one is lost; it is kept"
        )
        rewrap = acts.add_parser("rewrap", help="wrap people's keys anew, so that those in old backups open nothing")
        for act in (rotate, place):
            act.add_argument("--reason", required=True, help="one sentence for the ledger")
        for act in (rotate, rewrap):
            act.add_argument(
                "--new-key", type=Path, metavar="FILE", help="the new key, if keys come from the environment"
            )
        for act in (rotate, place, rewrap):
            add_by(act)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['act'].replace('-', '_')}")(options)
        except (EcomsiteError, PermissionDenied, OSError) as exc:
            raise CommandError(str(exc)) from exc

    def _key(self, options: dict[str, Any]) -> None:
        known = keys.recorded()
        for key in known:
            self.stdout.write(
                f"{key.public}  {key.key_id}, since {key.at[:19]}, for heads of more than {key.first:,} lines"
            )
        if not known:
            self.stdout.write("There is no key yet: the first signature makes it (`manage.py ledger sign`).")

    def _sign(self, options: dict[str, Any]) -> None:
        result = checks.check_new()
        if result is None:
            raise CommandError("Another process is at it.")
        if not result.is_intact:
            raise CommandError(f"Nothing was signed: {result.reason}.")
        self.stdout.write(self.style.SUCCESS(f"{result.n_entries:,} lines are signed, root {result.root_hash}"))
        if result.note:
            self.stdout.write(self.style.WARNING(result.note))

    def _prove(self, options: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(proofs.inclusion(options["line"]), indent=2))

    def _consistent(self, options: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(proofs.consistency(options["lines"]), indent=2))

    def _rotate_key(self, options: dict[str, Any]) -> None:
        new = keys.parse_private(options["new_key"].read_text()) if options["new_key"] else None
        actor = actor_from(options["by"])
        made = keys.rotate(actor=actor, reason=options["reason"], new=new, is_lost=options["lost"])
        self.stdout.write(self.style.SUCCESS(f"The ledger is signed by {made.public} ({made.key_id}) from now on."))
        if new is not None:
            self.stdout.write("Set LEDGER_KEY to the new key now, and start the workers again.")

    def _new_second_place(self, options: dict[str, Any]) -> None:
        n = heads.restart_anchors(actor=actor_from(options["by"]), reason=options["reason"])
        self.stdout.write(self.style.SUCCESS(f"A new second place was begun, with {n:,} signed heads."))

    def _rewrap(self, options: dict[str, Any]) -> None:
        new = options["new_key"].read_text().strip() if options["new_key"] else ""
        n = sealing.rewrap(actor=actor_from(options["by"]), new=new)
        self.stdout.write(
            self.style.SUCCESS(f"{n:,} keys were wrapped anew. Destroy every copy of the old sealing key.")
        )
        if new:
            self.stdout.write("Set LEDGER_SEALING_KEY to the new key now, and start web and workers again.")
