"""The second place: a file, best on other storage, to which every signed head is appended.

A database restored from an old backup, or rewritten as a whole, agrees with itself. It does not agree with this file.
Lines are JSON: the heads, and the public keys that signed them. What was written is never changed.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings

from audit.signing import Head, SigningKey
from core.exceptions import PermanentError, TransientError
from core.hashing import canonical_json

STEP = 1 << 16


@dataclass(frozen=True)
class Anchored:
    """What the second place holds; `problem` says in words what is wrong with it."""

    heads: list[Head] = field(default_factory=list)
    keys: list[SigningKey] = field(default_factory=list)
    problem: str = ""


def path() -> Path:
    """Return where the second place is."""
    return Path(settings.LEDGER.anchor_file)


def exists() -> bool:
    """Whether the second place is there."""
    return path().is_file()


def _lines(stream: BinaryIO) -> Iterator[dict[str, Any]]:
    """The whole lines of the file. One without an end was broken off while it was written: it does not count yet."""
    for number, line in enumerate(stream, start=1):
        if not line.endswith(b"\n"):
            return
        try:
            parsed = json.loads(line)
            if not isinstance(parsed, dict):
                raise ValueError
        except ValueError:
            raise PermanentError(f"Line {number} of the second place cannot be read.") from None
        yield parsed


def read() -> Anchored:
    """Return everything in the second place; empty when there is none."""
    heads: list[Head] = []
    keys: list[SigningKey] = []
    try:
        with path().open("rb") as stream:
            for line in _lines(stream):
                if line.get("type") == "head":
                    heads.append(Head.from_line(line))
                elif line.get("type") == "key":
                    keys.append(SigningKey.from_line(line))
    except FileNotFoundError:
        return Anchored()
    except OSError as exc:
        return Anchored(heads, keys, f"the second place cannot be read ({exc.strerror})")
    except PermanentError as exc:
        return Anchored(heads, keys, exc.message.rstrip("."))
    except (KeyError, TypeError, ValueError):
        return Anchored(
            heads, keys, f"what follows the head of {heads[-1].size if heads else 0:,} lines cannot be read"
        )
    return Anchored(heads, keys)


def last() -> Head | None:
    """Return the last head of the second place without reading all of it.

    Raises `PermanentError` when it is damaged.
    """
    try:
        with path().open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            step = STEP
            while True:
                start = max(0, size - step)
                stream.seek(start)
                lines = stream.read(size - start).split(b"\n")
                for line in reversed(lines[1 if start else 0 : -1]):  # the first may be half a line, the last is one
                    if b'"type":"head"' in line:
                        return Head.from_line(json.loads(line))
                if start == 0:
                    return None
                step *= 4
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise TransientError(f"The second place cannot be read ({exc.strerror}).") from exc
    except (KeyError, TypeError, ValueError) as exc:
        raise PermanentError("The last head of the second place cannot be read.") from exc


def append(lines: Iterable[Mapping[str, Any]]) -> None:
    """Append `lines` and wait until they are on the disk. Raises `TransientError` when it cannot be written."""
    where = path()
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        is_new = not where.exists()
        with where.open("a+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            _drop_half_a_line(stream)
            for line in lines:
                stream.write(canonical_json(line).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        if is_new:
            folder = os.open(where.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as exc:
        raise TransientError(
            f"The second place cannot be written ({exc.strerror}).", hint="See LEDGER_ANCHOR_FILE in docs/settings.md."
        ) from exc


def _drop_half_a_line(stream: BinaryIO) -> None:
    """Cut off what a process that died left at the end."""
    end = stream.seek(0, os.SEEK_END)
    start, tail = end, b""
    while start and b"\n" not in tail:
        start = max(0, start - STEP)
        stream.seek(start)
        tail = stream.read(end - start)
    whole = start + tail.rfind(b"\n") + 1
    if whole != end:
        stream.truncate(whole)
