"""The page that keeps what was measured: docs/benchmarks.md, a part of it between two markers for each benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def write(name: str, lines: Sequence[str]) -> None:
    """Put `lines` between `<!-- name -->` and `<!-- /name -->`. What is around them stays."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(start)
    PAGE.write_text(f"{before}{start}\n" + "\n".join(lines) + f"\n{end}{rest.partition(end)[2]}", encoding="utf-8")
