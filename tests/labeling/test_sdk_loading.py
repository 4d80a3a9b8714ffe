"""The SDK is loaded before a worker forks: all parts of it that are used, as each is imported at its first use."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from ecomsite.env import BASE_DIR
from labeling import client


def test_every_part_that_is_used_is_loaded_beforehand() -> None:
    sources = (path.read_text() for path in Path(BASE_DIR / "labeling").glob("*.py"))
    used = {name for source in sources for name in re.findall(r"connection\(\)\s*\.(\w+)", source)}
    assert used == set(client.PARTS)
    client.load()
    assert {f"label_studio_sdk.{name}.client" for name in client.PARTS} <= set(sys.modules)
