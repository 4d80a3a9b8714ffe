"""The Celery application and its beat schedule. A tick only wakes a drainer; what there is to do stands in Postgres."""

from __future__ import annotations

import gc
import os
import signal
from typing import Any

from celery import Celery
from celery.concurrency import solo
from celery.signals import worker_process_init, worker_ready, worker_shutting_down

from core import stopping
from ecomsite import env

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecomsite.settings")

app = Celery("ecomsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def _every(seconds: float, task: str) -> dict[str, object]:
    # A tick outlives the hints around it (core/hints.py): behind a queue full of those it would else never get its
    # turn.
    return {"task": task, "schedule": seconds, "options": {"expires": max(seconds, 30)}}


app.conf.beat_schedule = {
    "drain generation": _every(10, "moderation.drain_generation"),
    "screen candidates": _every(10, "moderation.screen_candidates"),
    "score what came": _every(20, "moderation.score"),
    "explain what people are asked about": _every(20, "moderation.explain"),
    "ask the second judge": _every(60, "moderation.ask_judge"),
    "open reviews": _every(10, "moderation.open_reviews"),
    "ask again what was split": _every(60, "questions.ask_again"),
    "draw the daily lot": _every(3600, "moderation.draw_daily_lot"),
    "settle decisions": _every(10, "moderation.settle_decisions"),
    "reap leases": _every(10, "moderation.reap_leases"),
    "push labelling tasks": _every(5, "labeling.push_tasks"),
    "process webhooks": _every(5, "labeling.process_webhooks"),
    "reconcile with Label Studio": _every(
        env.integer("LABEL_STUDIO_RECONCILE_SECONDS", 30, minimum=1), "labeling.reconcile"
    ),
    "look for drift in Label Studio": _every(60, "labeling.look_for_drift"),
    # Once a day, by its own account: a beat that was started again within the hour must not put it off for ever.
    "prove completeness": _every(3600, "labeling.prove_completeness"),
    "plan searches for wrong labels": _every(900, "training.plan_label_checks"),
    "search for wrong labels": _every(60, "training.check_labels"),
    "fit raters": _every(3600, "training.fit_raters"),
    "plan training": _every(300, "training.plan_runs"),
    "train": _every(60, "training.train"),
    "watch champions": _every(3600, "training.watch_champions"),
    "run retro-scans": _every(60, "moderation.run_retro_scans"),
    "import and export labels": _every(60, "moderation.run_label_jobs"),
    "forget files of labels": _every(3600, "moderation.forget_label_files"),
    "propose softer rules": _every(3600, "moderation.propose_softer_rules"),
    "score by the challenger": _every(60, "moderation.score_in_the_shadow"),
    "deliver webhooks": _every(10, "outbox.deliver"),
    "check the ledger": _every(env.integer("LEDGER_HEAD_SECONDS", 60, minimum=5), "audit.check_ledger"),
    "verify the whole ledger": _every(3600, "audit.verify_whole_ledger"),
    "have the ledger stamped": _every(300, "audit.stamp_head"),
    "forget delivered webhooks": _every(3600, "outbox.forget_delivered"),
    "forget ended sessions": _every(3600, "accounts.forget"),
    "watch for trouble": _every(60, "monitoring.watch"),
    "look for the AI mark on pages": _every(3600, "monitoring.check_marks"),
    # A canary for each queue: beat, broker and worker, end to end (monitoring/heartbeats.py).
    **{
        f"heartbeat of {queue}": {
            "task": "monitoring.record_heartbeat",
            "schedule": 10,
            "args": [queue],
            "options": {"queue": queue, "expires": 30},
        }
        for queue in ("default", "external", "webhooks", "gpu")
    },
}


@worker_ready.connect
def _let_solo_finish(sender: Any, **kwargs: Any) -> None:
    """Have SIGQUIT mean SIGTERM to a solo worker: it ends after the batch it is at.

    The solo pool can cancel nothing. Celery 5.7 sleeps for the soft time-out in the very thread that works, and then
    raises NotImplementedError out of the signal handler, wherever our code is at that moment.
    """
    if isinstance(sender.pool, solo.TaskPool):
        signal.signal(signal.SIGQUIT, signal.getsignal(signal.SIGTERM))


@worker_shutting_down.connect
def _end_soon(**kwargs: Any) -> None:
    """Have the batch at hand end early: what is finished is kept, the rest goes back."""
    stopping.ask()


@worker_process_init.connect
@worker_ready.connect
def _set_startup_aside(**kwargs: Any) -> None:
    """Have the garbage collector look at what tasks make, and not at what the start made, which stays anyway.

    Python collects its oldest generation when that has grown by a quarter. After the start that means thousands of
    tasks: the tracebacks of those that failed took 60 MB and more before they went.
    """
    gc.collect()
    gc.freeze()
