"""Starts the parts of a plan in order, each a child of ours, and waits until every one of them works."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from core.exceptions import PermanentError
from ecomsite import env
from ecomsite.env import BASE_DIR
from ecomsite.logins import ensure_passwords
from ecomsite.stack import roles
from ecomsite.stack.broker import Broker
from ecomsite.stack.commands import WORKER_POOLS, beat_command, web_command, worker_command, worker_environment
from ecomsite.stack.label_studio import DoorOptions, LabelStudio, Person
from ecomsite.stack.plan import Plan, write_environment
from ecomsite.stack.postgres import Postgres
from ecomsite.stack.processes import Child, Program, Supervisor, die_with_parent

# From the first to stop to the last.
BEAT, WORKERS, WEB, LABEL_STUDIO, BROKER, POSTGRES = 5, 4, 3, 2, 1, 0

# What `migrate` is told, and nobody else: web and workers shall not know the owner of the tables.
OWNER_VARIABLES = ("DATABASE_OWNER_URL", "DATABASE_OWNER_URL_FILE")

Step = Callable[[str], AbstractContextManager[None]]


@dataclass
class LocalStack:
    """One running installation. `step(title)` is entered around each thing that takes time."""

    plan: Plan
    supervisor: Supervisor
    step: Step
    environment: dict[str, str] = field(default_factory=dict)
    postgres: Postgres | None = None

    def __post_init__(self) -> None:
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in OWNER_VARIABLES},
            "DJANGO_SETTINGS_MODULE": "ecomsite.settings",
            "PYTHONUNBUFFERED": "1",
            # Models come from disk; nothing may look for a newer one on the way.
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_OFFLINE": "1",
        }

    def start(self, *, demo: bool) -> None:
        """Start everything. Raises `PermanentError` with the way out when a part does not come up."""
        plan = self.plan
        plan.log("x").parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        values = self._start_stores()
        label_studio = None if plan.label_studio_url else self._start_label_studio(values)
        # Label Studio takes longest; everything up to where it is waited for happens meanwhile.
        with self.step("Database schema"):
            owner = {name: os.environ[name] for name in OWNER_VARIABLES if name in os.environ}
            self.manage("migrate", "--no-input", environment=owner)
        with self.step("Static files"):
            self.manage("collectstatic", "--no-input")
        with self.step("Logins"):
            self.manage("create_logins")
        with self.step("Models"):
            self.manage("prepare_models")
        web = self._start_web()
        door = self._start_door() if plan.needs_door else None
        workers = [self._start_worker(queues) for queues in WORKER_POOLS]
        with self.step("Console and API"):
            self._wait(web, lambda: self._answer("/healthz") == 200, timeout=60)
        if door is not None:
            with self.step("Door of Label Studio"):
                self._wait_for_output(door, "The door of Label Studio is open")
        with self.step("Workers"):
            for worker in workers:
                self._wait_for_output(worker, " ready.")
        self._start_beat()
        loaded = plan.var / "demo-loaded"
        if demo and not loaded.exists():
            with self.step("Demo shop"):
                self.manage("load_demo")
                # Drafts are written while one watches: one description for each product, then lines and slogans for
                # some.
                self.manage("request_copy", "--all")
                self.manage(
                    "request_copy", "--all", "--limit", "8", "--channel", "recommendation", "--channel", "ad_slogan"
                )
            loaded.touch()
        if label_studio is not None:
            with self.step("Label Studio"):
                label_studio.wait_until_ready()
        synced = plan.var / "accounts-synced"
        logins = (plan.var / "logins.txt").read_bytes()
        if not synced.exists() or synced.read_text() != plan.fingerprint(logins):
            with self.step("Label Studio accounts"):
                self._sync_accounts()
            synced.write_text(plan.fingerprint(logins))
        with self.step("Everything healthy"):
            self._wait_until_healthy()

    def manage(self, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        """Run one `manage.py` command to its end, with `environment` added to ours.

        Raises `PermanentError` with the end of its output.
        """
        done = subprocess.run(  # noqa: S603  (our own command, no shell)
            [sys.executable, BASE_DIR / "manage.py", *arguments],
            cwd=BASE_DIR,
            env={**self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )
        with self.plan.log("setup").open("a") as log:
            log.write(f"--- manage.py {' '.join(arguments)}\n{done.stdout}")
        if done.returncode != 0:
            tail = "\n".join(done.stdout.strip().splitlines()[-12:])
            raise PermanentError(f"`manage.py {' '.join(arguments)}` failed:\n{tail}")

    def _start_stores(self) -> dict[str, str]:
        plan, launch = self.plan, self.supervisor.launch
        database_url = owner_url = broker_url = ""
        if plan.needs_postgres:
            with self.step("PostgreSQL"):
                self.postgres = Postgres(plan.var / "postgres", plan.postgres_port, log_file=plan.log("postgres"))
                place = self.postgres.root
                self.postgres.start(launch=launch, tier=POSTGRES)
                if self.postgres.root != place:
                    self.supervisor.report(
                        f"The database lies in {self.postgres.root}: PostgreSQL's user, nobody, may not enter "
                        f"{plan.var}."
                    )
                if not plan.database_url:
                    database_url, owner_url = roles.prepare_desk(self.postgres)
        if not plan.broker_url:
            with self.step("Broker"):
                broker = Broker(plan.var / "broker", plan.broker_port, log_file=plan.log("broker"))
                broker.start(launch=launch, tier=BROKER)
                broker_url = broker.url()
        return write_environment(plan, database_url=database_url, owner_url=owner_url, broker_url=broker_url)

    def _start_label_studio(self, values: dict[str, str]) -> LabelStudio:
        plan = self.plan
        database_url = plan.label_studio_database_url
        if self.postgres is not None and not database_url:
            database_url = roles.prepare_label_studio(self.postgres)
        label_studio = LabelStudio(
            plan.var / "label-studio",
            plan.label_studio_port,
            database_url,
            # A token given from outside wins here as it does everywhere else.
            env.given("LABEL_STUDIO_TOKEN") or values["LABEL_STUDIO_TOKEN"],
            url=plan.door_url,
            door=DoorOptions(
                env.given("LABEL_STUDIO_DOOR_KEY") or values["LABEL_STUDIO_DOOR_KEY"],
                desk=env.given("LABEL_STUDIO_WEBHOOK_URL").rstrip("/") or plan.site_url,
                console=plan.site_url,
            ),
            log_file=plan.log("label-studio"),
        )
        passwords = ensure_passwords(plan.var / "logins.txt")
        people = [Person(email, password, token="") for email, password in passwords.items()]
        label_studio.start(people, launch=self.supervisor.launch, tier=LABEL_STUDIO)
        return label_studio

    def _start_web(self) -> Child:
        plan = self.plan
        return self._launch("web", web_command(plan.host, plan.web_port), tier=WEB, port=plan.web_port)

    def _start_door(self) -> Child:
        command: list[str | Path] = [
            sys.executable,
            BASE_DIR / "manage.py",
            "label_studio_door",
            str(self.plan.door_port),
        ]
        return self._launch("label-studio-door", command, tier=LABEL_STUDIO, port=self.plan.door_port)

    def _start_worker(self, queues: str) -> Child:
        name = f"worker-{queues.replace(',', '-')}"
        command, own = worker_command(queues, name=name), worker_environment(queues)
        return self._launch(name, command, tier=WORKERS, environment=own)

    def _start_beat(self) -> Child:
        schedule = self.plan.var / "beat" / "schedule"
        schedule.parent.mkdir(exist_ok=True)
        return self._launch("beat", beat_command(schedule), tier=BEAT)

    def _launch(
        self,
        name: str,
        command: list[str | Path],
        *,
        tier: int,
        port: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Child:
        return self.supervisor.launch(
            Program(
                name,
                command,
                self.plan.log(name),
                tier=tier,
                port=port,
                environment={**self.environment, **(environment or {})},
                folder=BASE_DIR,
            )
        )

    def _sync_accounts(self) -> None:
        try:
            self.manage("sync_accounts")
        except PermanentError as exc:
            # The desk works without Label Studio, which another may run and may be down; ours has just answered.
            if not self.plan.label_studio_url:
                raise
            self.supervisor.report(exc.message)

    def _wait_until_healthy(self, *, timeout: float = 60) -> None:
        """Wait until every part has shown that it works, the queues by doing some work. Says so when one has not."""
        deadline = time.monotonic() + timeout
        while self._answer("/readyz") != 200:
            if time.monotonic() > deadline:
                self.supervisor.report(f"Not everything is healthy yet: see {self.plan.site_url}/readyz")
                return
            time.sleep(0.2)

    def _answer(self, path: str) -> int:
        """Return the HTTP status of `path` of our own web server, 0 when it does not answer."""
        # By the name it is known under: a request for any other is refused.
        request = Request(
            f"http://127.0.0.1:{self.plan.web_port}{path}", headers={"Host": urlsplit(self.plan.site_url).netloc}
        )
        try:
            with urlopen(request, timeout=10) as response:  # noqa: S310
                return int(response.status)
        except HTTPError as exc:
            return exc.code
        except (URLError, OSError):
            return 0

    def _wait_for_output(self, child: Child, text: str, *, timeout: float = 90) -> None:
        self._wait(child, lambda: text in child.output(), timeout=timeout)

    def _wait(self, child: Child, done: Callable[[], bool], *, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not done():
            if not child.running or time.monotonic() > deadline:
                raise PermanentError(
                    f"{child.program.name} did not come up:\n{child.last_lines(12)}",
                    hint=f"The whole log: {child.program.log_file}",
                )
            time.sleep(0.1)


def without_password(url: str) -> str:
    """Return `url` fit to be shown."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
