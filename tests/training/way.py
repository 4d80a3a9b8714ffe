"""Follow a training run through the calls: which module of `training` is entered in which step, and by which doors.

What counts as a room, a leaf, a step, a visit and a door is said in docs/adr/0024. `make pytest ARGS="-s -n 0
tests/training/test_straight_way.py"` prints the calls.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "training/"
# Who calls one step after the other, and the record of the run that it keeps meanwhile.
CONDUCTOR, RECORD = "training/pipeline.py", "training/runs.py"
# What is handed on: tables and frozen data, entered whenever one of its properties is read.
DATA = ("training/models/", "training/work.py", "training/trainers/contracts.py")
# A leaf imports none of these, nor a module of `training` that does: it is given values, and returns values.
BEYOND = ("django", "inference.artifacts", "inference.loader", "inference.resolver", "labeling.question", "audit")


@dataclass(frozen=True)
class Door:
    """A call from one module into another."""

    caller: str
    room: str
    function: str


@dataclass
class Step:
    """One call by the conductor, and what was entered until it returned: each door once, in the order of the calls."""

    name: str
    doors: dict[Door, None] = field(default_factory=dict)

    @property
    def rooms(self) -> list[str]:
        """The modules entered, in the order in which each was entered first."""
        return list(dict.fromkeys(door.room for door in self.doors))


@dataclass
class Way:
    """The steps of a run, in their order."""

    steps: list[Step] = field(default_factory=list)

    @property
    def visits(self) -> dict[str, list[str]]:
        """Of each module that is no leaf, the steps in which it was entered."""
        return {room: steps for room, steps in self._entered().items() if not is_leaf(room)}

    @property
    def leaves(self) -> dict[str, list[str]]:
        """Of each leaf, the steps in which it was entered."""
        return {room: steps for room, steps in self._entered().items() if is_leaf(room)}

    @property
    def n_doors(self) -> int:
        """How many calls lead from one module into another, each counted once a step."""
        return sum(len(step.doors) for step in self.steps)

    def _entered(self) -> dict[str, list[str]]:
        found = defaultdict(list)
        for step in self.steps:
            for room in step.rooms:
                found[room].append(step.name)
        return dict(sorted(found.items(), key=lambda item: -len(item[1])))

    def lines(self) -> Iterator[str]:
        """Yield the way as text: the steps with their doors, then rooms and leaves by visits."""
        for number, step in enumerate(self.steps, start=1):
            yield f"{number:2}. {step.name}"
            yield from (f"      {_short(door.caller)} -> {_short(door.room)}.{door.function}" for door in step.doors)
        for title, found in (("rooms", self.visits), ("leaves", self.leaves)):
            yield f"{len(found)} {title}, {sum(map(len, found.values()))} visits"
            yield from (f"  {len(steps)}  {_short(room)}: {', '.join(steps)}" for room, steps in found.items())
        yield f"{len(self.steps)} steps, {self.n_doors} doors"


def _short(path: str) -> str:
    return path.removeprefix(PACKAGE).removesuffix(".py")


@cache
def is_leaf(room: str) -> bool:
    """Return whether a module reads no table, no setting and no stored file, and calls none that does."""
    for name in _imported(ROOT / room):
        if name.startswith(BEYOND) or ".models" in name:
            return False
        path = f"{name.replace('.', '/')}.py"
        if path.startswith(PACKAGE) and not path.startswith(DATA) and (ROOT / path).exists() and not is_leaf(path):
            return False
    return True


def _imported(path: Path) -> Iterator[str]:
    """Yield the names that a module imports, wherever in it; not what it imports for the types alone."""
    nodes: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        nodes += ast.iter_child_nodes(node)


@contextmanager
def followed() -> Iterator[Way]:
    """Follow what this thread calls inside; the `Way` is complete when it ends.

    Of what the conductor hears while a step is under way (how far it is) nothing is noted.
    """
    way = Way()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        room = _room_of(frame.f_code.co_filename) if event == "call" else ""
        if not room or room in (CONDUCTOR, RECORD) or room.startswith(DATA) or frame.f_code.co_name == "<module>":
            return
        trail = _trail(frame.f_back)
        if not trail or trail[0] == room or trail.count(CONDUCTOR) != 1:
            return
        if trail[0] == CONDUCTOR:
            way.steps.append(Step(f"{_short(room)}.{frame.f_code.co_name}"))
        way.steps[-1].doors[Door(trail[0], room, frame.f_code.co_qualname)] = None

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield way
    finally:
        sys.setprofile(before)


@cache
def _room_of(path: str) -> str:
    """Return the module of `training` that a file is, from the root of the project; empty for any other file."""
    name = path.removeprefix(f"{ROOT}/")
    return name if name != path and name.startswith(PACKAGE) else ""


def _trail(frame: FrameType | None) -> list[str]:
    """Return the modules above, innermost first, each stay in one of them once; empty while a module is imported."""
    trail: list[str] = []
    while frame is not None:
        room = _room_of(frame.f_code.co_filename)
        if room and frame.f_code.co_name == "<module>":
            return []
        if room and not room.startswith(DATA) and trail[-1:] != [room]:
            trail.append(room)
        frame = frame.f_back
    return trail
