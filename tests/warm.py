"""Processes for tests, forked from one that has the slow imports behind it: a worker is there in a second, not in ten.

Each is a process of its own, with an environment of its own, that reads the product's settings anew; what it shares with
the others is only the imported code of libraries, none of which has read a setting or started a thread.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.slow_imports import become

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.preloaded"])


class WarmProcess:
    """What a test asks of a process, by the names that `subprocess.Popen` has for it."""

    def __init__(self, arguments: Sequence[str], *, env: Mapping[str, str], log: Path, given: str = "") -> None:
        """Start `python ARGUMENTS`, its output at the end of `log`.

        Its first argument is `-c` and the second code, or `-m` and a module, or it is a script of the project. It reads
        `given` from its standard input.
        """
        self.args, self.log = list(arguments), log
        log.touch()
        self._process = _context.Process(target=become, args=(self.args, dict(env), log, given))
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """Return how it ended, if it has."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Return how it ended, once it has. Raises `subprocess.TimeoutExpired`."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self._process.exitcode

    def send_signal(self, sig: signal.Signals) -> None:
        """Send `sig`, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def stop(processes: Sequence[WarmProcess]) -> None:
    """Ask them all to end, and end those that have not within 20 s."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def run(command: Sequence[str], *, input: str, timeout: float, **_: object) -> subprocess.CompletedProcess[str]:
    """Do what `subprocess.run` does with a command of our own, in a warm process; what it says is all in `stdout`."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "output"
        process = WarmProcess(command[1:], env=os.environ, log=log, given=input)
        status = process.wait(timeout)
        return subprocess.CompletedProcess(command, status, log.read_text(), "")
