"""How many threads the numerical libraries of each worker have."""

from __future__ import annotations

import os

import pytest

from ecomsite.stack import commands


def test_workers_share_the_cores_and_what_the_environment_says_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("INFERENCE_THREADS", raising=False)
    threads = {queues: commands.worker_environment(queues)["OMP_NUM_THREADS"] for queues in commands.WORKER_POOLS}
    assert threads == {"default": "1", "external": "1", "webhooks": "1", "gpu": "8", "training": "4"}
    monkeypatch.setenv("INFERENCE_THREADS", "3")
    assert commands.worker_threads("gpu") == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert "OMP_NUM_THREADS" not in commands.worker_environment("gpu")


def test_threads_that_wait_for_each_other_sleep() -> None:
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE", "set with the settings, before torch is loaded"
