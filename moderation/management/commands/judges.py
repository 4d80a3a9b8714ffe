"""`manage.py judges`: how far the judges of claims agree with people, and what the second one was asked today."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from core.command_line import WithExamples
from inference import resolver
from inference.models import Role
from moderation.judging import agreement, chat
from moderation.policy.claim_kinds import POLICY_CLAIMS

HELP = """Tell how far the judges of claims agree with people, on the findings that they confirmed or dismissed: the
model of the question policy_claims, and the second judge behind an endpoint, if there is one.

  manage.py judges
"""


class Command(WithExamples):
    help = HELP

    def handle(self, *args: Any, **options: Any) -> None:
        first, second = resolver.find(POLICY_CLAIMS), resolver.find(Role.JUDGE)
        if first is None:
            self.stdout.write("There is no judge of claims: run `manage.py prepare_models`.")
        else:
            self.stdout.write(f"{first}: {agreement.of_model(first).in_words}")
        if second is None:
            self.stdout.write("There is no second judge: `manage.py register_model URL --role judge` (docs/judges.md).")
            return
        found = agreement.of_chat(second)
        self.stdout.write(f"{second}: {found.in_words}")
        self.stdout.write("What it says counts." if found.counts else "What it says does not count yet.")
        asked, most = chat.asked_today(second), settings.JUDGE.budget_per_day
        self.stdout.write(f"It was asked {asked:,} times today, of {most:,}.")
