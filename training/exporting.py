"""A snapshot as a data set of Hugging Face: its parts, and a README that tells `datasets.load_dataset` what they hold.

Without it the library guesses types from the part it sees first, where a column may be empty or lacking, and then
cannot read the others; nor can it read an empty part.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from inference import artifacts
from training import snapshots
from training.models import DatasetSnapshot
from training.models.datasets import Task
from training.splits import SPLITS

README = "README.md"
# What a row holds: a name of a type, [one] for a list of such, {name: one} for a structure.
Kind = str | list[Any] | Mapping[str, Any]
ROW: Mapping[str, Kind] = {
    "subject": "string",
    "group": "string",
    "locale": "string",
    "category": "string",
    "blind": "bool",
}
CLASSIFIED: Mapping[str, Kind] = {"text": "string", "label": "string"}
PROMPT: Kind = [{"role": "string", "content": "string"}]
FACT: Kind = {"name": "string", "value": "string", "number": "float64", "unit": "string", "has_evidence": "bool"}
BRIEF: Kind = {
    "channel": "string",
    "locale": "string",
    "title": "string",
    "brand": "string",
    "category": "string",
    "facts": [FACT],
}
FIELDS: Mapping[str, Mapping[str, Kind]] = {
    Task.COPY: {"prompt": PROMPT, "completion": "string", "brief": BRIEF, "rejected": "string", "reasons": ["string"]},
    Task.PREFERENCE: {"prompt": PROMPT, "chosen": "string", "rejected": "string", "reasons": ["string"]},
}


def export(snapshot: DatasetSnapshot, *, into: Path) -> None:
    """Write the parts of `snapshot` and a README to the folder `into`, as `datasets.load_dataset` reads it.

    Raises `PermanentError` when its files were changed or are gone.
    """
    source = artifacts.path_for(snapshot.artifact_hash)
    artifacts.verify(source)
    into.mkdir(parents=True, exist_ok=True)
    for name in (*(f"{part}.jsonl" for part in SPLITS), snapshots.ABOUT):
        shutil.copyfile(source / name, into / name)
    (into / README).write_text(_readme(snapshot), encoding="utf-8")


def _readme(snapshot: DatasetSnapshot) -> str:
    counts = snapshot.manifest["counts"]
    files = [{"split": part, "path": f"{part}.jsonl"} for part in SPLITS if counts[part]]
    about = {
        "configs": [{"config_name": "default", "data_files": files}],
        "dataset_info": {"features": _features({**ROW, **FIELDS.get(snapshot.task, CLASSIFIED)})},
    }
    rows = ", ".join(f"{counts[part]} {part}" for part in SPLITS)
    return (
        f"---\n{yaml.safe_dump(about, sort_keys=False)}---\n\n# {snapshot.task_title}\n\n"
        f"Snapshot `{snapshot.artifact_hash}`. Rows: {rows}. `{snapshots.ABOUT}` says where they come from and what is "
        "left out.\n"
    )


def _features(kinds: Mapping[str, Kind]) -> list[dict[str, Any]]:
    return [{"name": name, **_feature(kind)} for name, kind in kinds.items()]


def _feature(kind: Kind) -> dict[str, Any]:
    """Return a type as the library writes it in a README."""
    if isinstance(kind, str):
        return {"dtype": kind}
    if isinstance(kind, list):
        (one,) = kind
        return {"list": one if isinstance(one, str) else _features(one)}
    return {"struct": _features(kind)}
