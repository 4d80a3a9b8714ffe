"""Foreign keys point downward, as imports do: the import linter cannot see them."""

from __future__ import annotations

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
