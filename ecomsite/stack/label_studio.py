"""The embedded Label Studio: the real server, in a virtual environment and a database of its own, on 127.0.0.1.

It runs under gunicorn rather than under the development server that `label-studio start` is. Its environment is made
from nothing: Label Studio reads names as common as `HOST`, `DEBUG` and `PASSWORD`, and ours must not leak in.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

from core.exceptions import PermanentError
from ecomsite.env import BASE_DIR
from ecomsite.stack.files import write_private
from ecomsite.stack.ports import is_free
from ecomsite.stack.processes import Child, Program, launch

SCRIPT = Path(__file__).with_name("serve_label_studio.py")
READY = "Label Studio is ready"


@dataclass(frozen=True)
class Person:
    """An account of Label Studio. `token` is its API token: 40 hex digits."""

    email: str
    password: str = field(repr=False)
    token: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)
    is_admin: bool = False


@dataclass(frozen=True)
class DoorOptions:
    """What the door in Label Studio's process has to know (`labeling.door.middleware.Settings`)."""

    key: str = field(repr=False)
    # Our address as Label Studio reaches it, and as people's browsers do.
    desk: str
    console: str


@dataclass
class LabelStudio:
    """One Label Studio with its files in `root` on 127.0.0.1:`port`, its tables in `database_url`."""

    root: Path
    port: int
    database_url: str = field(repr=False)
    # Account whose token our side uses; made on start, with a password nobody knows.
    token: str = field(repr=False)
    # As people's browsers reach it. Default: http://127.0.0.1:`port`.
    url: str = ""
    # None: whoever reaches the port reaches Label Studio itself, as with one of your own.
    door: DoorOptions | None = None
    venv: Path = BASE_DIR / ".venv-label-studio"
    # Default: label-studio.log in `root`.
    log_file: Path | None = None
    child: Child | None = None

    def __post_init__(self) -> None:
        self.url = self.url or f"http://127.0.0.1:{self.port}"
        self.log_file = self.log_file or self.root / "label-studio.log"
        self.people_file = self.root / "people.json"
        self.door_file = self.root / "door.json"
        self.accounts_file = self.root / "accounts.json"

    def start(
        self, people: Sequence[Person] = (), *, launch: Callable[[Program], Child] = launch, tier: int = 0
    ) -> None:
        """Start the server, which first makes its tables (once) and `people`. Does not wait: see `wait_until_ready`.

        Raises `PermanentError` when Label Studio is not installed or the port is taken.
        """
        self._check_port()
        self._write_people(people)
        if self.door:
            known = {**asdict(self.door), "token": self.token, "url": self.url}
            write_private(self.door_file, json.dumps(known))
        assert self.log_file is not None  # noqa: S101  (set in __post_init__)
        self.child = launch(
            Program(
                "label-studio",
                [self._python(), SCRIPT, "serve", str(self.port)],
                self.log_file,
                tier=tier,
                port=self.port,
                environment=self.environment(),
                folder=self.root,
                # gunicorn answers SIGTERM by finishing the requests it has.
                death_signal=signal.SIGTERM,
            )
        )

    def wait_until_ready(self, timeout: float = 240) -> None:
        """Wait until *our* server answers. Raises `PermanentError` with the end of its log when it does not.

        A first start takes about 45 s on two cores, a later one about 8 s.
        """
        deadline = time.monotonic() + timeout
        while not self.is_ready():
            if self.child is None or not self.child.running or time.monotonic() > deadline:
                output = self.child.last_lines(12) if self.child else ""
                self.stop()
                raise PermanentError(f"Label Studio did not start:\n{output}", hint=f"The whole log: {self.log_file}")
            time.sleep(0.1)

    def is_ready(self) -> bool:
        """Whether our child holds the port and answers: another server's answer on that port does not count."""
        if self.child is None or not self.child.running or READY not in self.child.output():
            return False
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def stop(self) -> None:
        """Finish the requests at hand and end."""
        if self.child is not None:
            self.child.stop()

    def bootstrap(self, people: Sequence[Person]) -> None:
        """Make or update the accounts of `people`, also while the server runs. Takes about 6 s."""
        self._write_people(people)
        done = subprocess.run(  # noqa: S603  (our own script, no shell)
            [self._python(), SCRIPT, "people"],
            env=self.environment(),
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            tail = "\n".join(done.stderr.strip().splitlines()[-8:])
            raise PermanentError(f"The accounts of Label Studio could not be made:\n{tail}")

    def environment(self) -> dict[str, str]:
        """Return the whole environment of the server."""
        database = urlsplit(self.database_url)
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR") if name in os.environ}
        return {
            **kept,
            "HOME": str(self.root),
            "PYTHONUNBUFFERED": "1",
            # The script stands beside this file, whose name would otherwise hide the package.
            "PYTHONSAFEPATH": "1",
            "ECOMSITE_PEOPLE": str(self.people_file),
            **({"ECOMSITE_DOOR": str(self.door_file)} if self.door else {}),
            "LABEL_STUDIO_BASE_DATA_DIR": str(self.root / "data"),
            "LABEL_STUDIO_HOST": self.url,
            "DJANGO_DB": "default",
            "POSTGRE_HOST": database.hostname or "127.0.0.1",
            "POSTGRE_PORT": str(database.port or 5432),
            "POSTGRE_USER": unquote(database.username or ""),
            "POSTGRE_PASSWORD": unquote(database.password or ""),
            "POSTGRE_NAME": unquote(database.path.lstrip("/")),
            "LOG_LEVEL": "WARNING",
            # Accounts are ours to give.
            "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
            "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
            # Nothing leaves the machine: no statistics, no look for newer versions, no error reports.
            "COLLECT_ANALYTICS": "false",
            "LATEST_VERSION_CHECK": "false",
            "FEATURE_FLAGS_OFFLINE": "true",
            "SENTRY_DSN": "",
            "FRONTEND_SENTRY_DSN": "",
            # Our webhook receiver is on 127.0.0.1, which Label Studio otherwise refuses to call.
            "SSRF_PROTECTION_ENABLED": "false",
            "USE_DEFAULT_BANNED_SUBNETS": "false",
            # A webhook is sent inside the reviewer's request: one second at most, and the reconcile finds what got
            # lost.
            "WEBHOOK_TIMEOUT": "1.0",
            # Hand a task that somebody looked at and left to the next person within the hour, not the day.
            "TASK_LOCK_TTL": "3600",
        }

    def _python(self) -> Path:
        python = self.venv / "bin" / "python"
        if not python.exists():
            raise PermanentError(f"Label Studio is not installed in {self.venv}.", hint="Run `make setup`.")
        return python

    def _write_people(self, people: Sequence[Person]) -> None:
        (self.root / "data").mkdir(parents=True, exist_ok=True)
        service = Person("ecomsite@localhost.localdomain", self._service_password(), self.token, is_admin=True)
        write_private(self.people_file, json.dumps([asdict(person) for person in (service, *people)]))

    def _service_password(self) -> str:
        # The same each time, so that the account is not rewritten, and that nobody can log in with.
        path = self.root / "service-password"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(32))
        return path.read_text()

    def _check_port(self) -> None:
        if not is_free("127.0.0.1", self.port):
            raise PermanentError(
                f"Port {self.port} (for Label Studio) is already in use.", hint="Set LABEL_STUDIO_PORT to a free one."
            )
