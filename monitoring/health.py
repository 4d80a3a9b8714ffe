"""Is everything there that the desk needs? Each part answers in plain words, with the way out, and without secrets."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx
from celery import current_app
from django.conf import settings
from django.db import Error as DBError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Max, Min
from django.utils import timezone

from core import leases
from core.migrating import half_replaced
from labeling import selectors, side_door
from labeling.models import LabelingProject, WebhookEvent
from moderation.queues.back_pressure import pause_in_words
from moderation.queues.rules import policies
from monitoring import ledger, quarantine, runners
from monitoring.models import MarkCheck
from monitoring.parts import Part, Report, in_words
from outbox import selectors as outbox
from training import drift

PROBE_TIMEOUT_S = 1.5
WEBHOOK_WINDOW = dt.timedelta(hours=1)
WEBHOOK_LATE = dt.timedelta(minutes=2)
# So long an alarm stands for what was found: answers that do not count, and what was changed in Label Studio.
TRUST_WINDOW, MOST_DRIFTS = dt.timedelta(hours=1), 3
MANY_IGNORED, LOOK_BACK = 20, 200  # a few are normal: of projects and tasks that are just being made
OPEN_QUEUE = "People keep up with what is put before them."

_is_migrated = False


def check_database() -> Part:
    """Whether the database answers and has the tables of this version."""
    global _is_migrated
    missing: Sequence[object] = []
    try:
        if _is_migrated:  # nobody takes migrations back under a running process
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        else:
            executor = MigrationExecutor(connection)
            missing = half_replaced(connection) or executor.migration_plan(executor.loader.graph.leaf_nodes())
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
    url = settings.LABELING.url
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


def check_door() -> Part:
    """Whether people reach Label Studio through our door, and through nothing else."""
    found = side_door.look()
    if found.around:
        return Part("door", "alarm", found.around, found.hint)
    if found.away:
        return Part("door", "busy", found.away, found.hint)
    return Part("door", "ok", "People reach Label Studio through the door.")


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


def check_receivers() -> Part:
    """Whether the receivers of webhooks take them: theirs to mend, but somebody here should know."""
    found = outbox.health()
    troubles = [f"nothing gets through to {host}" for host in found.failing[:3]]
    if found.n_dead:
        troubles.append(f"{found.n_dead} dead letter(s) wait to be replayed")
    if troubles:
        words = f"Webhooks: {'; '.join(troubles)}."
        return Part("receivers", "busy", words, "The lists of endpoints and deliveries show the error of each.")
    return Part("receivers", "ok", "Receivers take the webhooks that are sent to them.")


def check_answers() -> Part:
    """Whether all that was answered of late counts: what does not was not given through the door,
    or not by who had the task.
    """
    refused = selectors.trust(since=timezone.now() - TRUST_WINDOW).refused
    if not refused:
        return Part("answers", "ok", "Every answer pulled in the last hour is its author's own.")
    words = "; ".join(f"{n:,} × {why[0].lower()}{why[1:]}" for why, n in sorted(refused.items()))
    words = f"Answers in Label Studio that do not count, in the last hour: {words}."
    hint = "They decided nothing. The list of annotations names them; the runbook says what to ask."
    return Part("answers", "alarm", words, hint)


def check_drift() -> Part:
    """Whether Label Studio is as we set it: its interfaces, webhooks, tasks and accounts."""
    drifts = selectors.trust(since=timezone.now() - TRUST_WINDOW).drifts
    if not drifts:
        return Part("drift", "ok", "Label Studio is as we set it.")
    more = f" And {len(drifts) - MOST_DRIFTS} more." if len(drifts) > MOST_DRIFTS else ""
    words = f"Somebody changed Label Studio: {' '.join(drifts[:MOST_DRIFTS])}{more}"
    hint = "What can be is put right. Ask who did it, and whether Label Studio can be reached around the door."
    return Part("drift", "alarm", words, hint)


def check_champions() -> Part:
    """Whether people agree with what serves as they did, counted on what each day's lot drew."""
    troubles = drift.troubles()
    if not troubles:
        return Part("champions", "ok", "No champion was found to have got worse.")
    words = " ".join(troubles)
    hint = "See Training: roll it back, or train on what people said since and let the next one in."
    return Part("champions", "alarm", words, hint)


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
    age = in_words(timezone.now() - proved.proved_at)
    words = f"{proved.n_accounted:,} of {proved.n_tasks:,} tasks in Label Studio accounted for, {age} ago."
    return Part("completeness", "ok", words)


def check_webhooks() -> Part:
    """Whether what Label Studio tells us is about us, and is followed."""
    Status, recent = WebhookEvent.Status, timezone.now() - WEBHOOK_WINDOW
    newest = WebhookEvent.objects.order_by("-pk").values_list("received_at", "status")[:LOOK_BACK]
    seen = [status for received_at, status in newest if received_at >= recent]
    oldest = leases.claimable(WebhookEvent.objects.filter(status=Status.RECEIVED)).aggregate(at=Min("received_at"))[
        "at"
    ]
    if oldest and (late := timezone.now() - oldest) > WEBHOOK_LATE:
        words = (
            f"Webhooks of Label Studio have not been followed for {in_words(late)}; the reconcile finds the answers."
        )
        return Part("webhooks", "busy", words, "Is there a worker for the queue “external”?")
    if len(seen) >= MANY_IGNORED and set(seen) == {Status.IGNORED}:
        words = f"The last {len(seen)} webhooks, all of the last hour's, were about nothing of ours and were ignored."
        return Part(
            "webhooks",
            "busy",
            words,
            "Another project or another ecomsite may point its webhook here; answers still come by the reconcile.",
        )
    return Part("webhooks", "ok", "What Label Studio tells us is followed.")


def check_marks() -> Part:
    """Whether the shop's pages carry the AI mark, as far as they were read."""
    found = MarkCheck.objects.filter(copy__retired_at=None)
    if n := found.filter(outcome=MarkCheck.Outcome.STRIPPED).count():
        words = f"{n:,} page(s) of the shop show a text of ours without its AI mark."
        return Part(
            "ai_mark",
            "busy",
            words,
            "The list “AI mark on pages” names them; docs/compliance.md says what a page needs.",
        )
    return Part("ai_mark", "ok", "No page of the shop that was read had lost its AI mark.")


def check_quarantine() -> Part:
    """Whether something was given up on after too many attempts."""
    counts = [(entry, n) for entry, n in quarantine.counts() if n]
    if not counts:
        return Part("quarantine", "ok", "Nothing is in quarantine.")
    words = ", ".join(f"{n:,} of “{entry.title}”" for entry, n in counts)
    words = f"In quarantine after too many failures: {words}."
    hint = "Nobody works on these until a person lets them out: see Quarantine, or `manage.py quarantine`."
    return Part("quarantine", "busy", words, hint)


def queue_part(question: str) -> str:
    """Return the name of the part that says that the queue `question` is so long that it is not fed."""
    return f"queue_{question}"


def check_queues() -> list[Part]:
    """Which queues of human work are so long that what feeds them pauses."""
    hint = "An administrator may raise the limit in the queue's rules."
    return [
        Part(queue_part(policy.question), "busy", words, hint)
        if words
        else Part(queue_part(policy.question), "ok", OPEN_QUEUE)
        for policy in policies().values()
        for words in [pause_in_words(policy)]
    ]


def report() -> Report:
    """Ask every part now; the servers at the same time, each with a short timeout."""
    database = check_database()
    probes: list[Callable[[], Part]] = [check_broker, check_label_studio, check_door]
    with ThreadPoolExecutor(len(probes)) as pool:
        broker, label_studio, door = pool.map(lambda probe: probe(), probes)
    if not database.is_ok:
        return Report((database, broker, label_studio, door))
    if not label_studio.is_ok and (reached := LabelingProject.objects.aggregate(at=Max("reconciled_at"))["at"]):
        last = f"{label_studio.words} It was last reached {in_words(timezone.now() - reached)} ago."
        label_studio = dataclasses.replace(label_studio, words=last)
    workers = runners.check(broker_is_up=broker.is_ok)
    traffic = (
        check_traffic(),
        check_webhooks(),
        check_receivers(),
        check_answers(),
        check_drift(),
        check_champions(),
        check_completeness(),
        check_marks(),
        ledger.check(),
        check_quarantine(),
        *check_queues(),
    )
    return Report((database, broker, *workers, label_studio, door, *traffic))


_latest: tuple[float, Report] | None = None
_lock = threading.Lock()


def recent_report(*, max_age_s: float = 5) -> Report:
    """Return a report at most `max_age_s` old: a page that many people watch asks the servers once."""
    global _latest
    with _lock:
        if _latest is None or time.monotonic() - _latest[0] > max_age_s:
            _latest = (time.monotonic(), report())
        return _latest[1]
