"""A supervisor of a few real servers in the folder given, for tests to kill: `python supervise.py FOLDER`."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from ecomsite.stack.broker import Broker
from ecomsite.stack.commands import web_command
from ecomsite.stack.ports import free_port
from ecomsite.stack.postgres import Postgres
from ecomsite.stack.processes import Program, Supervisor


def main() -> None:
    """Start PostgreSQL, broker, a prefork worker and a web server with workers, say so, and look after them."""
    folder = Path(sys.argv[1])
    supervisor = Supervisor()
    postgres = Postgres(folder / "postgres", free_port())
    postgres.start(launch=supervisor.launch)
    postgres.create_database("ecomsite")
    broker = Broker(folder / "broker", free_port())
    broker.start(launch=supervisor.launch)
    environment = {
        **os.environ,
        "DATABASE_URL": postgres.url("ecomsite"),
        "CELERY_BROKER_URL": broker.url(),
    }
    programs = Path(sys.executable).parent
    worker = [programs / "celery", "-A", "ecomsite", "worker", "--pool", "prefork", "--concurrency", "2", "-l", "INFO"]
    web = web_command("127.0.0.1", free_port())
    children = [
        supervisor.launch(Program(name, command, folder / f"{name}.log", environment=environment))
        for name, command in {"worker": worker, "web": web}.items()
    ]
    while not (" ready." in children[0].output() and children[1].output().count("Booting worker") == 2):
        assert all(child.running for child in children), [child.last_lines() for child in children]
        threading.Event().wait(0.1)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    supervisor.watch(threading.Event(), every=0.1)


if __name__ == "__main__":
    main()
