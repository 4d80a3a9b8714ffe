"""A webhook that was answered 201 is in the database, whatever becomes of PostgreSQL; the long form is in bench/."""

from __future__ import annotations

import pytest

from bench import webhook_ack


@pytest.mark.slow("a web server and a database are killed and started again")
def test_no_webhook_is_answered_2xx_that_is_not_kept() -> None:
    with webhook_ack.desk() as desk:
        run = webhook_ack.under_faults(desk, seconds=10, rate=50, crash_at=2, restart_at=6)
        lost = webhook_ack.unkept(desk, run)
        log = desk.web_log.read_text()

    assert set(run.statuses) <= {201, 503, 0}
    assert run.statuses[503], "PostgreSQL was away and nobody noticed: the fault hit nothing"
    assert run.statuses[201] > 50
    assert lost == 0
    assert "Traceback" not in log
