"""`manage.py prove_completeness`: compare every task of ours with what Label Studio holds, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.exceptions import EcomsiteError
from labeling.completeness import prove_all
from labeling.models import CompletenessProof


class Command(BaseCommand):
    help = "Compare every task of ours with Label Studio and mend what differs; exit 1 if something is unaccounted for."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            proofs = prove_all(progress=self._show)
        except EcomsiteError as exc:
            raise CommandError(str(exc)) from exc
        for proof in proofs:
            self.stdout.write(
                (self.style.SUCCESS if proof.holds else self.style.ERROR)(f"{proof.project}: {proof.words}")
            )
        if not proofs:
            self.stdout.write("Nothing has been sent to Label Studio yet.")
        if not all(proof.holds for proof in proofs):
            raise CommandError("Not everything is accounted for: docs/runbook.md says what to do.", returncode=1)

    def _show(self, proof: CompletenessProof) -> None:
        self.stdout.write(f"{proof.project}: {proof.n_tasks:,} compared")
