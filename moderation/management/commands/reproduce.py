"""`manage.py reproduce CANDIDATE`: have the model write a draft again, or say why it cannot."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from moderation.drafting.reproduction import reproduce
from moderation.models.candidates import Candidate


class Command(BaseCommand):
    help = "Have the model of a draft write it again with the prompt, parameters and seed of then. Loads the model."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("candidate", type=UUID, help="its number, as on its page")

    def handle(self, *args: Any, **options: Any) -> None:
        candidate = Candidate.objects.select_related("product", "model_version").filter(pk=options["candidate"]).first()
        if candidate is None:
            raise CommandError(f"There is no candidate {options['candidate']}.")
        made = reproduce(candidate)
        self.stdout.write(made.words)
        if made.text and not made.is_same:
            self.stdout.write(f"\nThen:\n{candidate.text}\n\nNow:\n{made.text}")
