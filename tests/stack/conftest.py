"""A folder that servers may use, and a look at what still runs in it."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder that everybody may enter, as PostgreSQL under root needs (pytest's own are private)."""
    path = Path(tempfile.mkdtemp(prefix="ecomsite-stack-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Return a function that polls a condition until it holds."""

    def wait(condition: Callable[[], object], *, seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited {seconds:g} s in vain"
            time.sleep(0.2)

    return wait


@pytest.fixture
def running_in() -> Callable[[Path], dict[int, str]]:
    """Return a function giving pid → command of every process that works in a folder or was told of it."""

    def find(path: Path) -> dict[int, str]:
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if int(process.name) == os.getpid() or "\nState:\tZ" in (process / "status").read_text():
                    continue
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                told = str(path).encode() in (process / "environ").read_bytes()
                if told or str(path) in command or str(path) in os.readlink(process / "cwd"):
                    found[int(process.name)] = command
            except OSError:
                continue  # gone meanwhile, or another user's
        return found

    return find
