"""`manage.py webhooks`: endpoints, their secrets, and dead letters from the command line."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from core.command_line import actor_from, add_by
from core.exceptions import EcomsiteError
from outbox import endpoints, replay
from outbox.models import Endpoint
from outbox.selectors import with_counts


class Command(BaseCommand):
    help = """Webhooks that go out: who is told of what.

      webhooks add https://shop.example.com/hooks --event copy.published --event copy.retired
      webhooks list
      webhooks test ENDPOINT
      webhooks rotate ENDPOINT
      webhooks disable ENDPOINT --reason "moved"
      webhooks enable ENDPOINT
      webhooks replay ENDPOINT --since 2026-11-25T14:00

    ENDPOINT is the id that `webhooks list` shows. A signing secret is printed once, when it is made."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs["formatter_class"] = argparse.RawDescriptionHelpFormatter
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
        acts.add_parser("list", help="every endpoint with its state")
        adding = acts.add_parser("add", help="add an endpoint; prints its secret, once")
        adding.add_argument("url", metavar="URL", help="where webhooks go; https://…")
        adding.add_argument(
            "--event", action="append", choices=list(settings.OUTBOX.event_types), help="default: every type"
        )
        adding.add_argument("--description", default="", help="what people call it")
        rotating = acts.add_parser(
            "rotate", help="make a new secret and print it, once; the old one signs for a day more"
        )
        rotating.add_argument("--at-once", action="store_true", help="the old one has leaked: stop using it now")
        replaying = acts.add_parser("replay", help="send the dead letters of an endpoint again")
        replaying.add_argument("--since", type=_time, help="events from this time on, e.g. 2026-11-25T14:00")
        replaying.add_argument("--until", type=_time, help="events before this time")
        disabling = acts.add_parser("disable", help="stop sending; what is on its way waits")
        disabling.add_argument("--reason", required=True, help="one sentence for the ledger; no personal data")
        enabling = acts.add_parser("enable", help="send again")
        testing = acts.add_parser("test", help="send a test event")
        for act in (rotating, replaying, disabling, enabling, testing):
            act.add_argument("endpoint", metavar="ENDPOINT", help="its id")
        for act in (adding, rotating, replaying, disabling, enabling, testing):
            add_by(act)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            said = getattr(self, f"_{options['act']}")(options)
        except (EcomsiteError, PermissionDenied) as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(said)

    def _list(self, options: dict[str, Any]) -> str:
        lines = [
            f"{endpoint.pk}  {endpoint.status:<8}  {endpoint.pending} pending, {endpoint.dead} dead  {endpoint.host}"
            f"  {','.join(endpoint.event_types)}  {endpoint.last_error}".rstrip()
            for endpoint in with_counts(Endpoint.objects.all())
        ]
        return "\n".join(lines) or "There are no endpoints; `webhooks add URL` makes one."

    def _add(self, options: dict[str, Any]) -> str:
        types = options["event"] or list(settings.OUTBOX.event_types)
        endpoint, secret = endpoints.add_endpoint(
            options["url"], event_types=types, description=options["description"], actor=actor_from(options["by"])
        )
        return f"{endpoint.pk} added. Its secret, shown this once:\n{secret}"

    def _rotate(self, options: dict[str, Any]) -> str:
        at_once = options["at_once"]
        secret = endpoints.rotate_secret(_endpoint(options), actor=actor_from(options["by"]), at_once=at_once)
        return f"The new secret, shown this once:\n{secret}"

    def _replay(self, options: dict[str, Any]) -> str:
        n = replay.replay_endpoint(
            _endpoint(options), actor=actor_from(options["by"]), since=options["since"], until=options["until"]
        )
        return f"{n} dead letter(s) are on their way again."

    def _disable(self, options: dict[str, Any]) -> str:
        endpoints.disable_endpoint(_endpoint(options), actor=actor_from(options["by"]), reason=options["reason"])
        return "Disabled."

    def _enable(self, options: dict[str, Any]) -> str:
        endpoints.enable_endpoint(_endpoint(options), actor=actor_from(options["by"]))
        return "Enabled."

    def _test(self, options: dict[str, Any]) -> str:
        return f"{endpoints.send_test(_endpoint(options), actor=actor_from(options['by'])).pk} is on its way."


def _endpoint(options: dict[str, Any]) -> Endpoint:
    try:
        return Endpoint.objects.get(pk=options["endpoint"])
    except (Endpoint.DoesNotExist, ValidationError):
        raise CommandError(f"There is no endpoint {options['endpoint']}; see `webhooks list`.") from None


def _time(text: str) -> dt.datetime:
    parsed = parse_datetime(text)
    if parsed is None:
        raise argparse.ArgumentTypeError(f"a time such as 2026-11-25T14:00, not {text!r}")
    return parsed if parsed.tzinfo else timezone.make_aware(parsed)
