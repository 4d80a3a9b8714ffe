"""The Celery application and its beat schedule. A tick only wakes a drainer; what there is to do stands in Postgres."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecomsite.settings")

app = Celery("ecomsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def _every(seconds: float, task: str, queue: str) -> dict[str, object]:
    # A tick that waits longer than its interval is stale: the next one does the same work.
    return {"task": task, "schedule": seconds, "options": {"queue": queue, "expires": seconds}}


app.conf.beat_schedule = {
    "drain generation": _every(10, "moderation.drain_generation", "gpu"),
    "screen candidates": _every(10, "moderation.screen_candidates", "gpu"),
    "score reviews": _every(20, "moderation.score_reviews", "gpu"),
    "open reviews": _every(10, "moderation.open_reviews", "default"),
    "settle decisions": _every(10, "moderation.settle_decisions", "default"),
    "reap leases": _every(30, "moderation.reap_leases", "default"),
    "push labelling tasks": _every(5, "labeling.push_tasks", "external"),
    "process webhooks": _every(5, "labeling.process_webhooks", "external"),
    "reconcile with Label Studio": _every(30, "labeling.reconcile", "external"),
    "beat heartbeat": _every(10, "monitoring.record_heartbeat", "default"),
}
