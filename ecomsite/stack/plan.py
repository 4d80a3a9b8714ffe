"""What the local stack is made of: which servers are embedded, which are yours, their ports and their secrets."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.exceptions import PermanentError
from ecomsite import env
from ecomsite.stack.files import write_private
from ecomsite.stack.ports import free_port, is_free, is_taken, obstacle

HEADER = "# Written by `manage.py up` at every start; secrets are kept. Real environment variables win over it.\n"
# From the usual one on: so many in a row are hardly ever taken.
PORTS_TRIED = 100
GENERATED: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "LABEL_STUDIO_TOKEN": lambda: secrets.token_hex(20),
    "LABEL_STUDIO_WEBHOOK_SECRET": lambda: secrets.token_urlsafe(32),
    "LABEL_STUDIO_DOOR_KEY": lambda: secrets.token_urlsafe(32),
}
# Variable → the field of the plan that it sets.
PORT_FIELDS = {
    "ECOMSITE_PORT": "web_port",
    "LABEL_STUDIO_PORT": "label_studio_port",
    "LABEL_STUDIO_DOOR_PORT": "door_port",
    "ECOMSITE_POSTGRES_PORT": "postgres_port",
    "ECOMSITE_BROKER_PORT": "broker_port",
}
# Each of these says by which address others reach the web server: with one of them set, its port cannot move.
WEB_ADDRESSES = ("SITE_URL", "LABEL_STUDIO_WEBHOOK_URL")


@dataclass(frozen=True)
class Plan:
    """The parts of one installation. A server whose address the environment gives is external: we do not start it."""

    var: Path
    host: str
    web_port: int
    label_studio_port: int
    postgres_port: int
    broker_port: int
    # Empty: embedded.
    database_url: str
    broker_url: str
    label_studio_url: str
    label_studio_database_url: str
    # Of the door before a Label Studio of yours; the embedded one has it built in.
    door_port: int = 8081
    # Set: the door stands there already, and is not ours to start.
    door_url: str = ""

    @property
    def needs_postgres(self) -> bool:
        return not self.database_url or (not self.label_studio_url and not self.label_studio_database_url)

    @property
    def external(self) -> dict[str, str]:
        """The servers that are not ours, name to address."""
        given = {"database": self.database_url, "broker": self.broker_url, "label-studio": self.label_studio_url}
        return {name: url for name, url in given.items() if url}

    @property
    def site_url(self) -> str:
        return env.given("SITE_URL").rstrip("/") or f"http://127.0.0.1:{self.web_port}"

    @property
    def label_studio_address(self) -> str:
        return self.label_studio_url or f"http://127.0.0.1:{self.label_studio_port}"

    @property
    def needs_door(self) -> bool:
        return bool(self.label_studio_url) and not self.door_url

    @property
    def door_address(self) -> str:
        """Where people's browsers reach the door."""
        if self.door_url or not self.label_studio_url:
            return self.door_url or self.label_studio_address
        return f"http://127.0.0.1:{self.door_port}"

    def fingerprint(self, content: bytes) -> str:
        """Return a digest of `content` and of the servers it was used with."""
        servers = f"{self.database_url} {self.label_studio_url}".encode()
        return hashlib.sha256(servers + content).hexdigest()

    def log(self, name: str) -> Path:
        """Return the log file of the part `name`."""
        return self.var / "log" / f"{name}.log"

    def ports(self) -> Iterator[tuple[str, int, str]]:
        """Yield (part, port, variable that changes it) for everything we are about to start."""
        yield "console and API", self.web_port, "ECOMSITE_PORT"
        if not self.label_studio_url:
            yield "Label Studio", self.label_studio_port, "LABEL_STUDIO_PORT"
        if self.needs_door:
            yield "the door of Label Studio", self.door_port, "LABEL_STUDIO_DOOR_PORT"
        if self.needs_postgres:
            yield "PostgreSQL", self.postgres_port, "ECOMSITE_POSTGRES_PORT"
        if not self.broker_url:
            yield "broker", self.broker_port, "ECOMSITE_BROKER_PORT"


def read_plan() -> Plan:
    """Read the plan from the process environment. Raises `PermanentError` when it contradicts itself."""
    plan = Plan(
        var=env.VAR_DIR,
        host=env.given("ECOMSITE_HOST") or "127.0.0.1",
        web_port=_port("ECOMSITE_PORT", 8000),
        label_studio_port=_port("LABEL_STUDIO_PORT", 8080),
        postgres_port=_port("ECOMSITE_POSTGRES_PORT", 15432),
        broker_port=_port("ECOMSITE_BROKER_PORT", 16379),
        database_url=env.given("DATABASE_URL"),
        broker_url=env.given("CELERY_BROKER_URL"),
        label_studio_url=env.given("LABEL_STUDIO_URL").rstrip("/"),
        label_studio_database_url=env.given("LABEL_STUDIO_DATABASE_URL"),
        door_port=_port("LABEL_STUDIO_DOOR_PORT", 8081),
        door_url=env.given("LABEL_STUDIO_DOOR_URL").rstrip("/"),
    )
    if plan.label_studio_url and not env.given("LABEL_STUDIO_TOKEN"):
        raise PermanentError(
            "LABEL_STUDIO_URL is set but LABEL_STUDIO_TOKEN is not.",
            hint=f"Set it to an access token of an account there ({plan.label_studio_url}/user/account).",
        )
    owners: dict[int, str] = {}
    for _, port, variable in plan.ports():
        if port in owners:
            raise PermanentError(f"{owners[port]} and {variable} are both {port}.", hint="Give them different ports.")
        owners[port] = variable
    return plan


def _port(variable: str, default: int) -> int:
    raw = env.given(variable) or str(default)
    if not raw.isdecimal() or not 0 < int(raw) < 65536:
        raise PermanentError(f"{variable} must be a port number between 1 and 65535, not {raw!r}.")
    return int(raw)


def choose_ports(plan: Plan) -> tuple[Plan, list[str]]:
    """Return the plan with a free port for each part, and a sentence for each port that is not the usual one.

    A port that the environment gives is used or refused. Any other is the one of the last run, for addresses of the
    console stand in bookmarks and in tasks of Label Studio; else the usual one; else the next that is free. Raises
    `PermanentError` naming each part that has no port and the variable to change.
    """
    last = env.read_env_file(plan.var / "stack.env")
    used = {port for _, port, variable in plan.ports() if _is_fixed(variable)}
    chosen: dict[str, Any] = {}
    notes, refused = [], []
    for part, usual, variable in plan.ports():
        host = plan.host if variable == "ECOMSITE_PORT" else "127.0.0.1"
        problem = obstacle(host, usual)
        if _is_fixed(variable) or (problem and not is_taken(problem)):
            refused += [_refusal(part, usual, variable, problem)] if problem else []
            continue
        candidates = (port for port in _candidates(usual, last.get(variable, "")) if port not in used)
        port = next((port for port in candidates if is_free(host, port)), None)
        if port is None:
            refused.append(_refusal(part, usual, variable, problem))
            continue
        if problem or usual in used:
            notes.append(
                f"Port {usual} (for {part}) is already in use, {port} is used instead. Set {variable} to choose."
            )
        elif port != usual:
            notes.append(f"Port {port} (for {part}) is used as last time. Set {variable}={usual} to go back.")
        used.add(port)
        chosen[PORT_FIELDS[variable]] = port
    if refused:
        raise PermanentError("\n".join(refused))
    return replace(plan, **chosen), notes


def _is_fixed(variable: str) -> bool:
    names = (variable, *WEB_ADDRESSES) if variable == "ECOMSITE_PORT" else (variable,)
    return any(env.given(name) for name in names)


def _candidates(usual: int, last: str) -> Iterator[int]:
    if last.isdecimal() and 0 < int(last) < 65536:
        yield int(last)
    yield from range(usual, usual + PORTS_TRIED)


def _refusal(part: str, port: int, variable: str, problem: OSError | None) -> str:
    if problem is None or is_taken(problem):
        free = free_port()
        return f"Port {port} (for {part}) is already in use; set {variable} to a free one, e.g. {variable}={free}."
    names = f"ECOMSITE_HOST and {variable}" if variable == "ECOMSITE_PORT" else variable
    return f"Nothing can listen on port {port} (for {part}): {problem.strerror}. Look at {names}."


def write_environment(
    plan: Plan, *, database_url: str = "", owner_url: str = "", broker_url: str = ""
) -> dict[str, str]:
    """Write var/stack.env (0600), which every `manage.py` command reads, and return its values.

    The URL of the database's owner goes to a file of its own, var/owner.env, which `migrate` alone reads. Secrets that
    are there already are kept. Addresses are written for embedded servers alone: those of external ones carry passwords
    that are not ours to put on a disk.
    """
    path = plan.var / "stack.env"
    held = env.read_env_file(path)
    values = {name: held.get(name) or generate() for name, generate in GENERATED.items()}
    values["ECOMSITE_PORT"] = str(plan.web_port)
    values["LABEL_STUDIO_PORT"] = str(plan.label_studio_port)
    values["LABEL_STUDIO_DOOR_PORT"] = str(plan.door_port)
    if not plan.database_url:
        values["DATABASE_URL"] = database_url
    if not plan.broker_url:
        values["CELERY_BROKER_URL"] = broker_url
    write_private(path, HEADER + "".join(f"{name}={value}\n" for name, value in values.items()))
    owner_file = plan.var / env.OWNER_FILE
    if owner_url:
        write_private(owner_file, f"{HEADER}DATABASE_OWNER_URL={owner_url}\n")
    else:
        owner_file.unlink(missing_ok=True)
    return values
