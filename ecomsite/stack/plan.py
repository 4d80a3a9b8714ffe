"""What the local stack is made of: which servers are embedded, which are yours, their ports and their secrets."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.exceptions import PermanentError
from ecomsite import env
from ecomsite.stack.files import write_private
from ecomsite.stack.ports import free_port, is_free

HEADER = "# Written by `manage.py up` at every start; secrets are kept. Real environment variables win over it.\n"
GENERATED: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "LABEL_STUDIO_TOKEN": lambda: secrets.token_hex(20),
    "LABEL_STUDIO_WEBHOOK_SECRET": lambda: secrets.token_urlsafe(32),
}


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


def check_ports(plan: Plan) -> None:
    """Raise `PermanentError` naming each port that is taken and the variable to change."""
    taken = [
        f"Port {port} (for {part}) is already in use; set {variable} to a free one, e.g. {variable}={free_port()}."
        for part, port, variable in plan.ports()
        if not is_free(plan.host if variable == "ECOMSITE_PORT" else "127.0.0.1", port)
    ]
    if taken:
        raise PermanentError("\n".join(taken))


def write_environment(plan: Plan, *, database_url: str = "", broker_url: str = "") -> dict[str, str]:
    """Write var/stack.env (0600), which every `manage.py` command reads, and return its values.

    Secrets that are there already are kept. Addresses are written for embedded servers alone: those of external ones
    carry passwords that are not ours to put on a disk.
    """
    path = plan.var / "stack.env"
    held = env.read_env_file(path)
    values = {name: held.get(name) or generate() for name, generate in GENERATED.items()}
    values["ECOMSITE_PORT"] = str(plan.web_port)
    values["LABEL_STUDIO_PORT"] = str(plan.label_studio_port)
    if not plan.database_url:
        values["DATABASE_URL"] = database_url
    if not plan.broker_url:
        values["CELERY_BROKER_URL"] = broker_url
    write_private(path, HEADER + "".join(f"{name}={value}\n" for name, value in values.items()))
    return values
