"""`manage.py run_trainer`: one of the processes that share a training; a training worker starts them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from training.trainers import launch


class Command(BaseCommand):
    help = "Do one process's part of a training. Started by a training worker for each GPU, not by people."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="where the worker left what to do")

    def handle(self, *args: Any, **options: Any) -> None:
        launch.work(options["folder"])
