"""Prints the tree of the project, one line for each folder and module, taken from the first sentence of its docstring.

`python docs/tree.py` prints it; `python docs/tree.py --write` puts it into docs/tree.md between the two markers.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "tree.md"
BEGIN, END = "<!-- tree: written by docs/tree.py -->", "<!-- end of tree -->"

# From the top layer to the bottom one, as in ARCHITECTURE.md.
PACKAGES = {
    "ecomsite": "settings, addresses, Celery, roles, the console's pages, the local stack: wires everything",
    "monitoring": "watches: health, flow, service levels, quarantine",
    "training": "offline: prepares, registers and promotes models",
    "questions": "what people and models are asked, a folder for each question",
    "storefront": "the shopper's side: events, experiments, recommendations, audiences, outcomes",
    "moderation": "online: asks for copy, screens it, has it reviewed, publishes it",
    "catalog": "products, facts, customer reviews, imports, live copy",
    "inference": "models: contracts, registry, artefacts, prompts, back ends",
    "labeling": "Label Studio: projects, tasks, annotations, consensus",
    "outbox": "webhooks that go out: endpoints, events, deliveries, dead letters",
    "accounts": "people: sign-in, second factors, sessions, in whose hands an account is",
    "audit": "the append-only ledger",
    "core": "no tables, no domain words: state moves, leases, references, HTTP",
    "stats": "the statistics of experiments: arrays and counts in, figures out",
}
# Every Django app has these, and they say nothing that the name does not.
SILENT = {"__init__.py", "apps.py"}
SILENT_FOLDERS = {"migrations", "__pycache__"}


def summary_of(path: Path) -> str:
    """Return the first sentence of a module's docstring, without its full stop; empty when there is none."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    return docstring.strip().splitlines()[0].split(". ")[0].rstrip(".") if docstring else ""


def lines_of(folder: Path, *, depth: int) -> Iterator[tuple[str, str]]:
    """Yield (indented name, summary) for every module below `folder`, modules first, then folders."""
    indent = "    " * depth
    modules = [path for path in sorted(folder.glob("*.py")) if path.name not in SILENT]
    for path in modules:
        yield f"{indent}{path.name}", summary_of(path)
    for child in sorted(path for path in folder.iterdir() if path.is_dir() and path.name not in SILENT_FOLDERS):
        below = list(lines_of(child, depth=depth + 1))
        if below:
            init = child / "__init__.py"
            yield f"{indent}{child.name}/", summary_of(init) if init.exists() else ""
            yield from below


def tree() -> str:
    """Return the whole tree as text."""
    rows: list[tuple[str, str]] = []
    for name, summary in PACKAGES.items():
        rows += [(f"{name}/", summary), *lines_of(ROOT / name, depth=1)]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {summary}".rstrip() for name, summary in rows)


def page_with_tree(page: str) -> str:
    """Return `page` with the tree between the markers. Raises `ValueError` when they are not there."""
    block = f"{BEGIN}\n```text\n{tree()}\n```\n{END}"
    new, count = re.subn(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: block, page, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"{PAGE.relative_to(ROOT)} must hold {BEGIN!r} … {END!r} once")
    return new


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page_with_tree(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        sys.stdout.write(tree() + "\n")
