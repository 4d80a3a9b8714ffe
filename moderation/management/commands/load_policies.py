"""`manage.py load_policies`: compare the policy files with what is in force, and put them in force."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import CommandError, CommandParser

from core.actors import SystemActor
from core.command_line import WithExamples, actor_from, add_by
from core.exceptions import EcomsiteError
from moderation import policy_versions
from moderation.live import rule_proposals
from moderation.models.policies import PolicyActivation, PolicyVersion

HELP = """Compare the reviewed policy files (moderation/policy/packs, facts_graph.yaml) with the policy in force, rule
by rule, and put them in force. Every version is kept as it was; each change names who and why, and is a line in the
ledger.

  manage.py load_policies --dry-run                            what would change
  manage.py load_policies --store-only --by kim                keep it as a version, to try it with retro_scan first
  manage.py load_policies --by kim --reason "green claims"     put the files in force
  manage.py load_policies --activate 3 --by kim --reason "…"   put a stored version in force, an older one as well
  manage.py load_policies --list                               all versions, and when which was in force
"""


class Command(WithExamples):
    help = HELP

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--dry-run", action="store_true", help="show what would change, change nothing")
        what.add_argument("--store-only", action="store_true", help="keep the files as a version, not in force yet")
        what.add_argument("--activate", type=int, metavar="N", help="put the stored version N in force")
        what.add_argument("--list", action="store_true", help="list the versions and when they were in force")
        parser.add_argument("--reason", default="", help="why the policy changes; needed to put one in force")
        add_by(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["list"]:
                self._list()
            else:
                self._load(options)
        except (EcomsiteError, PermissionDenied) as exc:
            raise CommandError(str(exc)) from exc

    def _load(self, options: dict[str, Any]) -> None:
        now = policy_versions.policy_in_force().version
        number = options["activate"]
        content = policy_versions.content_now() if number is None else self._version(number).content
        lines = policy_versions.difference(now.content, content)
        for line in lines:
            self.stdout.write(f"  {line}")
        for softened in rule_proposals.taken_back(now.content, content):
            self.stdout.write(
                self.style.WARNING(f"  {softened.pack}.{softened.rule} was made {softened.softer}")
                + f" on {softened.answered_at:%Y-%m-%d} by proposal {softened.pk}; this would undo it. "
                "Change the file as well."
            )
        if not lines:
            self.stdout.write(f"Nothing differs from policy {now.number}, which is in force.")
            return
        if options["dry_run"]:
            self.stdout.write(f"{len(lines)} differences from policy {now.number}. Nothing was changed.")
            return
        actor = actor_from(options["by"])
        if isinstance(actor, SystemActor):
            raise CommandError("A policy is changed by a person: say who with --by USERNAME.")
        if not options["store_only"] and not options["reason"].strip():
            raise CommandError("A change of policy needs a reason: say why with --reason.")
        version, _ = policy_versions.store_version(content, actor=actor)
        if options["store_only"]:
            self.stdout.write(self.style.SUCCESS(f"Kept as policy {version.number}") + ", not in force.")
            return
        policy_versions.activate(version, actor=actor, reason=options["reason"])
        self.stdout.write(self.style.SUCCESS(f"Policy {version.number} is in force") + f" ({version.content_hash}).")

    def _version(self, number: int) -> PolicyVersion:
        version = PolicyVersion.objects.filter(number=number).first()
        if version is None:
            raise CommandError(f"There is no policy {number}: see --list.")
        return version

    def _list(self) -> None:
        for version in PolicyVersion.objects.defer("content"):
            self.stdout.write(
                f"policy {version.number}  {version.content_hash}  kept {version.created_at:%Y-%m-%d %H:%M}"
            )
        for change in PolicyActivation.objects.select_related("version", "by").defer("version__content"):
            who = change.by.username if change.by else "the software"
            self.stdout.write(
                f"{change.at:%Y-%m-%d %H:%M}  policy {change.version.number} in force, by {who}: {change.reason}"
            )
