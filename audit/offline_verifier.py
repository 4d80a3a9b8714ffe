#!/usr/bin/env python3
"""Verifies an export of the ledger with nothing but the export and the public key: needs Python and `cryptography`.

    python offline_verifier.py ledger.jsonl --key PUBLIC_KEY [--anchors anchors.jsonl] [--mark ledger-high-water.json]

It imports nothing of the project that made the export, on purpose: copy it, read it, run it elsewhere. Get the public
key from another source than the export (`manage.py ledger key` prints it), and keep it. --anchors is a copy of the
second place, --mark one of the high-water mark. Exit status 0: all is there and signed. 1: bad, named. 2: cannot read.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

PREFIX = 16  # hex digits of each line's hash that a head keeps
Fields = dict[str, Any]


class Broken(Exception):
    """The first thing that is wrong; `seq` is the bad line, if it is a line."""

    def __init__(self, reason: str, seq: int | None = None) -> None:
        super().__init__(f"first bad line {seq}: {reason}" if seq is not None else reason)
        self.seq = seq


def canonical(value: object) -> bytes:
    """JSON with sorted keys, no spaces, UTF-8 (after RFC 8785; numbers as Python prints them)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def signed_by(public: str, signature: str, statement: bytes) -> bool:
    """Whether `signature` is an Ed25519 signature (RFC 8032) of `statement`; key and signature are hex."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_id(public: str) -> str:
    return sha256(bytes.fromhex(public)).hex()[:16]


def key_statement(key: Fields) -> bytes:
    body = {name: key[name] for name in ("at", "first", "predecessor", "public")}
    return b"ecomsite ledger key 1\n" + canonical(body)


def head_statement(head: Fields) -> bytes:
    body = {name: head[name] for name in ("at", "entry", "first", "key", "root", "size")}
    leaves = sha256(base64.b64decode(head["leaves"], validate=True)).hex()
    return b"ecomsite ledger head 1\n" + canonical({**body, "leaves": leaves})


class Keys:
    """The keys that are believed: those given, and those that believed ones vouch for, forwards and backwards."""

    def __init__(self, given: Iterable[str]) -> None:
        self.trusted = {key_id(public): public for public in given}
        self.known: dict[str, Fields] = {}

    def learn(self, key: Fields) -> None:
        self.known[key_id(key["public"])] = key
        for _ in self.known:
            for name, one in self.known.items():
                before = self.known.get(one["predecessor"])
                if before is None:
                    continue
                before_id, statement = key_id(before["public"]), key_statement(one)
                if before_id in self.trusted and signed_by(before["public"], one["by_predecessor"], statement):
                    self.trusted[name] = one["public"]
                if name in self.trusted and signed_by(one["public"], one["by_successor"], statement):
                    self.trusted[before_id] = before["public"]

    def check(self, head: Fields) -> None:
        """Raise `Broken` unless the signature of `head` counts."""
        size, by = int(head["size"]), str(head["key"])
        if by not in self.trusted:
            raise Broken(f"the head of {size} lines is signed by the key {by}, which the given keys do not lead to")
        first = self.known.get(by, {}).get("first", 0)
        last = min(
            (k["first"] for n, k in self.known.items() if k["predecessor"] == by and n in self.trusted), default=size
        )
        if not first < size <= last:
            raise Broken(f"the head of {size} lines is signed by the key {by} outside of its time")
        if not signed_by(self.trusted[by], head["signature"], head_statement(head)):
            raise Broken(f"the signature of the head of {size} lines is not valid")


class Tree:
    """The Merkle tree of RFC 9162: a stack of full subtrees, the largest first."""

    def __init__(self) -> None:
        self.stack: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        node = (1, sha256(b"\x00" + leaf))
        while self.stack and self.stack[-1][0] == node[0]:
            node = (node[0] * 2, sha256(b"\x01" + self.stack.pop()[1] + node[1]))
        self.stack.append(node)

    def root(self) -> str:
        root = b""
        for _, node in reversed(self.stack):
            root = sha256(b"\x01" + node + root) if root else node
        return (root or sha256(b"")).hex()


def _unpack(head: Fields) -> None:
    """Add the beginnings of the hashes of the lines that `head` adds, as hex."""
    head["record"] = base64.b64decode(head["leaves"]).hex()
    if len(head["record"]) != PREFIX * (head["size"] - head["first"]):
        raise Broken(f"the record of the head of {head['size']} lines is too short or too long")


def entry_hash(entry: Fields) -> str:
    body = {name: entry[name] for name in ("seq", "at", "actor", "action", "subject", "payload", "prev")}
    return sha256(canonical(body)).hex()


class Check:
    """One way through an export. `anchors` are heads of the second place."""

    def __init__(self, keys: Keys, anchors: list[Fields]) -> None:
        self.keys = keys
        self.n, self.last_hash, self.tree, self.n_heads = 0, "0" * 64, Tree(), 0
        self.signed = self.agreed = 0
        self.trouble: Broken | None = None
        self.head: Fields | None = None
        self.anchor: Fields | None = None
        self.kept = sorted(anchors, key=lambda head: int(head["size"]))
        self.anchors: Iterator[Fields] | None = None

    def take(self, line: Fields) -> None:
        if line["type"] == "key":
            self.keys.learn(line)
            return
        if self.anchors is None:  # all keys are known now
            for head in self.kept:
                self.keys.check(head)
            self.anchors = iter(self.kept)
            self._next_anchor()
        if line["type"] == "head":
            self._expect(line)
        elif line["type"] == "entry":
            self._entry(line)

    def _next_anchor(self) -> None:
        self.anchor = next(self.anchors, None) if self.anchors is not None else None
        if self.anchor is not None:
            _unpack(self.anchor)

    def _expect(self, head: Fields) -> None:
        """A head comes before the lines it adds."""
        if self.head is not None and self.n < self.head["size"]:
            raise Broken(f"it is missing, as all up to {self.head['size']}", self.n + 1)
        try:
            self.keys.check(head)
            _unpack(head)
        except Broken as exc:  # the second place may still tell which line is bad
            self.trouble, self.head = self.trouble or exc, None
            return
        if head["first"] != self.n or head["size"] <= self.n:
            self.trouble = self.trouble or Broken(f"a head between {self.n} and {head['size']} lines is missing")
        self.head = head

    def _entry(self, entry: Fields) -> None:
        n = self.n + 1
        if entry["seq"] != n:
            if entry["seq"] < n:
                raise Broken("it should not be there: numbers start at 1 and rise by 1", entry["seq"])
            raise Broken(f"it is missing; the next one is {entry['seq']}", n)
        for head in (self.head, self.anchor):
            if head is None or not head["first"] < n <= head["size"]:
                continue
            if head["record"][PREFIX * (n - 1 - head["first"]) :][:PREFIX] != str(entry["hash"])[:PREFIX]:
                if n == head["first"] + 1:  # the first of its record: heads before that may be missing
                    raise Broken(f"what was signed for is not what stands from here to {n}", self.agreed + 1)
                raise Broken("it is not the line that was signed for", n)
        if entry["prev"] != self.last_hash:
            raise Broken("it does not follow from the line before", n)
        if entry_hash(entry) != entry["hash"]:
            raise Broken("its content does not match its hash", n)
        self.n, self.last_hash = n, entry["hash"]
        self.tree.add(bytes.fromhex(self.last_hash))
        if self.head is not None and n == self.head["size"]:
            self._meet(self.head)
            self.signed, self.n_heads = n, self.n_heads + 1
        if self.anchor is not None and n == self.anchor["size"]:
            self._meet(self.anchor)
            self._next_anchor()

    def _meet(self, head: Fields) -> None:
        if self.tree.root() != head["root"] or self.last_hash != head["entry"]:
            raise Broken(f"the lines from here to {head['size']} do not give the signed root", self.agreed + 1)
        self.agreed = max(self.agreed, int(head["size"]))

    def finish(self, announced: int, *, partial: bool) -> None:
        signed = self.head["size"] if self.head is not None else 0
        expected = max(announced, signed, *(0 if partial else int(head["size"]) for head in self.kept))
        if self.n < expected:
            raise Broken(f"it is missing, as all up to {expected}", self.n + 1)
        if self.trouble is not None:
            raise self.trouble
        if self.n > announced:
            raise Broken(f"the export announces {announced} lines", announced + 1)
        if self.signed != self.n:
            raise Broken("it and what follows is not signed", self.signed + 1)


def read_lines(path: str) -> Iterator[Fields]:
    with open(path, "rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                yield json.loads(line)
            except ValueError as exc:
                raise Broken(f"line {number} of {path} is no JSON") from exc


def read_key(text: str) -> str:
    """Return a public key, given as hex or as a PEM file, as hex."""
    if len(text) == 64 and not set(text.lower()) - set("0123456789abcdef"):
        return text.lower()
    with open(text, "rb") as stream:
        key = load_pem_public_key(stream.read())
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def read_kept(anchors: str, mark: str) -> list[Fields]:
    """Return the lines of second place and high-water mark; `Broken` for one without a head, or heads that differ."""
    kept: dict[Any, Fields] = {}  # a head by its size, a key by its name
    for path, name in ((anchors, "second place"), (mark, "high-water mark")):
        lines = list(read_lines(path)) if path else []
        if path and not any(line.get("type") == "head" for line in lines):
            raise Broken(f"the {name} that was given has no head: it was emptied")
        for line in lines:
            if kept.setdefault(line.get("size", line.get("key")), line) != line:
                raise Broken("second place and high-water mark contradict each other, or themselves")
    return list(kept.values())


def verify(export: str, given: Iterable[str], anchors: str = "", *, mark: str = "", partial: bool = False) -> Check:
    """Read the export once, in order, and return what was found. Raises `Broken`."""
    keys = Keys(given)
    kept = read_kept(anchors, mark)
    for line in (line for line in kept if line.get("type") == "key"):
        keys.learn(line)
    lines = read_lines(export)
    header = next(lines, {})
    if header.get("type") != "ledger" or header.get("version") != 1:
        raise Broken("this is no export of a ledger, or of another version")
    check = Check(keys, [line for line in kept if line.get("type") == "head"])
    try:
        for line in lines:
            check.take(line)
    except (KeyError, TypeError, ValueError) as exc:
        raise Broken(f"a line after line {check.n} of the ledger cannot be read ({type(exc).__name__})") from exc
    check.finish(int(header["n_entries"]), partial=partial)
    return check


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export")
    parser.add_argument("--key", action="append", required=True, help="a public key: 64 hex digits or PEM; repeatable")
    parser.add_argument("--anchors", default="", help="a copy of the second place, to compare with")
    parser.add_argument("--mark", default="", help="a copy of the high-water mark, to compare with")
    parser.add_argument("--partial", action="store_true", help="the second place may know more lines than the export")
    options = parser.parse_args()
    try:
        keys = map(read_key, options.key)
        check = verify(options.export, keys, options.anchors, mark=options.mark, partial=options.partial)
    except Broken as exc:
        print(f"BROKEN: {exc}")
        return 1
    except (OSError, ValueError) as exc:
        print(f"cannot read: {exc}", file=sys.stderr)
        return 2
    print(f"OK: {check.n} lines without a gap, {check.n_heads} signed heads")
    print(f"head {check.last_hash}\nroot {check.tree.root()}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
