"""The labels of a queue as arrays, and back: a million rows in seconds, for the search for wrong ones."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from psycopg import sql

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

READ_SIZE = 1 << 20


@dataclass(frozen=True)
class Columns:
    """Labels with what a model that never saw their subjects thinks.

    Row i of each array is about the label `ids[i]`.
    """

    ids: npt.NDArray[np.int64]
    given: npt.NDArray[np.int64]  # index into `names`
    probabilities: npt.NDArray[np.float32]  # (n, len(names)); rows sum to 1
    second: npt.NDArray[np.float32] | None  # the same of a second model; None unless it knows every row
    names: Sequence[str]


def read(question: str, names: Sequence[str]) -> Columns:
    """Return every label of the queue `question` that has out-of-sample probabilities; `names` are the queue's labels.

    Takes 8 bytes and 4 for each probability a row; 6 s for a million rows of three labels.
    """
    import numpy as np
    import pandas as pd

    k = len(names)
    columns = [
        sql.SQL("o.{}[{}]::real").format(sql.Identifier(name), sql.Literal(i + 1))
        for name in ("probabilities", "second")
        for i in range(k)
    ]
    query = sql.SQL(
        "COPY (SELECT l.id, array_position({names}::text[], l.label::text) - 1, {columns} FROM labeling_label l "
        "JOIN labeling_outofsample o ON o.question = l.question AND o.subject = l.subject "
        "WHERE l.question = {question} AND l.label = ANY({names}::text[]) "
        "AND o.labels::text[] = {names}::text[] ORDER BY "
        "l.id) TO STDOUT (FORMAT csv)"
    ).format(names=sql.Literal(list(names)), columns=sql.SQL(", ").join(columns), question=sql.Literal(question))
    types: dict[int, Any] = {0: np.int64, 1: np.int64} | dict.fromkeys(range(2, 2 + 2 * k), np.float32)
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        stream = io.BufferedReader(_Stream(copy), READ_SIZE)
        table = pd.read_csv(stream, header=None, names=list(types), dtype=types)
    values = table.loc[:, 2:].to_numpy(dtype=np.float32)
    second = values[:, k:]
    known = len(values) and not np.isnan(second).any()
    return Columns(table[0].to_numpy(), table[1].to_numpy(), values[:, :k], second if known else None, list(names))


class _Stream(io.RawIOBase):
    """What COPY sends, as a file."""

    def __init__(self, copy: Any) -> None:
        self.copy, self.rest = copy, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self.rest:
            self.rest = bytes(self.copy.read())
        n = min(len(buffer), len(self.rest))
        buffer[:n], self.rest = self.rest[:n], self.rest[n:]
        return n


def store_out_of_sample(
    question: str,
    names: Sequence[str],
    rows: Iterable[tuple[str, Sequence[float], Sequence[float] | None]],
    *,
    model: str,
) -> int:
    """Keep (subject, probabilities, those of the second model) in place of what was known before. Returns how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.fresh")
        cursor.execute(
            "CREATE TEMPORARY TABLE fresh (subject text, probabilities float8[], second float8[]) ON COMMIT DROP"
        )
        with cursor.copy("COPY fresh FROM STDIN") as copy:
            for subject, probabilities, second in rows:
                copy.write_row((subject, list(probabilities), None if second is None else list(second)))
        cursor.execute(
            "INSERT INTO labeling_outofsample (question, subject, labels, probabilities, second, model, computed_at) "
            "SELECT %s, subject, %s, probabilities, second, %s, now() FROM fresh "
            "ON CONFLICT (question, subject) DO UPDATE SET labels = excluded.labels, probabilities = "
            "excluded.probabilities, second = excluded.second, model = excluded.model, computed_at = "
            "excluded.computed_at",
            [question, list(names), model[:200]],
        )
        return int(cursor.rowcount)


# --- Embeddings --------------------------------------------------------------------------------------------------


def vectors(subjects: Sequence[str], hashes: Sequence[str], *, encoder: str) -> dict[str, npt.NDArray[np.float32]]:
    """Return the embeddings that are kept of those of `subjects` whose text still has the hash that is given
    with it.
    """
    import numpy as np

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT v.subject, v.vector FROM labeling_textvector v JOIN unnest(%s::text[], %s::text[]) AS a(subject, "
            "hash) ON v.subject = a.subject AND v.text_hash = a.hash WHERE v.encoder = %s",
            [list(subjects), list(hashes), encoder],
        )
        return {row[0]: np.frombuffer(row[1], dtype="<f2").astype(np.float32) for row in cursor.fetchall()}


def store_vectors(rows: Iterator[tuple[str, str, npt.NDArray[np.float32]]], *, encoder: str) -> int:
    """Keep (subject, hash of its text, embedding). Returns how many."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO labeling_textvector (subject, encoder, text_hash, vector) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (subject, encoder) DO UPDATE SET text_hash = excluded.text_hash, vector = excluded.vector",
            [(subject, encoder, text_hash, vector.astype("<f2").tobytes()) for subject, text_hash, vector in rows],
        )
        return max(int(cursor.rowcount), 0)
