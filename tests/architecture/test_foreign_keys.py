"""Foreign keys point downward, as imports do: the import linter cannot see them."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

from django.apps import apps
from django.db import models

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def layers() -> dict[str, int]:
    """App → its layer, 0 on top, from the contract of the import linter: one list, two uses."""
    (contract,) = [contract for contract in CONTRACTS if contract["name"] == "Apps import downward only"]
    return {app.strip(): level for level, line in enumerate(contract["layers"]) for app in line.split("|")}


def test_every_app_has_a_layer() -> None:
    ours = {
        config.name
        for config in apps.get_app_configs()
        if Path(config.path).is_relative_to(ROOT) and ".venv" not in config.path
    }
    assert ours <= set(layers())


def test_foreign_keys_point_downward() -> None:
    level = layers()
    upward = []
    for model in apps.get_models(include_auto_created=True):
        if model._meta.app_label not in level:
            continue
        for field in model._meta.get_fields(include_hidden=True):
            if not isinstance(field, models.ForeignKey | models.ManyToManyField):
                continue
            source, target = model._meta.app_label, field.related_model._meta.app_label
            if target not in level or target == source:
                continue  # Django's own tables, or the same app
            if level[target] <= level[source]:
                upward.append(f"{model._meta.label}.{field.name} → {field.related_model._meta.label}")
    assert not upward, f"make each an opaque reference (core.refs): {upward}"


def test_a_locked_row_holds_up_nobody_who_refers_to_it() -> None:
    """PostgreSQL looks at foreign keys when a transaction commits, with the ledger's lock in its hands: a row locked as
    if its key were to change would keep it waiting, and who locked the row would wait for the ledger.
    """
    git = ["git", "ls-files", "*.py", ":!tests", ":!bench", ":!*/migrations/*"]
    files = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    as_if_its_key_changed = [
        f"{file}: {call}"
        for file in files
        for call in re.findall(
            r"select_for_update\((?:[^()]|\([^()]*\))*\)|[^t] FOR UPDATE\b", (ROOT / file).read_text()
        )
        if "no_key=True" not in call
    ]
    assert not as_if_its_key_changed, "write select_for_update(no_key=True), FOR NO KEY UPDATE"
