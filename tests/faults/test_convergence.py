"""What Label Studio has becomes what we have, though events are lost, doubled, shuffled and forged, and both of us fail.

The answers are made in a real Label Studio, which sends its own webhooks. They end up at a recorder that plays them
again, badly, to a real web server with a real worker and beat behind it. The reconcile of beat is off: one is run in the
end, and what we hold is compared with the tables of Label Studio.
"""

from __future__ import annotations

import http.server
import itertools
import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db.models import Q

from audit.models import LedgerEntry
from bench.webhook_ack import send, start_web
from ecomsite.stack.label_studio import LabelStudio
from ecomsite.stack.ports import free_port
from labeling import sync
from labeling.models import Annotation, LabelingTask, WebhookEvent
from questions.copy_verdict.question import task_data_of
from tests import people
from tests.label_studio_server import ADMIN, REVIEWER, SENIOR, SERVICE_TOKEN, Desk
from tests.stamped import stamped
from tests.warm import WarmProcess
from tests.workers import environment, wait_for

pytestmark = [pytest.mark.label_studio, pytest.mark.django_db(transaction=True)]
ANSWERS = Path(__file__).parents[1] / "label_studio_answers.py"
BYSTANDERS = 20
Delivery = tuple[str, bytes]  # the secret it carries, and its body


@dataclass(frozen=True)
class Scale:
    """How much, and how long each outage lasts."""

    events: int
    outage_s: float


def choose(verdict: str) -> list[dict[str, Any]]:
    return [{"from_name": "verdict", "to_name": "draft", "type": "choices", "value": {"choices": [verdict]}}]


@contextmanager
def recorder() -> Iterator[tuple[str, list[bytes]]]:
    """A server that keeps the body of every webhook; its address, and the bodies."""
    bodies: list[bytes] = []

    class Keep(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(201)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keep) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", bodies
        server.shutdown()


@dataclass
class Us:
    """Our web server, worker and beat, as processes."""

    start_worker: Callable[..., WarmProcess]
    env: dict[str, str]
    folder: Path
    port: int = field(default_factory=free_port)
    # Lease tokens of the events that the worker had in hand when it was killed.
    held: list[Any] = field(default_factory=list)

    def start(self) -> None:
        self.web = start_web(self.port, {**environment(), **self.env}, self.folder / "web.log")
        self.workers = [self.start_worker("external", **self.env), self.start_worker("", beat=True, **self.env)]

    def kill(self) -> None:
        self.web.kill_group()
        for process in self.workers:
            process.kill()
        for process in (*self.workers, self.web.process):
            assert process is not None
            process.wait(10)
        self.held += WebhookEvent.objects.filter(status="received", lease_token__isnull=False).values_list(
            "lease_token", flat=True
        )

    def deliver(self, deliveries: Sequence[Delivery], *, seconds: float = 0) -> Counter[int]:
        """Post them in about this order, spread over at least `seconds`; returns the statuses (0: no answer)."""
        began = time.monotonic()

        def post(numbered: tuple[int, Delivery]) -> int:
            n, (secret, body) = numbered
            time.sleep(max(0.0, began + seconds * n / len(deliveries) - time.monotonic()))
            return send(self.port, secret, body)

        with ThreadPoolExecutor(4) as pool:
            statuses = Counter(pool.map(post, enumerate(deliveries)))
        time.sleep(max(0.0, began + seconds - time.monotonic()))
        return statuses


def answer_in_label_studio(
    server: LabelStudio, task_ids: Sequence[int], folder: Path, *, n_events: int, reviewer: User
) -> None:
    """Have `reviewer` answer all of `task_ids`, change some answers and take some back: `n_events` in all."""
    tasks = {task.ls_task_id: task for task in LabelingTask.objects.filter(ls_task_id__in=task_ids)}

    def said(pk: int, verdict: str) -> list[dict[str, Any]]:
        return stamped(tasks[pk], reviewer, choose(verdict))

    orders = [{"op": "create", "task": pk, "result": said(pk, ("accept", "reject")[pk % 2])} for pk in task_ids]
    rest = n_events - len(orders)
    orders += [{"op": "update", "task": pk, "result": said(pk, "reject")} for pk in task_ids[: rest * 7 // 10]]
    orders += [{"op": "delete", "task": pk} for pk in task_ids[-(rest - rest * 7 // 10) :]]
    assert len(orders) == n_events
    running = []
    for part in (0, 1):
        file = folder / f"orders-{part}.jsonl"
        file.write_text("\n".join(json.dumps(order) for order in orders if order["task"] % 2 == part))
        command = [server.venv / "bin" / "python", ANSWERS, file]
        running.append(subprocess.Popen(command, env=server.environment(), stdout=subprocess.DEVNULL, stderr=-1))
    for process in running:
        _, said = process.communicate(timeout=600)
        assert process.returncode == 0, said


def forge(true: Sequence[bytes], secret: str, bystanders: Sequence[int], n: int) -> list[Delivery]:
    """Make `n` deliveries that must have no effect: wrong secrets, invented answers and deletions, old bodies again."""
    made: list[Delivery] = []
    for i in range(n):
        task = bystanders[i % len(bystanders)]
        invented = {"id": 10**6 + i, "task": task, "result": choose("accept"), "completed_by": 1}
        kinds: list[tuple[str, Any]] = [
            ("guessed", {"action": "ANNOTATION_CREATED", "task": {"id": task}, "annotation": invented}),
            ("", {"action": "ANNOTATION_CREATED", "task": {"id": task}, "annotation": invented}),
            (secret, {"action": "ANNOTATION_CREATED", "task": {"id": task}, "annotation": invented}),
            (secret, {"action": "TASKS_DELETED", "tasks": [{"id": pk} for pk in bystanders]}),
            (secret, {"action": "ANNOTATION_CREATED", "task": {"id": 2**31 - 1 - i}, "annotation": {"task": -1}}),
            (secret, true[i * 7919 % len(true)]),
        ]
        key, body = kinds[i % len(kinds)]
        made.append((key, body if isinstance(body, bytes) else json.dumps({**body, "n": i}).encode()))
    return made


def there(desk: Desk, project_id: int) -> set[tuple[Any, ...]]:
    """Every task with its answers, as the tables of Label Studio have them."""
    with psycopg.connect(desk.database_url) as connection:
        rows = connection.execute(
            "SELECT t.id, t.updated_at, c.id, c.updated_at, c.result FROM task t "
            "LEFT JOIN task_completion c ON c.task_id = t.id WHERE t.project_id = %s",
            [project_id],
        ).fetchall()
    return {(*row[:4], json.dumps(row[4], sort_keys=True)) for row in rows}


def here() -> set[tuple[Any, ...]]:
    """The same, as we have them."""
    names = (
        "ls_task_id",
        "ls_updated_at",
        "annotations__ls_annotation_id",
        "annotations__ls_updated_at",
        "annotations__result",
    )
    rows = LabelingTask.objects.values_list(*names)
    return {(*row[:4], json.dumps(row[4], sort_keys=True)) for row in rows}


@pytest.mark.slow("300 events through Label Studio's API")
@pytest.mark.timeout(1500)
@pytest.mark.parametrize(
    "scale",
    [pytest.param(Scale(300, 5), id="short"), pytest.param(Scale(5000, 60), id="long", marks=pytest.mark.faults)],
)
def test_after_one_reconcile_we_have_what_label_studio_has(
    scale: Scale,
    label_studio_server: LabelStudio,
    label_studio: Desk,
    settings: Any,
    tmp_path: Path,
    start_worker: Callable[..., Any],
    capfd: pytest.CaptureFixture[str],
) -> None:
    reviewer = people.people("Reviewer", email=REVIEWER.email)
    rng, table = random.Random(20), dict[str, object]()
    with recorder() as (address, bodies):
        settings.LABELING = replace(settings.LABELING, webhook_url=address)
        task_ids, bystanders, project_id = _tasks_in_label_studio(scale.events * 86 // 100)
        sync.reconcile()
        answer_in_label_studio(label_studio_server, task_ids, tmp_path, n_events=scale.events, reviewer=reviewer)
        assert len(bodies) == scale.events
        secret = settings.LABELING.webhook_secret

        kept = rng.sample(bodies, scale.events * 9 // 10)
        doubled = rng.sample(kept, scale.events // 10)
        forged = forge(bodies, secret, bystanders, scale.events // 20)
        deliveries = [(secret, body) for body in kept + doubled] + forged
        rng.shuffle(deliveries)
        table |= {"events": scale.events, "dropped": len(bodies) - len(kept), "duplicated": len(doubled)}
        table |= {"forged or replayed": len(forged), "sent": len(deliveries)}

        us = Us(start_worker, _environment(settings, address), tmp_path)
        us.start()
        try:
            table |= _play(us, label_studio_server, deliveries, scale)
        finally:
            if not label_studio_server.is_ready():
                _start(label_studio_server)
        _wait_for_inbox(held_by_the_dead=us.held)
        us.kill()
        table["answers known by webhooks alone"] = Annotation.objects.count()
        table["differences before the reconcile"] = len(here() ^ there(label_studio, project_id))
        table["tasks changed by the reconcile"] = sync.reconcile()

    in_both = here() & there(label_studio, project_id)
    table["answers taken over"] = sum(1 for row in in_both if row[2])
    table["differences"] = len(here() ^ there(label_studio, project_id))
    settled = LedgerEntry.objects.filter(action="labeling.task.settled").values_list("subject", flat=True)
    table["effects that happened twice"] = len(settled) - len(set(settled))
    table["effects of what was forged"] = (
        LabelingTask.objects.filter(ls_task_id__in=bystanders).exclude(status="pushed").count()
        + Annotation.objects.filter(ls_annotation_id__gte=10**6).count()
        + LedgerEntry.objects.filter(action="labeling.task.reopened").count()
    )
    with capfd.disabled():
        sys.stdout.write("\n" + "".join(f"  {name:<42} {value}\n" for name, value in table.items()))
    assert table["differences before the reconcile"], "nothing was lost: the test shows nothing"
    assert table["differences"] == table["effects that happened twice"] == table["effects of what was forged"] == 0
    answered = {row[0] for row in there(label_studio, project_id) if row[2]}
    assert answered == set(LabelingTask.objects.filter(annotations__isnull=False).values_list("ls_task_id", flat=True))
    assert not LabelingTask.objects.filter(ls_task_id__in=answered).exclude(status="settled").exists()


def _tasks_in_label_studio(n: int) -> tuple[list[int], list[int], int]:
    payload = task_data_of(title="Mug", channel="Description", locale="en", text="A mug.", findings=[])
    for i in range(n + BYSTANDERS):
        sync.open_task("copy_verdict", reference=f"tests.thing:{i}", payload=payload)
    assert sync.push_tasks(limit=n + BYSTANDERS) == n + BYSTANDERS
    ids = list(LabelingTask.objects.order_by("ls_task_id").values_list("ls_task_id", flat=True))
    return ids[BYSTANDERS:], ids[:BYSTANDERS], LabelingTask.objects.first().project.ls_project_id  # type: ignore[union-attr]


def _environment(settings: Any, address: str) -> dict[str, str]:
    return {
        "LABEL_STUDIO_URL": settings.LABELING.url,
        "LABEL_STUDIO_TOKEN": SERVICE_TOKEN,
        "LABEL_STUDIO_WEBHOOK_SECRET": settings.LABELING.webhook_secret,
        "LABEL_STUDIO_DOOR_KEY": settings.LABELING.door_key,
        "LABEL_STUDIO_WEBHOOK_URL": address,
        "LABEL_STUDIO_RECONCILE_SECONDS": "86400",
    }


def _start(server: LabelStudio) -> None:
    server.start([REVIEWER, SENIOR, ADMIN])
    server.wait_until_ready()


def _wait_for_inbox(*, held_by_the_dead: Sequence[Any] = ()) -> None:
    """Wait until every event was followed, but for what a killed worker holds until its lease runs out."""
    waiting = WebhookEvent.objects.filter(status="received")
    alive = Q(lease_token=None) | ~Q(lease_token__in=held_by_the_dead)
    wait_for(lambda: not waiting.filter(alive).exists(), seconds=200, what="the inbox")


def _play(us: Us, server: LabelStudio, deliveries: Sequence[Delivery], scale: Scale) -> dict[str, object]:
    """Deliver everything while first Label Studio, then we are down. An outage that hits nothing in flight fails."""
    cuts = [0, *(len(deliveries) * share // 100 for share in (25, 50, 65, 80, 100))]
    calm, without_them, between, without_us, rest = (deliveries[a:b] for a, b in itertools.pairwise(cuts))
    statuses = us.deliver(calm)
    server.stop()
    statuses += us.deliver(without_them, seconds=scale.outage_s)
    held = WebhookEvent.objects.filter(status="received", last_error__contains="cannot be reached")
    hit = wait_for(held.count, what="a worker that finds Label Studio gone")
    _start(server)
    _wait_for_inbox()
    statuses += us.deliver(between)
    us.kill()
    in_flight = WebhookEvent.objects.filter(status="received").count()
    lost = us.deliver(without_us, seconds=scale.outage_s)
    assert in_flight, "nothing was in flight when we were killed"
    assert set(lost) == {0}
    us.start()
    statuses += us.deliver(rest)
    assert set(statuses) == {201, 401}
    return {
        f"tried while Label Studio is down {scale.outage_s:g} s": hit,
        "in flight when we are killed": in_flight,
        f"lost while we are down {scale.outage_s:g} s": lost[0],
        "refused (401)": statuses[401],
    }
