"""`manage.py register_model SOURCE`: bring a model into the registry."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.command_line import actor_from, add_by, pairs_from
from core.exceptions import EcomsiteError
from training import approvals, registry
from training.registration import Source, register_source
from training.roles import roles


class Command(BaseCommand):
    help = """Store, try and register a model. SOURCE is one of

      a directory with safetensors weights and a tokenizer,
      a hub id such as Qwen/Qwen3-0.6B (needs a way to the hub),
      the address of an OpenAI-compatible endpoint up to and with /v1 (give --model; put the key into an environment
      variable INFERENCE_API_KEY_… of the workers and name it with --option api_key_env=…).

    Examples: register_model ~/models/qwen3-0.6b --role copywriter --locales en,zh-Hans --promote --by ml@example.com
              register_model http://127.0.0.1:8001/v1 --model qwen3 --role copywriter --locales en,zh-Hans"""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        import argparse

        return super().create_parser(
            prog_name, subcommand, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", metavar="SOURCE")
        parser.add_argument("--role", required=True, choices=roles())
        parser.add_argument("--locales", required=True, help="languages it works in, e.g. en,zh-Hans")
        parser.add_argument("--backend", default="", help="key of settings.INFERENCE.backends; found from the source")
        parser.add_argument("--name", default="", help="what people call it; the last part of SOURCE otherwise")
        parser.add_argument("--model", default="", help="name of the model at the endpoint")
        parser.add_argument("--licence", default="", help="SPDX name of the licence of the weights")
        parser.add_argument(
            "--option",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="for the back end; JSON or text; repeatable",
        )
        parser.add_argument(
            "--promote",
            action="store_true",
            help="let it in as the champion of its role; where others have to agree, too, as the first of them (--by)",
        )
        add_by(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        actor = actor_from(options["by"])
        settings_of_backend = pairs_from(options["option"], option="--option")
        if options["model"]:
            settings_of_backend["model"] = options["model"]
        source = Source(
            location=options["source"],
            role=options["role"],
            locales=[part.strip() for part in options["locales"].split(",") if part.strip()],
            backend=options["backend"],
            name=options["name"],
            options=settings_of_backend,
            licence=options["licence"],
        )
        try:
            version = register_source(source, actor=actor)
            self.stdout.write(self.style.SUCCESS(f"{version} is registered: {version.artifact_hash or version.source}"))
            if options["promote"]:
                moved = registry.promote_or_approve(version, actor=actor, reason="let in when it was registered")
                self.stdout.write("It is the champion of its role now." if moved else approvals.in_words(version))
        except (EcomsiteError, PermissionDenied) as exc:
            raise CommandError(str(exc)) from exc
