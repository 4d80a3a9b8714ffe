"""`manage.py label_studio_door`: the door before a Label Studio of your own, as a small reverse proxy."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from gunicorn.app.base import BaseApplication

from labeling.door.middleware import Door, Settings
from labeling.door.upstream import Forward

OPEN = "The door of Label Studio is open"
THREADS = 16


class Command(BaseCommand):
    help = (
        "Serve the door in front of a Label Studio of your own (LABEL_STUDIO_URL): people reach what is theirs to "
        "answer, and nothing else. Their browsers reach it at LABEL_STUDIO_DOOR_URL. The embedded Label Studio has it "
        "built in."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("bind", nargs="?", default="8081", help="port, or address:port (127.0.0.1:8081)")

    def handle(self, *args: Any, **options: Any) -> None:
        address, _, port = str(options["bind"]).rpartition(":")
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise CommandError(f"Not an address to listen on: {options['bind']!r}.")
        labeling = settings.LABELING
        try:
            door_settings = Settings(
                key=labeling.door_key,
                token=labeling.token,
                desk=labeling.webhook_url,
                console=settings.SITE_URL,
                url=labeling.door_url,
            )
            forward = Forward(labeling.url)
        except ValueError as exc:
            raise CommandError(f"{exc}: set LABEL_STUDIO_DOOR_KEY, LABEL_STUDIO_TOKEN and LABEL_STUDIO_URL.") from exc
        # It asks the desk over HTTP, and needs no table itself.
        connections.close_all()
        _Server(Door(forward, door_settings, host=forward.host), f"{address or '127.0.0.1'}:{port}").run()


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, application: Door, bind: str) -> None:
        self._application, self._bind = application, bind
        super().__init__()

    def load_config(self) -> None:
        options = {
            "bind": self._bind,
            "worker_class": "gthread",
            "workers": 1,
            "threads": THREADS,
            "graceful_timeout": 10,
            "preload_app": True,
            "control_socket_disable": True,
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            "when_ready": lambda server: sys.stdout.write(f"{OPEN}\n") and sys.stdout.flush(),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Door:
        return self._application
