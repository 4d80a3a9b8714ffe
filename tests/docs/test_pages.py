"""What the pages name exists: files, commands, make targets, functions, addresses; and the tree is true."""

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
    """`moderation.generation.request_copy` must be there; names of ledger lines, tasks and permissions look alike."""
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


def test_the_tree_is_up_to_date() -> None:
    page = TREE.read_text(encoding="utf-8")
    assert page_with_tree(page) == page, "run `python docs/tree.py --write`"


def test_every_decision_record_has_the_same_parts() -> None:
    for page in (ROOT / "docs" / "adr").glob("[0-9]*.md"):
        headings = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Alternatives considered"], page.name
