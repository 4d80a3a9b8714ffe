"""Is everything there that the desk needs? Each part answers in plain words, with the way out, and without secrets."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
from celery import current_app
from django.conf import settings
from django.db import Error as DBError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from labeling import selectors
from moderation.models.candidates import GenerationRequest
from monitoring import heartbeats

PROBE_TIMEOUT_S = 1.5
LOG_HINT = "See the logs under var/log."


@dataclass(frozen=True)
class Part:
    """One part: `state` is `ok`, `busy` (works, slowly) or `down`; `words` say what is, `hint` what to do."""

    name: str
    state: str
    words: str
    hint: str = ""

    @property
    def is_ok(self) -> bool:
        return self.state != "down"


@dataclass(frozen=True)
class Report:
    """The answers of all parts at one moment."""

    parts: tuple[Part, ...]

    @property
    def is_ready(self) -> bool:
        return all(part.is_ok for part in self.parts)

    @property
    def troubles(self) -> tuple[Part, ...]:
        """The parts that a person should know about."""
        return tuple(part for part in self.parts if part.state != "ok")

    @property
    def completeness(self) -> str:
        """What the last proof says; empty when it is among the troubles, or nobody knows."""
        return next((part.words for part in self.parts if part.name == "completeness" and part.state == "ok"), "")

    def as_json(self) -> dict[str, Any]:
        """Return what /readyz answers."""
        return {
            "status": "ready" if self.is_ready else "not ready",
            "parts": {
                part.name: {"state": part.state, "words": part.words, **({"hint": part.hint} if part.hint else {})}
                for part in self.parts
            },
        }


_is_migrated = False


def check_database() -> Part:
    """Whether the database answers and has the tables of this version."""
    global _is_migrated
    missing = []
    try:
        if _is_migrated:  # nobody takes migrations back under a running process
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        else:
            executor = MigrationExecutor(connection)
            missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DBError:
        return Part(
            "database", "down", "The database does not answer.", "Start the stack (`make run`) or check DATABASE_URL."
        )
    if missing:
        return Part("database", "down", f"{len(missing)} migrations have not been applied.", "Run `manage.py migrate`.")
    _is_migrated = True
    return Part("database", "ok", "The database answers and its tables are up to date.")


def check_broker() -> Part:
    """Whether the message broker takes a connection."""
    try:
        with current_app.connection_for_write(connect_timeout=PROBE_TIMEOUT_S) as broker:
            # Another timeout than the workers': whoever looks at a page does not wait long for a dead server.
            if broker.transport_options and "socket_timeout" in broker.transport_options:
                short = {"socket_timeout": PROBE_TIMEOUT_S, "socket_connect_timeout": PROBE_TIMEOUT_S}
                broker.transport_options = {**broker.transport_options, **short}
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=2)
    except Exception as exc:  # kombu raises whatever its transport raises; the message may hold the address
        return Part(
            "broker",
            "down",
            f"The message broker is out of reach ({type(exc).__name__}); work waits in the database, nothing is lost.",
            "Start the stack (`make run`) or check CELERY_BROKER_URL.",
        )
    return Part("broker", "ok", "The message broker answers.")


def check_label_studio() -> Part:
    """Whether Label Studio says that it is up."""
    url = settings.LABELING["URL"]
    try:
        # Label Studio: GET /health answers {"status": "UP"} without a login.
        answer = httpx.get(f"{url}/health", timeout=PROBE_TIMEOUT_S)
        answer.raise_for_status()
    except httpx.HTTPStatusError as exc:
        words = f"Label Studio answers with an error ({exc.response.status_code})."
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        words = f"Label Studio is out of reach ({type(exc).__name__}); reviewers cannot work until it is back."
    else:
        return Part("label_studio", "ok", "Label Studio answers.")
    return Part("label_studio", "down", words, "Start the stack (`make run`) or check LABEL_STUDIO_URL.")


def check_traffic() -> Part:
    """Whether Label Studio takes what we send: a task that it refuses is tried again, but a person should know."""
    n_failing = selectors.health().n_failing
    if n_failing:
        return Part(
            "labelling",
            "busy",
            f"{n_failing} labelling task(s) could not be sent to Label Studio yet; they are tried again.",
            "The list of labelling tasks shows the error of each.",
        )
    return Part("labelling", "ok", "Label Studio takes what is sent to it.")


def check_completeness() -> Part:
    """Whether everything in Label Studio is accounted for: by the last proof, which must not be too old."""
    proved = selectors.completeness()
    if proved.open_questions:
        return Part(
            "completeness",
            "busy",
            f"Not everything in Label Studio is accounted for. {' '.join(proved.open_questions)}",
            "Run `manage.py prove_completeness`; the runbook says what to do about what it finds.",
        )
    if proved.overdue:
        return Part(
            "completeness",
            "busy",
            f"{' and '.join(proved.overdue)}: not compared with Label Studio for more than a day.",
            "Run `manage.py prove_completeness`, which says what stops it. Do beat and the worker for “external” run?",
        )
    if proved.proved_at is None:
        return Part("completeness", "ok", "Nothing in Label Studio has had to be accounted for yet.")
    age = _in_words(timezone.now() - proved.proved_at)
    words = f"{proved.n_accounted:,} of {proved.n_tasks:,} tasks in Label Studio accounted for, {age} ago."
    return Part("completeness", "ok", words)


def check_workers(*, broker_is_up: bool) -> list[Part]:
    """Whether a message from beat comes through each queue, and if not, which of the two is missing."""
    ages = heartbeats.ages()
    if not broker_is_up:
        words = "Workers cannot be reached while the broker is down."
        return [Part(f"worker_{queue}", "down", words, "Bring the broker back first.") for queue in ages]
    answering = _answering_workers() if any(_is_stale(age) for age in ages.values()) else None
    return [_check_worker(queue, age, answering=answering) for queue, age in ages.items()]


def _is_stale(age: dt.timedelta | None) -> bool:
    return age is None or age > heartbeats.STALE_AFTER


def _answering_workers() -> int:
    """How many workers answer a ping. Only asked when a heartbeat is missing: it tells a dead worker from a dead beat."""
    try:
        return len(current_app.control.ping(timeout=0.7) or ())
    except Exception:  # kombu raises whatever its transport raises
        return 0


def _check_worker(queue: str, age: dt.timedelta | None, *, answering: int | None) -> Part:
    name = f"worker_{queue}"
    if not _is_stale(age):
        return Part(name, "ok", f"Queue “{queue}”: work gets through.")
    if queue == "gpu" and _is_drafting():
        # The model's worker does one thing at a time: its heartbeat waits until the batch is written.
        return Part(name, "busy", "The model is writing a batch; on a processor that takes minutes.")
    since = "never yet" if age is None else f"not for {_in_words(age)}"
    if answering:
        return Part(
            name,
            "down",
            f"Queue “{queue}”: work got through {since}, though {answering} worker(s) answer.",
            f"Is `celery beat` running, and a worker for “{queue}”? {LOG_HINT}",
        )
    return Part(
        name,
        "down",
        f"Queue “{queue}”: work got through {since}; no worker answers.",
        f"Start the stack (`make run`), or a Celery worker for the queue “{queue}”. {LOG_HINT}",
    )


def _is_drafting() -> bool:
    return GenerationRequest.objects.filter(
        status=GenerationRequest.Status.GENERATING, lease_expires_at__gt=timezone.now()
    ).exists()


def _in_words(age: dt.timedelta) -> str:
    seconds = int(age.total_seconds())
    if seconds < 120:
        return f"{seconds} seconds"
    if seconds < 7200:
        return f"{seconds // 60} minutes"
    return f"{seconds // 3600} hours"


def report() -> Report:
    """Ask every part now; the servers at the same time, each with a short timeout."""
    database = check_database()
    probes: list[Callable[[], Part]] = [check_broker, check_label_studio]
    with ThreadPoolExecutor(len(probes)) as pool:
        broker, label_studio = pool.map(lambda probe: probe(), probes)
    if not database.is_ok:
        return Report((database, broker, label_studio))
    return Report(
        (
            database,
            broker,
            *check_workers(broker_is_up=broker.is_ok),
            label_studio,
            check_traffic(),
            check_completeness(),
        )
    )


_latest: tuple[float, Report] | None = None
_lock = threading.Lock()


def recent_report(*, max_age_s: float = 5) -> Report:
    """Return a report at most `max_age_s` old: a page that many people watch asks the servers once."""
    global _latest
    with _lock:
        if _latest is None or time.monotonic() - _latest[0] > max_age_s:
            _latest = (time.monotonic(), report())
        return _latest[1]
