"""What fine-tuning starts from, pinned by its hash so that models do not drift; and parts that are made once."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.exceptions import PermanentError
from inference import artifacts, resolver
from inference.models import ModelVersion, Role

DONE, UNFINISHED = "done.json", "done.json.part"


def memoised_step(folder: Path, fit: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of the part of a model that lies in `folder`; `fit` writes it to where it is told,
    unless that was done before.
    """
    if (folder / DONE).exists():
        kept: dict[str, Any] = json.loads((folder / DONE).read_text(encoding="utf-8"))
        return kept
    shutil.rmtree(folder / "model", ignore_errors=True)
    figures = fit(folder / "model")
    (folder / UNFINISHED).write_text(json.dumps(figures), encoding="utf-8")
    (folder / UNFINISHED).replace(folder / DONE)  # whole, or not there
    return figures


@dataclass(frozen=True)
class Base:
    """The model that fine-tuning starts from. `locales`: what it is known to write; empty where nobody said."""

    directory: Path
    artifact_hash: str
    locales: Sequence[str] = ()
    licence: str = ""

    @property
    def longest(self) -> int:
        """How many tokens it reads at most, as its files say; practically no limit where they do not."""
        said = [sys.maxsize]
        for path, key in ((self.directory / name, key) for name, key in _LIMITS):
            if path.is_file():
                said.append(int(json.loads(path.read_text(encoding="utf-8")).get(key) or sys.maxsize))
        return min(said)


_LIMITS = (("config.json", "max_position_embeddings"), ("tokenizer_config.json", "model_max_length"))


def encoder(named: str) -> Base:
    """Return the encoder that a recipe names, else the one that ships.

    Raises `PermanentError` when it cannot be had.
    """
    if named:
        return _described(_named(named), Role.ENCODER)
    version = resolver.resolve(Role.ENCODER)
    return Base(artifacts.path_for(version.artifact_hash), version.artifact_hash, licence=version.licence)


def writer(named: str, champion: ModelVersion | None) -> Base:
    """Return the model that a recipe names, else the one that `champion` was made from, else the champion itself.

    Raises `PermanentError` when it cannot be had: there is no champion, or it runs behind an endpoint.
    """
    if named:
        return _described(_named(named), Role.COPYWRITER)
    if champion is None or not (pinned := champion.base_hash or champion.artifact_hash):
        raise PermanentError(
            "there is no copywriter on this disk to start from",
            hint="`manage.py prepare_models`, or name one in the recipe: `--set base=DIRECTORY`.",
        )
    artifacts.verify(artifacts.path_for(pinned))
    return _described(pinned, Role.COPYWRITER)


def _described(artifact_hash: str, role: Role) -> Base:
    version = ModelVersion.objects.filter(role=role, artifact_hash=artifact_hash).order_by("number").first()
    return Base(
        artifacts.path_for(artifact_hash),
        artifact_hash,
        tuple(version.locales) if version else (),
        version.licence if version else "",
    )


def _named(location: str) -> str:
    """Store the model of a directory, an artefact or a hub id, and return its hash."""
    if Path(location).expanduser().is_dir():
        return artifacts.store_directory(Path(location).expanduser(), created_from={"source": location})
    if len(location) == 64:
        artifacts.verify(artifacts.path_for(location))
        return location
    from training.registration import directory_of

    with directory_of(location) as directory:
        return artifacts.store_directory(directory, created_from={"source": location})
