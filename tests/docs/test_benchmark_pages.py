"""docs/benchmarks against bench/: every page is in the index, every script on a page, every figure of the index on its page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.page import PAGES, page_of, write

ROOT = Path(__file__).resolve().parents[2]
INDEX = PAGES / "README.md"
SCRIPTS = {
    path.stem: path.read_text(encoding="utf-8")
    for path in (ROOT / "bench").glob("*.py")
    if "__main__" in path.read_text(encoding="utf-8")
}
KEPT = sorted({name for text in SCRIPTS.values() for name in re.findall(r'page\.write\("(\w+)"', text)})


def rows() -> list[list[str]]:
    """The cells of every row of the summary, without its heading and the rows that begin a group."""
    lines = [line for line in INDEX.read_text(encoding="utf-8").splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [row for row in cells if any(row[1:])]


def page_in(row: list[str]) -> Path:
    """The page that a row of the summary leads to."""
    link = re.search(r"\]\(([\w-]+\.md)", row[-1])
    assert link, row
    return PAGES / link[1]


def test_the_index_has_one_table_and_each_page_is_in_it() -> None:
    assert len(re.findall(r"^\| --- ", INDEX.read_text(encoding="utf-8"), re.MULTILINE)) == 1
    assert {page_in(row) for row in rows()} == set(PAGES.glob("*.md")) - {INDEX}


def test_every_row_has_all_its_cells() -> None:
    assert rows()
    assert {len(row) for row in rows()} == {7}
    assert not [row[0] for row in rows() if not row[1] and not row[3]], "neither a figure nor a difference"
    assert not [row[0] for row in rows() if not row[4] or not row[5]], "no bar, or not whether it was reached"


def test_every_figure_of_the_summary_stands_on_its_page() -> None:
    missing = []
    for row in rows():
        text = page_in(row).read_text(encoding="utf-8")
        figures = re.findall(r"(?<![\w.,])\d[\d.,/]*\d%?|(?<![\w.,])\d(?![\w.,])", f"{row[1]} {row[2]}")
        missing += [(row[0], figure) for figure in figures if figure not in text]
    assert not missing


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_every_benchmark_is_named_on_a_page(script: str) -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in PAGES.glob("*.md"))
    assert re.search(rf"NAME={script}\b|bench/{script}\.py", pages), (
        f"no page of docs/benchmarks says how to run {script}"
    )


@pytest.mark.parametrize("name", KEPT)
def test_what_a_benchmark_writes_has_its_place_on_one_page(name: str) -> None:
    text = page_of(name).read_text(encoding="utf-8")
    assert text.count(f"<!-- {name} -->") == text.count(f"<!-- /{name} -->") == 1


def test_a_benchmark_replaces_its_own_part_of_a_page_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.page.PAGES", tmp_path)
    page = tmp_path / "speed.md"
    page.write_text("# Speed\n\n<!-- speed -->\n| old |\n<!-- /speed -->\n\nWhy.\n", encoding="utf-8")
    write("speed", ["| new |"])
    assert page.read_text(encoding="utf-8") == "# Speed\n\n<!-- speed -->\n| new |\n<!-- /speed -->\n\nWhy.\n"
    with pytest.raises(LookupError, match="must hold <!-- other -->"):
        write("other", [])
