"""Keys that are kept outside of the database: from the environment, or in a file that the first use makes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from core.exceptions import PermanentError


def secret(*, given: str, path: Path, make: Callable[[], str] | None, name: str) -> str:
    """Return the secret `given` by the environment, else what the file at `path` holds, else what `make` gives it now.

    The file is written with mode 0600. Raises `PermanentError` when there is none and `make` is None: what it made
    before would be lost behind a new one.
    """
    if given:
        return given.replace("\\n", "\n")
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        if make is None:
            raise PermanentError(
                f"{name} is missing: {path.name} is not where it was.",
                hint="Bring it back from your copy; the runbook says what to do if there is none.",
            ) from None
    write(path, make(), replace=False)
    return path.read_text().strip()


def write(path: Path, value: str, *, replace: bool) -> None:
    """Write a secret into a file of mode 0600, whole or not at all; without `replace`, who came first is kept."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(value + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        if replace:
            temporary.replace(path)
        else:
            try:
                path.hardlink_to(temporary)
            except FileExistsError:
                return
    finally:
        temporary.unlink(missing_ok=True)
