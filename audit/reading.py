"""Reads lines of the ledger in bulk and recomputes their hashes: fast, and slowly wherever fast disagrees.

PostgreSQL's COPY in one statement is one snapshot: writers may go on meanwhile. The fast way serialises with orjson,
which writes some numbers in another form than `core.hashing.canonical_json`. So a line whose hash it does not meet is
computed again by `audit.ledger.entry_hash`, and only that one's verdict counts.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from hashlib import sha256

from django.db import connection
from orjson import OPT_SORT_KEYS as SORTED
from orjson import JSONDecodeError, JSONEncodeError, dumps, loads

from audit.ledger import entry_hash

CHUNK = 1000
COLUMNS = (
    "seq, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"+00:00\"'), actor, action, subject, payload, "
    "prev_hash, entry_hash"
)
# COPY writes these signs as a backslash and a letter (PostgreSQL manual, COPY, “Text Format”).
ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


# A line as far as the chain goes: number, hash before, hash stored, hash that its content gives.
Line = tuple[int, str, str, str]


def lines_after(seq: int) -> Iterator[list[Line]]:
    """Yield the lines above number `seq` in order, in lists of up to 1,000, each with its hash computed anew."""
    query = f"SELECT {COLUMNS} FROM audit_ledgerentry WHERE seq > {int(seq)} ORDER BY seq"  # noqa: S608
    statement = f"COPY ({query}) TO STDOUT"
    connection.ensure_connection()
    chunk: list[Line] = []
    with connection.connection.cursor() as cursor, cursor.copy(statement) as rows:
        for row in rows:
            chunk.append(_line(str(row, "utf-8")))
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
    if chunk:
        yield chunk


def _line(row: str) -> Line:
    number, at, actor, action, subject, payload, prev_hash, stored = row.split("\t")
    stored, is_plain = stored[:-1], "\\" not in row
    if not is_plain:
        at, actor, action, subject, payload, prev_hash, stored = (
            _unescaped(field) for field in (at, actor, action, subject, payload, prev_hash, stored)
        )
    if at[20:26] == "000000":  # as datetime.isoformat has it
        at = at[:19] + at[26:]
    try:
        content = loads(payload)
        if is_plain and '"' not in actor and '"' not in action and '"' not in subject and '"' not in prev_hash:
            words = dumps(content, None, SORTED).decode()
            body = (
                f'{{"action":"{action}","actor":"{actor}","at":"{at}","payload":{words},'
                f'"prev":"{prev_hash}","seq":{number},"subject":"{subject}"}}'
            ).encode()
        else:
            body = dumps(
                {
                    "action": action,
                    "actor": actor,
                    "at": at,
                    "payload": content,
                    "prev": prev_hash,
                    "seq": int(number),
                    "subject": subject,
                },
                None,
                SORTED,
            )
        found = sha256(body).hexdigest()
    except (JSONDecodeError, JSONEncodeError):
        found = ""
    seq = int(number)
    if found != stored:
        try:
            found = entry_hash(
                seq=seq,
                at=dt.datetime.fromisoformat(at),
                actor=actor,
                action=action,
                subject=subject,
                payload=json.loads(payload),
                prev_hash=prev_hash,
            )
        except ValueError:  # a time or a number that we never write, such as infinity
            found = ""
    return seq, prev_hash, stored, found


def _unescaped(field: str) -> str:
    return re.sub(r"\\(.)", lambda match: ESCAPED.get(match[1], match[1]), field, flags=re.DOTALL)


def entry_hashes(start: int, end: int) -> Iterator[bytes]:
    """Yield the stored hashes of the lines `start` to `end` (0-based as leaves, end excluded), as 32 bytes each."""
    statement = (
        "COPY (SELECT entry_hash FROM audit_ledgerentry "  # noqa: S608
        f"WHERE seq > {int(start)} AND seq <= {int(end)} ORDER BY seq) TO STDOUT"
    )
    connection.ensure_connection()
    with connection.connection.cursor() as cursor, cursor.copy(statement) as rows:
        for row in rows:
            yield bytes.fromhex(bytes(row[:-1]).decode())
