"""docs/settings.md names every environment variable that the code reads, with its default, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "settings.md"
READERS = {"text", "integer", "one_of", "boolean", "words", "numbers", "durations", "given", "_port"}
ROW = re.compile(r"^\| `(?P<name>[A-Z][A-Z0-9_]*)` \| (?P<default>[^|]*) \| (?P<meaning>[^|]+) \|$", re.MULTILINE)
# Set-up, tests and benchmarks read many variables of others; these beginnings are ours to explain.
OURS = ("ECOMSITE", "TORCH")
# Read by programs of others, which we only hand them to.
NOT_OURS = {"DJANGO_SETTINGS_MODULE", "PATH", "HOME", "USER", "LANG", "TMPDIR"}


def documented() -> dict[str, str]:
    """Variable → what the page says its default is."""
    return {row["name"]: row["default"].strip() for row in ROW.finditer(PAGE.read_text(encoding="utf-8"))}


def calls_in(folder: str) -> Iterator[ast.Call]:
    """Every call in the Python files below `folder`."""
    for path in (ROOT / folder).rglob("*.py"):
        yield from (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def read_by_settings() -> Iterator[tuple[str, ast.Call]]:
    """(variable, call) for each `env.text("NAME", …)` and its like in the project package."""
    for call in calls_in("ecomsite"):
        function = call.func
        called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        through_env = isinstance(function, ast.Name) or (
            isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "env"
        )
        if called in READERS and through_env and call.args and isinstance(call.args[0], ast.Constant):
            yield str(call.args[0].value), call


def read_from_process(folder: str) -> Iterator[str]:
    """Each NAME in `os.environ.get("NAME")`, `os.environ["NAME"]` and `os.getenv("NAME")` below `folder`."""
    for path in (ROOT / folder).rglob("*.py"):
        yield from re.findall(r"(?:environ(?:\.get\(|\.pop\(|\[)|getenv\()\s*\"([A-Z][A-Z0-9_]*)\"", path.read_text())


def names_read() -> set[str]:
    """Every variable of ours that settings, stack, set-up, tests or benchmarks read."""
    names = {name for name, _ in read_by_settings()} | set(read_from_process("ecomsite"))
    for folder in ("requirements", "tests", "bench"):
        names |= {name for name in read_from_process(folder) if name.startswith(OURS)}
    return names - NOT_OURS


def test_every_variable_that_is_read_is_documented() -> None:
    assert sorted(names_read() - set(documented())) == []


def test_every_variable_that_is_documented_is_read() -> None:
    assert sorted(set(documented()) - names_read()) == []


def test_whole_numbers_have_the_default_that_the_page_says() -> None:
    wrong = []
    for name, call in read_by_settings():
        if len(call.args) > 1 and isinstance(call.args[1], ast.Constant) and isinstance(call.args[1].value, int):
            shown = documented().get(name, "")
            if f"`{call.args[1].value}`" not in shown:
                wrong.append(f"{name}: {call.args[1].value} in the code, {shown} on the page")
    assert not wrong
