"""Work flows, faults hit, and at the end every item had exactly one effect. The long form is `make faults`."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from ecomsite.env import BASE_DIR
from ecomsite.stack.processes import die_with_parent


def run(*arguments: str, timeout: int) -> None:
    """Run `tests.faults.run`, which starts servers of its own, and show its table."""
    command = [sys.executable, "-m", "tests.faults.run", *arguments]
    process = subprocess.Popen(
        command,
        cwd=BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=die_with_parent(signal.SIGTERM),
    )
    try:
        said = process.communicate(timeout=timeout)[0]
    finally:
        process.terminate()
        process.wait(90)
    sys.stdout.write(said)
    if process.returncode == 3:
        pytest.skip(said.strip().splitlines()[-1])
    assert process.returncode == 0, said[-8000:]


# How soon a lease is taken over is for the longest form, on a machine that does nothing else.
PATIENT = ("--slack", "120", "--finish", "300")


@pytest.mark.slow("leases have to run out after each of three faults")
@pytest.mark.timeout(1000)
def test_nothing_is_lost_and_nothing_done_twice_when_a_worker_the_broker_and_the_database_are_killed() -> None:
    worst = ("kill_model_worker", "lose_broker", "crash_postgres")
    run("--items", "300", "--only", *worst, "--faults", "3", *PATIENT, timeout=900)


@pytest.mark.long
@pytest.mark.timeout(1000)
def test_nothing_is_lost_and_nothing_done_twice_whatever_is_killed() -> None:
    # Soft shutdown waits for its whole time-out, by itself: see test_shutdown.
    run("--items", "1500", "--without", "soft_shutdown", *PATIENT, timeout=900)


LONG = (
    "--items",
    "10000",
    "--faults",
    "21",
    "--window",
    "60",
    "--settle",
    "20",
    "--lease",
    "5",
    "--pace",
    "1",
    "--model-seconds",
    "1",
    "--batch",
    "2",
    "--pending",
    "200",
    "--finish",
    "900",
)


@pytest.mark.faults
@pytest.mark.timeout(5400)
@pytest.mark.parametrize("broker", ["valkey", "redis", "rabbitmq"])
def test_ten_thousand_items_come_through_twenty_one_faults_at_full_speed(broker: str) -> None:
    desk = ("--label-studio",) if broker == "valkey" else ()
    run("--broker", broker, *LONG, *desk, timeout=5300)
