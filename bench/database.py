"""A PostgreSQL of a benchmark's own, in a folder of its own that goes with it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ecomsite.stack.ports import free_port
from ecomsite.stack.postgres import Postgres

BULK = {"shared_buffers": "512MB", "max_wal_size": "4GB"}


@contextmanager
def postgres(settings: Mapping[str, str] | None = None) -> Iterator[tuple[Postgres, Path]]:
    """Start a server, and yield it with the folder that it lies in."""
    with tempfile.TemporaryDirectory(prefix="ecomsite-bench-") as name:
        root = Path(name)
        root.chmod(0o755)
        server = Postgres(root / "postgres", free_port(), settings=dict(settings or {}))
        server.start()
        try:
            yield server, root
        finally:
            server.stop()
