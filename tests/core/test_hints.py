"""A hint wakes a drainer soon, or not at all."""

from __future__ import annotations

import datetime as dt
import json

import redis
from django.conf import settings

from core.hints import STALE_AFTER_S, hint


def test_a_hint_that_waits_longer_than_a_beat_interval_is_dropped() -> None:
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        client.delete("training")
        hint("training.tests_only")
        (message,) = client.lrange("training", 0, -1)
        client.delete("training")
    expires = dt.datetime.fromisoformat(json.loads(message)["headers"]["expires"])
    assert expires - dt.datetime.now(dt.UTC) <= dt.timedelta(seconds=STALE_AFTER_S)
