"""How many small faults of the most critical modules the tests find: `make mutation`, about half an hour.

cosmic-ray (https://cosmic-ray.readthedocs.io) says what can be changed; of that a sample is drawn, the same each time. Each
fault is put into a copy of the project and the module's own tests are run there, all against one server. A fault that no
test minds is named with the line as it was and as it is, to be looked at: it may be one that changes nothing.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import cache_from_source
from pathlib import Path
from queue import SimpleQueue

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

from tests import servers

ROOT = Path(__file__).resolve().parents[2]
SEED, TIMEOUT_S = 20261129, 300
NEED_ARGUMENTS = {"core/VariableInserter", "core/VariableReplacer"}
# Module → the tests that are there to guard it.
TARGETS = {
    "core/leases.py": ("tests/core/test_leases.py", "tests/core/test_lease_edges.py"),
    "moderation/lifecycle.py": ("tests/moderation/test_lifecycle.py",),
    "training/evaluation/gate.py": (
        "tests/training/evaluation/test_gate.py",
        "tests/training/evaluation/test_gate_by_label.py",
    ),
    "audit/verification.py": ("tests/audit/test_verification.py", "tests/audit/test_tampering.py"),
}


class _WithoutTypes(ast.NodeTransformer):
    """Types and docstrings: a change of them changes nothing that runs."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        node.annotation = ast.Constant(None)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)


def _what_runs(code: str) -> str | None:
    try:
        return ast.dump(_WithoutTypes().visit(ast.parse(code)))
    except SyntaxError:
        return None


def mutants(code: str) -> Iterator[tuple[str, str]]:
    """Yield (name of the change, changed code) for all that differ in what runs."""
    original = _what_runs(code)
    for name in sorted(set(operator_names()) - NEED_ARGUMENTS):
        operator = get_operator(name)()
        n = sum(1 for node in ast_nodes(get_ast(code)) for _ in operator.mutation_positions(node))
        for occurrence in range(n):
            changed = mutate_code(code, operator, occurrence)
            if changed and _what_runs(changed) not in (None, original):
                yield f"{name.removeprefix('core/')} {occurrence}", changed


class Copy:
    """A copy of the project's files, in which one fault at a time is tried; its tests have a database of their own."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder, self.worker = folder, f"gw{number}"
        names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in filter(None, names.split("\0")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)

    def minds(self, module: str, code: str) -> bool:
        """Whether the tests of `module` mind that `code` stands in its place. Raises `RuntimeError` when they cannot be run."""
        path = self.folder / module
        before = path.read_text()
        _write(path, code)
        # To tests/servers.py it is one more process of this session.
        env = {**os.environ, "PYTEST_XDIST_WORKER": self.worker}
        command = [sys.executable, "-m", "pytest", "-n", "0", "-x", "-q", "-p", "no:cacheprovider", *TARGETS[module]]
        try:
            done = subprocess.run(
                command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            return True
        finally:
            _write(path, before)
        if done.returncode not in {0, 1, 2, 4}:  # 2, 4: it cannot even be imported
            raise RuntimeError(done.stdout[-3000:] + done.stderr[-3000:])
        return done.returncode != 0


def _write(path: Path, code: str) -> None:
    """Write a module and forget it compiled: two faults of one length within a second would pass for the same file."""
    path.write_text(code)
    Path(cache_from_source(path)).unlink(missing_ok=True)


def _changed_lines(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def _look_at(
    module: str, size: int, attempt: Callable[[str, str], bool], pool: ThreadPoolExecutor
) -> dict[str, str | int | float]:
    """Try a sample of the faults of a module, naming those that nobody minds; return the figures."""
    code, began = (ROOT / module).read_text(), time.monotonic()
    if attempt(module, code):
        raise SystemExit(f"The tests of {module} fail as it is: see to that first.")
    everything = list(mutants(code))
    sample = random.Random(SEED).sample(everything, min(size or len(everything), len(everything)))
    killed = 0
    for (name, mutant), minds in zip(sample, pool.map(lambda row: attempt(module, row[1]), sample), strict=True):
        killed += minds
        if minds:
            print(".", end="", flush=True)
        else:
            print("", f"survived: {name}", *_changed_lines(code, mutant), sep="\n  ", flush=True)
    print()
    return {
        "module": module,
        "killed": killed,
        "of": len(sample),
        "all": len(everything),
        "rate": round(killed / len(sample), 3),
        "seconds": round(time.monotonic() - began),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, default=60, help="faults of each module (default 60; 0: all)")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("modules", nargs="*", default=list(TARGETS), help=f"default: {' '.join(TARGETS)}")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="ecomsite-mutation-") as parent,
        ThreadPoolExecutor(given.processes) as pool,
    ):
        free: SimpleQueue[Copy] = SimpleQueue()
        for number in range(given.processes):
            free.put(Copy(Path(parent) / str(number), number))

        def attempt(module: str, code: str) -> bool:
            copy = free.get()
            try:
                return copy.minds(module, code)
            finally:
                free.put(copy)

        for module in given.modules:
            print(json.dumps(_look_at(module, given.sample, attempt, pool)), flush=True)
    return 0


if __name__ == "__main__":
    servers.start()
    raise SystemExit(main())
