"""What of the champion a new classifier keeps, and what its Chinese part starts from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.exceptions import PermanentError
from inference import artifacts
from inference.models import ModelVersion

if TYPE_CHECKING:
    from training.trainers.linear_heads import Start

BACKEND = "by_language"
CHINESE, OTHER = "chinese", "other"


def copy_part(into: Path, script: str, champion: ModelVersion) -> dict[str, Any]:
    """Copy what serves `script` now: the champion's part, or the whole of a champion that has none."""
    if not champion.artifact_hash:
        raise PermanentError(
            f"{champion} runs behind an endpoint: no part of it can be kept for texts without labels",
            hint="Label texts of every language first, or promote a model of your own disk.",
        )
    source, about = _serving(champion, script)
    shutil.copytree(source, into, ignore=shutil.ignore_patterns(artifacts.MANIFEST))
    return {**about, "folder": script}


def start_of(champion: ModelVersion, labels: Sequence[str]) -> Start | None:
    """Return what a part for Chinese starts from, so that few labels do not make it worse than what serves; None:
    nothing.

    The champion's part; where that was learnt from labels of this shop, what it started from itself, or the model that
    ships: what was learnt before is learnt again, and no text is judged by a model that knows its label.
    """
    from inference.backends.linear_heads import START, STARTED_FROM
    from training.trainers.linear_heads import Start

    version: ModelVersion | None = champion
    if not (champion.artifact_hash and artifacts.path_for(champion.artifact_hash).is_dir()):
        version = _shipped(champion.role)
    elif champion.backend == BACKEND:
        source, about = _serving(champion, CHINESE)
        if (source / STARTED_FROM).is_file():
            about = json.loads((source / STARTED_FROM).read_text(encoding="utf-8"))
            return _knowing(Start(source / START, about), labels)
        if about["backend"] != "character_head":
            return _knowing(Start(source, {name: about[name] for name in ("backend", "options")}), labels)
        version = _shipped(champion.role)
    if version is None:
        return None
    source, about = _serving(version, CHINESE)
    return _knowing(Start(source, about), labels)


def _serving(champion: ModelVersion, script: str) -> tuple[Path, dict[str, Any]]:
    """Return where the part of `champion` that serves `script` lies, and its back end and options."""
    source = artifacts.path_for(champion.artifact_hash)
    artifacts.verify(source)
    if champion.backend != BACKEND:
        return source, {"backend": champion.backend, "options": champion.options}
    from inference.backends.by_language import PARTS

    about = json.loads((source / PARTS).read_text(encoding="utf-8"))[script]
    return source / about["folder"], about


def _knowing(start: Start, labels: Sequence[str]) -> Start | None:
    return start if set(labels) <= set(start.model.labels) else None


def _shipped(role: str) -> ModelVersion | None:
    """Return the model of `role` that ships, where its files are in the store."""
    versions = ModelVersion.objects.filter(role=role, backend="cold_start").order_by("-number")
    return next((version for version in versions if artifacts.path_for(version.artifact_hash).is_dir()), None)
