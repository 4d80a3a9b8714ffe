"""A file on its way out: it grows beside its place, notes how far it came, and takes its place when it is whole."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.exceptions import PermanentError


class Part:
    """What has been written of `target`: `FILE.part`, and `FILE.part.json` with how far it came.

    `what` says what is being written: an export of something else does not go on from here. Raises `PermanentError`
    when `target` is there already.
    """

    def __init__(self, target: Path, *, what: Mapping[str, Any]) -> None:
        if target.exists():
            raise PermanentError(f"there is a file {target} already.", hint="Give another name, or remove it.")
        if not target.parent.is_dir():
            raise PermanentError(f"there is no folder {target.parent}.")
        self.target, self.what = target, dict(what)
        self.path = target.with_name(f"{target.name}.part")
        self.noted = target.with_name(f"{target.name}.part.json")
        # The key of the last subject written, how many those are, and where the writer stood.
        self.after, self.n_rows, self.position = 0, 0, 0
        try:
            held = json.loads(self.noted.read_text())
        except (OSError, ValueError):
            held = {}
        if held.get("what") == self.what and self.path.exists():
            self.after, self.n_rows, self.position = held["after"], held["n_rows"], held["position"]
        else:
            self.discard()

    def start_again(self) -> None:
        """Forget what was written so far."""
        self.discard()
        self.after, self.n_rows, self.position = 0, 0, 0

    def advance(self, *, after: int, n_rows: int, position: int) -> None:
        """Note that `n_rows` more are written, up to `after`, and that the writer stands at `position`."""
        self.after, self.n_rows, self.position = after, self.n_rows + n_rows, position
        state = {"what": self.what, "after": self.after, "n_rows": self.n_rows, "position": self.position}
        beside = self.noted.with_name(f"{self.noted.name}.new")
        with beside.open("w") as stream:
            json.dump(state, stream)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(self.noted)

    def take_place(self, whole: Path) -> None:
        """Move the finished file or folder `whole` to where it belongs, at once."""
        whole.rename(self.target)
        self.discard()

    def discard(self) -> None:
        """Remove what was written so far."""
        self.noted.unlink(missing_ok=True)
        if self.path.is_dir():
            shutil.rmtree(self.path)
        else:
            self.path.unlink(missing_ok=True)
