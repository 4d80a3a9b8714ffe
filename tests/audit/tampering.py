"""Everything a superuser may do to the ledger, at random, and the line at which that has to be noticed.

Used by the suite (short) and by `bench/ledger.py` (long). Each act takes the rows as they are, gives the rows as they
shall be, and says which line is the first that is not what was signed.
"""

from __future__ import annotations

import base64
import copy
import datetime as dt
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction

from audit import anchors, ledger
from audit.ledger import entry_hash
from audit.models import LedgerCheck, LedgerEntry, LedgerKey, TreeHead
from audit.signing import key_id_of
from core.actors import SystemActor
from tests.audit.signed import superuser

Row = dict[str, Any]
FIELDS = ("seq", "at", "actor", "action", "subject", "payload", "prev_hash", "entry_hash")


@dataclass
class State:
    """The tables as the intruder leaves them."""

    rows: list[Row]
    heads: list[Row]
    writes_on: int = 0  # lines the desk appends afterwards, knowing nothing


@dataclass(frozen=True)
class Tampering:
    """What was done, and the first line that is wrong after it."""

    name: str
    bad_seq: int


def take() -> State:
    """Return the lines and heads of the database."""
    return State(list(LedgerEntry.objects.order_by("seq").values()), list(TreeHead.objects.order_by("size").values()))


def put(state: State) -> None:
    """Replace lines and heads of the database by those of `state`, and let the desk write on."""
    with superuser():
        LedgerEntry.objects.all().delete()
        TreeHead.objects.all()._raw_delete("default")
        LedgerEntry.objects.bulk_create([LedgerEntry(**row) for row in state.rows])
        TreeHead.objects.bulk_create([TreeHead(**row) for row in state.heads])
    if state.writes_on:
        with transaction.atomic():
            lines = [ledger.Line("test.later", f"thing:{i}") for i in range(state.writes_on)]
            ledger.append_many(lines, actor=SystemActor("tests"))


def _hash(row: Row) -> str:
    values = {name: row[name] for name in FIELDS[:-1]}
    return entry_hash(**values)


def _hash_from(rows: list[Row], seq: int) -> None:
    """Number and chain `rows` again from line `seq` on, as the desk would have."""
    for place in range(seq - 1, len(rows)):
        rows[place]["seq"] = place + 1
        rows[place]["prev_hash"] = rows[place - 1]["entry_hash"] if place else "0" * 64
        rows[place]["entry_hash"] = _hash(rows[place])


def _change(row: Row, rng: random.Random) -> None:
    """Change one thing of a line."""
    field = rng.choice(("at", "actor", "action", "subject", "payload", "more"))
    if field == "at":
        row["at"] += dt.timedelta(microseconds=rng.randint(1, 10**9))
    elif field == "payload":
        row["payload"] = {**row["payload"], "i": row["payload"].get("i", 0) + 1}
    elif field == "more":
        row["payload"] = {**row["payload"], "x": None}
    else:
        row[field] += rng.choice(("x", "é", " ", "\\", "\t"))


def _forge_heads(state: State, seq: int, rng: random.Random) -> None:
    """What an intruder may do about the heads from line `seq` on: leave them, remove some or all, sign by a key of theirs."""
    way = rng.choice(("leave", "remove those", "remove all", "sign"))
    if way == "remove those":
        state.heads = [head for head in state.heads if head["size"] < seq]
    elif way == "remove all":
        state.heads = []
    elif way == "sign":
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes_raw().hex()
        for head in state.heads:
            if head["size"] >= seq:
                first = head["size"] - len(head["leaves"]) // 8
                rows = state.rows[first : head["size"]]
                head["leaves"] = b"".join(bytes.fromhex(row["entry_hash"])[:8] for row in rows)
                head["key_id"], head["signature"] = key_id_of(public), key.sign(b"whatever").hex()
                if rows:
                    head["head_hash"] = rows[-1]["entry_hash"]


def edit(state: State, rng: random.Random) -> int:
    row = rng.choice(state.rows)
    _change(row, rng)
    return int(row["seq"])


def edit_and_hash(state: State, rng: random.Random) -> int:
    row = rng.choice(state.rows)
    _change(row, rng)
    row["entry_hash"] = _hash(row)
    return int(row["seq"])


def edit_a_hash(state: State, rng: random.Random) -> int:
    row = rng.choice(state.rows)
    field = rng.choice(("prev_hash", "entry_hash"))
    row[field] = rng.choice(("0" * 63 + "1", row[field][::-1] + "", "f" * 64, "no hash"))
    return int(row["seq"])


def delete(state: State, rng: random.Random) -> int:
    seq = rng.randrange(1, len(state.rows))
    for _ in range(rng.choice((1, 1, 3))):
        if len(state.rows) > seq:
            state.rows.pop(seq - 1)
    return seq


def delete_and_close_the_gap(state: State, rng: random.Random) -> int:
    seq = delete(state, rng)
    _hash_from(state.rows, seq)
    _forge_heads(state, seq, rng)
    return seq


def reorder(state: State, rng: random.Random) -> int:
    a, b = sorted(rng.sample(range(len(state.rows)), 2))
    one, two = state.rows[a], state.rows[b]
    one["seq"], two["seq"] = two["seq"], one["seq"]
    state.rows[a], state.rows[b] = two, one
    if rng.random() < 0.5:
        _hash_from(state.rows, a + 1)
        _forge_heads(state, a + 1, rng)
    return a + 1


def insert(state: State, rng: random.Random) -> int:
    seq = rng.randrange(1, len(state.rows) + 1)
    row = {**copy.deepcopy(rng.choice(state.rows)), "actor": "user:666"}
    state.rows.insert(seq - 1, row)
    if rng.random() < 0.5:
        _hash_from(state.rows, seq)
        _forge_heads(state, seq, rng)
    else:
        for place, moved in enumerate(state.rows, start=1):
            moved["seq"] = place
        row["entry_hash"] = _hash(row)
    return seq


def cut_the_tail(state: State, rng: random.Random) -> int:
    keep = rng.randrange(len(state.rows))
    state.rows = state.rows[:keep]
    if rng.random() < 0.5:
        state.heads = [head for head in state.heads if head["size"] <= keep]
    return keep + 1


def hash_everything_again(state: State, rng: random.Random) -> int:
    seq = rng.choice((1, rng.randrange(1, len(state.rows) + 1)))
    _change(state.rows[seq - 1], rng)
    _hash_from(state.rows, seq)
    _forge_heads(state, seq, rng)
    return seq


def restore_an_old_backup(state: State, rng: random.Random) -> int:
    size = rng.choice([0] + [int(head["size"]) for head in state.heads[:-1]])
    extra = rng.randint(0, 3)  # lines that were written before the backup, and not signed yet
    following = next(int(head["size"]) for head in state.heads if head["size"] > size)
    keep = min(size + extra, following - 1)
    state.rows = state.rows[:keep]
    state.heads = [head for head in state.heads if head["size"] <= size]
    state.writes_on = rng.choice((0, 1, 50, 600))
    return keep + 1


ACTS: tuple[Callable[[State, random.Random], int], ...] = (
    edit,
    edit_and_hash,
    edit_a_hash,
    delete,
    delete_and_close_the_gap,
    reorder,
    insert,
    cut_the_tail,
    hash_everything_again,
    restore_an_old_backup,
)


def tamper(before: State, rng: random.Random, act: Callable[[State, random.Random], int]) -> Tampering:
    """Do `act` to a copy of `before` and put it into the database."""
    state = copy.deepcopy(before)
    bad = act(state, rng)
    put(state)
    LedgerCheck.objects.all().delete()  # the intruder covers tracks
    return Tampering(act.__name__, bad)


def cut_file(path: Path, size: int) -> None:
    """Cut a file of heads back to those of at most `size` lines; its other lines stay."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines if line.get("size", 0) <= size))


def back_in_both_places(before: State, rng: random.Random) -> Tampering:
    """Put database and second place back to the same older head, or to none; the desk may write on."""
    done = tamper(before, rng, restore_an_old_backup)
    cut_file(anchors.path(), TreeHead.objects.order_by("-size").values_list("size", flat=True).first() or 0)
    return done


def heads_only(rng: random.Random) -> str:
    """Tamper with a head, a key or its record and leave the lines alone: no line is bad, but something is. Returns what."""
    size = rng.choice(list(TreeHead.objects.order_by("-size").values_list("size", flat=True)[1:]))
    head = TreeHead.objects.filter(size=size)
    way = rng.choice(("root", "leaves", "signature", "time", "remove", "remove the keys"))
    with superuser():
        if way == "root":
            head.update(root_hash="a" * 64)
        elif way == "leaves":
            head.update(leaves=base64.b64decode("AAAAAAAAAAA="))
        elif way == "signature":
            head.update(signature="b" * 128)
        elif way == "time":
            head.update(at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        elif way == "remove":
            head._raw_delete("default")
        else:
            LedgerKey.objects.all().update(public_key="c" * 64)
    return way
