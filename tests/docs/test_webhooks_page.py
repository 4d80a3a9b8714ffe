"""docs/webhooks.md against the code: the event types, and what the data of each holds."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([a-z_]+\.[a-z_]+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def keys_emitted() -> dict[str, set[str]]:
    """Event type → the keys of its data, read from moderation/announcements.py and Slot.as_event."""
    functions = {
        node.name: node
        for name in ("moderation/announcements.py", "catalog/slots.py")
        for node in ast.walk(ast.parse((ROOT / name).read_text()))
        if isinstance(node, ast.FunctionDef)
    }

    def keys_in(node: ast.AST) -> set[str]:
        found = set()
        for part in ast.walk(node):
            if isinstance(part, ast.Dict):
                found |= {key.value for key in part.keys if isinstance(key, ast.Constant)}
            elif isinstance(part, ast.Call) and getattr(part.func, "id", "") in (
                "_copy",
                "_candidate",
                "_request",
                "_review",
            ):
                found |= keys_in(functions[part.func.id])
            elif isinstance(part, ast.Call) and getattr(part.func, "attr", "") == "as_event":
                found |= keys_in(functions["as_event"])
        return found

    return {
        call.args[0].value: keys_in(call.args[1])
        for function in functions.values()
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "emit"
    }


def test_the_event_types_are_those_of_the_settings_in_the_same_words() -> None:
    assert {type: words.strip() for type, words, _ in ROW.findall(PAGE)} == settings.OUTBOX.event_types


def test_every_type_is_emitted_and_no_other() -> None:
    assert set(keys_emitted()) == set(settings.OUTBOX.event_types)


def test_the_data_is_what_is_emitted() -> None:
    assert {type: set(re.findall(r"`(\w+)`", data)) for type, _, data in ROW.findall(PAGE)} == keys_emitted()


def test_the_schedule_is_that_of_the_settings() -> None:
    default = re.search(r'"WEBHOOKS_RETRY_PAUSES", "([^"]+)"', (ROOT / "ecomsite" / "webhooks.py").read_text())
    assert default
    assert default[1] == "5s,5m,30m,2h,5h,10h,14h,20h,24h"
    assert "after 5 seconds, 5 minutes, 30 minutes, 2, 5, 10, 14, 20\nand 24 hours" in PAGE
