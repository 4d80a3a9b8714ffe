"""How code is laid out: the formatter decides everywhere, and no line is longer than a screen shows."""

from __future__ import annotations

from tests.architecture.test_layers import MODULES, name_of

LONGEST = 120


def test_the_formatter_lays_out_all_code_and_no_line_is_too_long() -> None:
    odd = []
    for path in MODULES:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if "# fmt:" in line:
                odd.append(f"{name_of(path)}:{number} keeps the formatter away")
            elif len(line) > LONGEST:
                odd.append(f"{name_of(path)}:{number} has {len(line)} characters")
    assert odd == []
