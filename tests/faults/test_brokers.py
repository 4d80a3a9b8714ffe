"""What we ask of RabbitMQ: queues that are replicated, on a node of the machine's own RabbitMQ."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import brokers
from tests.workers import wait_for


@pytest.mark.slow("workers on a broker of its own")
@pytest.mark.django_db(transaction=True)
def test_our_queues_on_rabbitmq_are_quorum_queues_and_work_gets_through(start_worker, tmp_path: Path) -> None:
    broker = brokers.find("rabbitmq", tmp_path / "rabbitmq")
    if not isinstance(broker, brokers.RabbitMQ):
        pytest.skip("there is no RabbitMQ on this machine")
    broker.start()
    try:
        start_worker("default,external,gpu,training", CELERY_BROKER_URL=broker.url())
        beat = start_worker("default", beat=True, CELERY_BROKER_URL=broker.url())
        types = broker.types()
        assert {name: types[name] for name in ("default", "external", "gpu", "training")} == dict.fromkeys(
            ("default", "external", "gpu", "training"), "quorum"
        )
        from monitoring.models import Heartbeat

        def came_through() -> bool:
            return set(brokers.QUEUES) <= set(Heartbeat.objects.values_list("queue", flat=True))  # and beat's own

        wait_for(came_through, seconds=60, what="a heartbeat through each queue")
        beat.terminate()
    finally:
        assert broker.child is not None
        broker.child.stop()
