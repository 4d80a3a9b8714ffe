"""What the pages name exists: files, commands, make targets, functions, headings, addresses; each is linked; the tree is true."""

from __future__ import annotations

import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands

from docs.tree import PAGE as TREE
from docs.tree import page_with_tree
from ecomsite.urls import urlpatterns

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
FOLDERS = (*PACKAGES, "docs", "tests", "bench", "deploy", "requirements", ".ci")
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def prose_of(page: Path) -> str:
    """The page without its generated tree."""
    return re.sub(r"<!-- tree:.*?<!-- end of tree -->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def code_in(page: Path) -> Iterator[str]:
    """Every `piece of code` in the text, and every line of its code blocks."""
    text = prose_of(page)
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from block.splitlines()
    yield from CODE.findall(re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


@each_page
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose_of(page))
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not broken


@each_page
def test_every_file_named_exists(page: Path) -> None:
    named = {
        code
        for code in code_in(page)
        if re.fullmatch(rf"(?:{'|'.join(map(re.escape, FOLDERS))})/[\w./-]*", code) and "…" not in code
    }
    assert not [path for path in sorted(named) if not (ROOT / path).exists()]


@each_page
def test_every_management_command_named_exists(page: Path) -> None:
    named = {name for code in code_in(page) for name in re.findall(r"manage\.py ([a-z_]+)", code)}
    assert not sorted(named - set(get_commands()))


@each_page
def test_every_make_target_named_exists(page: Path) -> None:
    named = {name for code in code_in(page) for name in re.findall(r"^\$?\s*make ([a-z][a-z-]*)", code)}
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert not sorted(named - targets)


@each_page
def test_every_function_named_with_its_module_exists(page: Path) -> None:
    """`moderation.drafting.ordering.request_copy` must be there; names of ledger lines, tasks and permissions look alike."""
    wrong = []
    for code in code_in(page):
        if not re.fullmatch(rf"(?:{'|'.join(PACKAGES)})(?:\.\w+)+(?:\(\))?", code):
            continue
        name = code.removesuffix("()")
        if not (_resolves(name) or _is_a_name_in_the_code(name)):
            wrong.append(name)
    assert not wrong


def _resolves(name: str) -> bool:
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ImportError:
            continue
        for part in parts[cut:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def _is_a_name_in_the_code(name: str) -> bool:
    """Tasks and permissions are written out as strings where they are defined or asked for."""
    return any(
        f'"{name}"' in path.read_text()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if "migrations" not in path.parts
    )


@each_page
def test_every_link_to_a_heading_leads_to_one(page: Path) -> None:
    """On GitHub an anchor is the heading in lower case, without punctuation and with hyphens for spaces."""
    wrong = []
    for file, anchor in re.findall(r"\]\(([\w./-]*)#([^)\s]+)\)", prose_of(page)):
        target = page.parent / file if file else page
        headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
        if anchor not in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}:
            wrong.append(f"{file}#{anchor}")
    assert not wrong


def test_the_readme_is_read_in_two_minutes() -> None:
    assert len((ROOT / "README.md").read_bytes()) <= 9_000, "move what is too much to a page of docs/, and link it"


@pytest.mark.parametrize("index", ["README.md", "docs/adr/README.md", "docs/benchmarks/README.md"])
def test_every_page_is_linked_from_its_index(index: str) -> None:
    """The README links the pages of docs/ and the index of each of its folders, which links the rest."""
    path = ROOT / index
    own = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("*/README.md")]
    pages = own if index == "README.md" else path.parent.glob("*.md")
    links = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    linked = {(path.parent / link).resolve() for link in links if "://" not in link}
    assert not sorted(page.relative_to(ROOT).as_posix() for page in {*pages} - linked - {path})


def test_every_command_of_ours_is_in_the_list() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    ours = {name for name, app in get_commands().items() if str(app).split(".")[0] in PACKAGES}
    assert ours
    assert sorted(ours - set(re.findall(r"manage\.py ([a-z_]+)", page))) == []


def test_the_api_is_described_as_it_is_routed() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    described = {re.sub(r"\{\w+\}", "{}", path) for path in re.findall(r"^\| `[A-Z]+ /([\w/{}]+)", page, re.MULTILINE)}
    routed = {re.sub(r"<[\w:]+>", "{}", str(route.pattern)) for route in urlpatterns}
    assert described == {path for path in routed if path.startswith("api/v1/")} - {"api/v1/"}


def test_the_tree_is_up_to_date() -> None:
    page = TREE.read_text(encoding="utf-8")
    assert page_with_tree(page) == page, "run `python docs/tree.py --write`"


def test_every_decision_record_has_the_same_parts() -> None:
    for page in (ROOT / "docs" / "adr").glob("[0-9]*.md"):
        headings = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Alternatives considered"], page.name
