"""How code is laid out: the formatter decides everywhere, and no line is longer than a screen shows."""

from __future__ import annotations

from tests.architecture.test_layers import MODULES, ROOT, TESTS, name_of

LONGEST = 120
BENCH = sorted((ROOT / "bench").rglob("*.py"))
# As ruff knows them; put together here, so that this file does not hold what it looks for.
KEPT_AWAY = tuple(f"# {tool}: {word}" for tool in ("fmt", "yapf") for word in ("skip", "off", "disable"))


def test_the_formatter_lays_out_all_code() -> None:
    odd = [
        f"{name_of(path)}:{number}"
        for path in (*MODULES, *TESTS, *BENCH)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if any(words in line for words in KEPT_AWAY)
    ]
    assert odd == [], "these keep the formatter away"


def test_no_line_of_the_product_is_too_long() -> None:
    odd = [
        f"{name_of(path)}:{number} has {len(line)} characters"
        for path in MODULES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > LONGEST
    ]
    assert odd == []
