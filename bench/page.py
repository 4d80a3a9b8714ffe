"""The pages that keep what was measured: docs/benchmarks/*.md, a part of one between two markers for each benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

PAGES = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"


def page_of(name: str) -> Path:
    """Return the page that holds `<!-- name -->`. Raises `LookupError` when there is none, or more than one."""
    found = [path for path in sorted(PAGES.glob("*.md")) if f"<!-- {name} -->" in path.read_text(encoding="utf-8")]
    if len(found) != 1:
        raise LookupError(f"one page of {PAGES} must hold <!-- {name} -->, not {len(found)}")
    return found[0]


def write(name: str, lines: Sequence[str]) -> None:
    """Put `lines` between `<!-- name -->` and `<!-- /name -->`. What is around them stays, the index too: see to both."""
    page, start, end = page_of(name), f"<!-- {name} -->", f"<!-- /{name} -->"
    before, _, rest = page.read_text(encoding="utf-8").partition(start)
    page.write_text(f"{before}{start}\n" + "\n".join(lines) + f"\n{end}{rest.partition(end)[2]}", encoding="utf-8")
