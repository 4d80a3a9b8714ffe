"""`manage.py policy_record`: what people said to each rule of the policy in force, and which are proposed for less."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import CommandParser

from core.command_line import WithExamples
from moderation import policy_versions
from moderation.live import rule_proposals
from moderation.models.rule_proposals import RuleProposal
from moderation.policy_record import RuleRecord, record_of

if TYPE_CHECKING:
    from labeling.quality.intervals import Estimate

HELP = """Show what reviewers said to each rule of the policy in force: in how many drafts it asked something, in how
many it was confirmed and dismissed, and the share confirmed with its 95 % interval. A rule whose interval lies under
its floor is proposed for a softer severity; a person accepts or declines that in the console, under Policies.

  manage.py policy_record                what became of each rule, and what is proposed
  manage.py policy_record --days 30      of the last 30 days
  manage.py policy_record --locale zh-Hans
  manage.py policy_record --propose      look now for rules under their floor, not within the hour
"""

MOST_DAYS = 36_500


class Command(WithExamples):
    help = HELP

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days", type=int, default=settings.POLICY_RULES.days, help="how far back (default: %(default)s)"
        )
        parser.add_argument("--locale", default="", help="drafts in this language alone")
        parser.add_argument("--propose", action="store_true", help="propose what is under its floor now")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["propose"]:
            made = rule_proposals.propose()
            self.stdout.write(f"{len(made)} new proposal{'' if len(made) == 1 else 's'}.")
        days = min(max(1, options["days"]), MOST_DAYS)
        version = policy_versions.policy_in_force().version
        self.stdout.write(f"Policy {version.number}, drafts of the last {days} days:")
        rules = [one for one in record_of(version, days=days) if one.total.drafts]
        for one in sorted(rules, key=lambda one: (-one.total.drafts, one.name)):
            self._show(one, options["locale"])
        if not rules:
            self.stdout.write("  No rule has asked a person anything.")
        for proposal in RuleProposal.objects.filter(status=RuleProposal.Status.OPEN):
            self.stdout.write(f"Proposed: {proposal} (at most {proposal.high:.0%}, floor {proposal.floor:.0%})")

    def _show(self, one: RuleRecord, locale: str) -> None:
        tally = one.locales.get(locale) if locale else one.total
        if tally is not None:
            self.stdout.write(
                f"  {one.name:<42} {one.severity:<5} {tally.drafts:>6,} drafts  {tally.confirmed:>6,} confirmed  "
                f"{tally.dismissed:>6,} dismissed  {_share(tally.share)}"
            )


def _share(share: Estimate) -> str:
    if share.value is None:
        return "too few for a share"
    return f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%})"
