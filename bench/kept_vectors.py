"""Sentence vectors of texts, each text read once for all runs and seeds; kept in var/bench/, which git ignores."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench import reviews

AT_ONCE = 256
FILE = reviews.KEPT / "vectors.sqlite"


class KeptVectors:
    """The vectors of the encoder in `directory`, or of the one that ships; `options` are those it reads with.

    Those of another encoder are forgotten when this object is: it may change while its folder stays.
    """

    def __init__(self, directory: Path | None = None, **options: Any) -> None:
        self.options = options
        self.directory = directory or reviews.encoder_directory()
        FILE.parent.mkdir(parents=True, exist_ok=True)
        self.store = sqlite3.connect(":memory:" if directory else FILE, timeout=60)
        self.store.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")
        self._encoder: Any = None

    def of(self, texts: Sequence[str]) -> np.ndarray:
        """Return the vectors (n, d) of `texts`, those not yet known read a few at a time and kept at once."""
        keys = [self._key(text) for text in texts]
        known = {key: value for key in dict.fromkeys(keys) if (value := self._kept(key)) is not None}
        new = [(key, text) for key, text in dict(zip(keys, texts, strict=True)).items() if key not in known]
        for start in range(0, len(new), AT_ONCE):
            part = new[start : start + AT_ONCE]
            vectors = self.encoder.encode([text for _, text in part])
            rows = [(key, vector.tobytes()) for (key, _), vector in zip(part, vectors, strict=True)]
            with self.store:
                self.store.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
            known |= dict(rows)
        return np.array([np.frombuffer(known[key], dtype=np.float32) for key in keys])

    @property
    def encoder(self) -> Any:
        """The encoder, loaded when the first text is new."""
        if self._encoder is None:
            from inference.backends.sentence_encoder import SentenceEncoder

            self._encoder = SentenceEncoder(directory=self.directory, options=self.options)
        return self._encoder

    def _kept(self, key: bytes) -> bytes | None:
        found = self.store.execute("SELECT value FROM vectors WHERE key = ?", (key,)).fetchone()
        return None if found is None else bytes(found[0])

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(f"{sorted(self.options.items())}:{text}".encode()).digest()
