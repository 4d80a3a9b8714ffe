"""One stack per folder: a second one says who runs and where; a dead one holds nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from core.exceptions import PermanentError
from ecomsite.stack.state import State, claim, is_locked, read_state, write_state

ROOT = Path(__file__).resolve().parents[2]


def test_a_second_stack_is_refused_and_told_who_runs_where(tmp_path: Path) -> None:
    with claim(tmp_path):
        write_state(tmp_path, State(pid=4711, console="http://127.0.0.1:8000/console/"))
        with (
            pytest.raises(PermanentError, match=r"Already running \(pid 4711\): http://127.0.0.1:8000/console/"),
            claim(tmp_path),
        ):
            raise AssertionError("claimed twice")
    assert read_state(tmp_path) is None


def test_a_killed_stack_holds_its_folder_no_longer(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from ecomsite.stack.state import claim\n"
        f"with claim(Path({str(tmp_path)!r})):\n"
        "    print('claimed', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "claimed\n"
    assert is_locked(tmp_path)
    write_state(tmp_path, State(pid=process.pid, parts=[{"name": "web", "port": 8000}]))
    process.kill()
    process.wait()
    assert not is_locked(tmp_path)
    with claim(tmp_path) as killed:
        assert is_locked(tmp_path)
        assert killed is not None
        assert killed.parts == [{"name": "web", "port": 8000}], "what may still be ending"


def test_a_stack_that_ended_by_itself_leaves_nothing_to_wait_for(tmp_path: Path) -> None:
    with suppress(PermanentError), claim(tmp_path):
        write_state(tmp_path, State(pid=4711))
        raise PermanentError("a part did not come up")
    with claim(tmp_path) as killed:
        assert killed is None


@pytest.mark.parametrize("command", ["status", "down"])
def test_commands_say_that_nothing_runs(tmp_path: Path, command: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=ROOT,
        env={**os.environ, "ECOMSITE_VAR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Not running." in done.stdout + done.stderr
    assert (done.returncode == 0) is (command == "down")
