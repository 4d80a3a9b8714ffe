"""The order of the house: who may import whom, how large a file may grow, and what it may be called."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
MODULES = sorted(
    path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "migrations" not in path.parts and path.read_text().strip()
)
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if path.read_text().strip())
MAX_LINES = 300
# A file may be longer where splitting it would part what belongs together. Each with its reason.
LONGER: dict[str, str] = {}
NOWHERE = {"utils", "util", "helpers", "helper", "misc", "common", "services", "manager", "managers"}


def name_of(path: Path) -> str:
    """The path of a file as people write it."""
    return path.relative_to(ROOT).as_posix()


def test_imports_run_downhill() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr


@pytest.mark.parametrize("path", [*MODULES, *TESTS], ids=name_of)
def test_every_module_starts_with_a_sentence_that_says_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring, f"{name_of(path)} has no docstring"
    first = docstring.strip().splitlines()[0]
    assert first.endswith((".", ":")), f"the first line of {name_of(path)} is no sentence: {first!r}"
    assert len(first) <= 140, f"the first line of {name_of(path)} is too long for docs/tree.md"


def test_no_file_grows_over_its_concern() -> None:
    long = {name_of(path): n for path in MODULES if (n := len(path.read_text().splitlines())) > MAX_LINES}
    assert not set(LONGER) - set(long), "these are short enough now: take them off the list"
    assert not set(long) - set(LONGER), f"over {MAX_LINES} lines, to be split by concern: {long}"


def test_no_file_is_called_something_that_says_nothing() -> None:
    found = [name_of(path) for path in MODULES if path.stem in NOWHERE]
    assert not found, f"name a file with the word a newcomer would search for: {found}"
