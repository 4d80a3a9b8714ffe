"""The brokers that the fault tests run on, each a real server of their own: it can be killed, emptied and started again."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import redis
from amqp import NotFound
from kombu import Connection

from ecomsite.stack.broker import Broker
from ecomsite.stack.ports import free_port
from ecomsite.stack.processes import Child, Program, launch

QUEUES = ("default", "external", "gpu")


class Server(Protocol):
    """What the tests ask of a broker."""

    root: Path
    child: Child | None

    def url(self) -> str: ...
    def start(self, *, launch: Callable[[Program], Child] = launch) -> None: ...
    def answers(self) -> bool: ...
    def empty(self) -> None: ...
    def messages(self) -> int: ...


class Valkey(Broker):
    """The embedded one, or, with `binary`, a Redis: same protocol, same configuration."""

    def answers(self) -> bool:
        """Whether it takes orders."""
        try:
            with redis.Redis.from_url(self.url(), socket_connect_timeout=2, socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def empty(self) -> None:
        """FLUSHALL, under everybody's feet."""
        with redis.Redis.from_url(self.url()) as client:
            client.flushall()

    def messages(self) -> int:
        """Messages that wait or are being worked on."""
        with redis.Redis.from_url(self.url()) as client:
            return sum(int(client.llen(queue)) for queue in QUEUES) + int(client.hlen("unacked"))


@dataclass
class RabbitMQ:
    """A node of its own, with this machine's RabbitMQ."""

    root: Path
    port: int
    child: Child | None = None
    environment: dict[str, str] = field(default_factory=dict)

    SBIN = next(iter(sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin"))), None)

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        config = self.root / "rabbitmq.conf"
        config.write_text(f"listeners.tcp.default = 127.0.0.1:{self.port}\n")
        (self.root / "enabled_plugins").write_text("[].\n")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root),
            "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": f"faults-{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self.root / "data"),
            "RABBITMQ_LOG_BASE": str(self.root / "log"),
            "RABBITMQ_CONFIG_FILE": str(config),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.root / "enabled_plugins"),
        }

    def url(self) -> str:
        """Return its address as Celery wants it."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self, *, launch: Callable[[Program], Child] = launch, timeout: float = 90) -> None:
        """Start the node and wait until it answers."""
        assert self.SBIN is not None
        command = [self.SBIN / "rabbitmq-server"]
        log = self.root / "broker.log"
        self.child = launch(Program("broker", command, log, environment=self.environment, folder=self.root))
        deadline = time.monotonic() + timeout
        while not self.answers():
            assert self.child.running, self.child.last_lines(20)
            assert time.monotonic() < deadline, self.child.last_lines(20)
            time.sleep(0.2)

    def answers(self) -> bool:
        """Whether it takes orders."""
        try:
            with Connection(self.url(), connect_timeout=2) as connection:
                connection.connect()
                return True
        except Exception:
            return False

    def empty(self) -> None:
        """Delete the queues with all that is in them, under everybody's feet."""
        with Connection(self.url()) as connection:
            for queue in QUEUES:
                connection.default_channel.queue_delete(queue)

    def messages(self) -> int:
        """Messages that wait; those being worked on only rabbitmqctl tells, which takes seconds to start."""
        with Connection(self.url()) as connection:
            channel = connection.default_channel
            try:
                return sum(int(channel.queue_declare(queue, passive=True).message_count) for queue in QUEUES)
            except NotFound:
                return 0

    def types(self) -> dict[str, str]:
        """Return the type of each queue there is."""
        said = self._ctl("list_queues", "name", "type", "--silent", "--no-table-headers")
        return dict(line.split("\t") for line in said.splitlines() if "\t" in line)

    def _ctl(self, *arguments: str) -> str:
        assert self.SBIN is not None
        done = subprocess.run(
            [str(self.SBIN / "rabbitmqctl"), "-n", self.environment["RABBITMQ_NODENAME"], *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout


def find(kind: str, root: Path) -> Server | None:
    """Return a broker of `kind` (valkey, redis, rabbitmq), not started; None when this machine has none."""
    if kind == "valkey":
        return Valkey(root, free_port())
    if kind == "redis":
        binary = shutil.which("redis-server")
        return Valkey(root, free_port(), binary=Path(binary)) if binary else None
    return RabbitMQ(root, free_port()) if RabbitMQ.SBIN else None
