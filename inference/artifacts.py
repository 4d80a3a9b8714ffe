"""Content-addressed store of model directories: a folder per artefact, named by the SHA-256 of its manifest.

The manifest lists size and SHA-256 of every file and is written last, in a temporary folder that is then renamed: a
folder with the right name is whole. Weights are safetensors; pickles (which can run code) and links are refused.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.exceptions import PermanentError, TransientError
from core.hashing import canonical_json, hash_file, hash_json

MANIFEST = "manifest.json"
FORMAT = 1
INCOMING, LEFT_AFTER_S = ".incoming-", 24 * 3600
PICKLES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".marshal", ".npz", ".npy", ".py", ".so"}

_verified: set[Path] = set()


class ManifestFile(BaseModel):
    """One file: path inside the folder with forward slashes, size in bytes, SHA-256."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    path: str
    size: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Manifest(BaseModel):
    """What a folder holds and what it was made from."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: int
    files: list[ManifestFile]
    created_from: dict[str, Any] = Field(default_factory=dict)


def root() -> Path:
    """Return the folder of the store."""
    return settings.INFERENCE.artifacts


def path_for(manifest_hash: str) -> Path:
    """Return the folder of an artefact, whether it is there or not. Raises `PermanentError` for what is no hash."""
    if len(manifest_hash) != 64 or set(manifest_hash) - set("0123456789abcdef"):
        raise PermanentError(f"{manifest_hash!r} is no SHA-256")
    return root() / manifest_hash


def _files_of(directory: Path) -> list[Path]:
    """Return the files to keep, sorted. Raises `PermanentError` on a pickle, or on a link that leaves the folder."""
    home = directory.resolve()
    files = []
    for path in sorted(directory.rglob("*")):
        relative = path.relative_to(directory)
        if any(part.startswith(".") for part in relative.parts) or relative == Path(MANIFEST):
            continue
        if path.is_symlink() and not path.resolve().is_relative_to(home):
            raise PermanentError(f"{relative} is a link that leaves the folder", hint="Copy the file itself there.")
        if path.suffix.lower() in PICKLES:
            raise PermanentError(
                f"{relative} may hold code: only safetensors weights are taken",
                hint="Convert the weights with `save_pretrained(..., safe_serialization=True)` and remove the file.",
            )
        if path.is_file():
            files.append(path)
    return files


def store_directory(source: Path, *, created_from: Mapping[str, Any] | None = None) -> str:
    """Copy the model directory `source` into the store and return its manifest hash. The same content is stored once.

    Raises `PermanentError` when the folder is absent or empty, or holds pickles or links that leave it, and
    `TransientError` when the disk is full. Nothing half-written is left either way; what a killed process left goes
    with a later call.
    """
    if not source.is_dir():
        raise PermanentError(f"{source} is no directory")
    files = _files_of(source)
    if not files:
        raise PermanentError(f"{source} holds no files")
    root().mkdir(parents=True, exist_ok=True)
    _sweep()
    temporary = Path(tempfile.mkdtemp(prefix=INCOMING, dir=root()))
    try:
        entries = []
        for path in files:
            target = temporary / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            _sync(target)
            # Hash the copy: what is recorded is what will be loaded, even if the source changes meanwhile.
            entries.append(
                {
                    "path": path.relative_to(source).as_posix(),
                    "size": target.stat().st_size,
                    "sha256": hash_file(target),
                }
            )
        manifest = {"format": FORMAT, "files": entries, "created_from": dict(created_from or {})}
        manifest_hash = hash_json(manifest)
        (temporary / MANIFEST).write_text(canonical_json(manifest), encoding="utf-8")
        _sync(temporary / MANIFEST)
        temporary.chmod(0o755)
        final = path_for(manifest_hash)
        if final.is_dir():
            return manifest_hash
        try:
            temporary.rename(final)
        except OSError:
            if not final.is_dir():  # else another process stored the same content first
                raise
        _sync(root())
        return manifest_hash
    except OSError as exc:
        if exc.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise TransientError(
            f"There is no room for this model in {root()}.", hint="Make room there, then run the same command again."
        ) from exc
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def find(created_from: Mapping[str, Any]) -> str | None:
    """Return the hash of a whole artefact in the store that was made from just that, or None."""
    for manifest in root().glob(f"[0-9a-f]*/{MANIFEST}"):
        directory = manifest.parent
        try:
            if read_manifest(directory).created_from == dict(created_from):
                verify(directory)
                return directory.name
        except PermanentError:  # damaged: made anew it gets the same name, which whoever repairs it is told
            continue
    return None


def _sweep() -> None:
    """Remove what processes that were killed left half-written: no copy takes as long as a day."""
    for left in root().glob(f"{INCOMING}*"):
        with contextlib.suppress(FileNotFoundError):  # another process may sweep at the same time
            if time.time() - left.stat().st_mtime > LEFT_AFTER_S:
                shutil.rmtree(left, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_manifest(directory: Path) -> Manifest:
    """Return the manifest of a stored artefact.

    Raises `PermanentError` when it is absent or not the one the name says.
    """
    try:
        raw = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        manifest = Manifest.model_validate(raw)
    except (OSError, ValueError, ValidationError) as exc:
        raise PermanentError(
            f"the artefact {directory.name} has no readable {MANIFEST} ({type(exc).__name__})", hint=_REPAIR
        ) from exc
    if hash_json(raw) != directory.name:
        raise PermanentError(f"{MANIFEST} of the artefact {directory.name} was changed", hint=_REPAIR)
    if manifest.format != FORMAT:
        raise PermanentError(f"the artefact {directory.name} has the format {manifest.format}, not {FORMAT}")
    return manifest


_REPAIR = "Remove the folder and run `manage.py prepare_models`, or register the model again."


def verify(directory: Path) -> None:
    """Check every file of a stored artefact against its manifest; the full read happens once per process.

    Raises `PermanentError` naming the first file that is missing, changed, or not in the manifest.
    """
    if directory in _verified:
        return
    if not directory.is_dir():
        raise PermanentError(f"the artefact {directory.name} is not in {directory.parent}", hint=_REPAIR)
    manifest = read_manifest(directory)
    present = {path.relative_to(directory).as_posix() for path in _files_of(directory)}
    listed = {entry.path for entry in manifest.files}
    if stray := sorted(present - listed):
        raise PermanentError(f"{stray[0]} of the artefact {directory.name} is not in its manifest", hint=_REPAIR)
    for entry in manifest.files:
        path = directory / entry.path
        if not path.is_file():
            raise PermanentError(f"{entry.path} of the artefact {directory.name} is missing", hint=_REPAIR)
        if path.stat().st_size != entry.size or hash_file(path) != entry.sha256:
            raise PermanentError(f"{entry.path} of the artefact {directory.name} was changed", hint=_REPAIR)
    _verified.add(directory)
