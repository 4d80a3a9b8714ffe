#!/usr/bin/env python3
"""Verifies an evidence pack with nothing but the pack and the public key: needs Python and `cryptography`.

    python verify_pack.py FOLDER --key PUBLIC_KEY

It imports nothing of the project that made the pack, on purpose: copy it, read it, run it elsewhere. Get the public key
from another source than the pack (`manage.py ledger key` prints it); give --key again for each key that was replaced
since. Exit status 0: unaltered, and every line of the ledger in it stands under a signed head. 1: not so. 2: cannot
read.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Fields = dict[str, Any]


class Broken(Exception):
    """The first thing that is wrong."""


def canonical(value: object) -> bytes:
    """JSON with sorted keys, no spaces, UTF-8 (after RFC 8785; numbers as Python prints them)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def is_signed(keys: Collection[str], key_id: str, signature: str, statement: bytes) -> bool:
    """Whether one of `keys` (hex) whose short name is `key_id` signed `statement` (Ed25519, RFC 8032)."""
    for key in keys:
        if sha256(bytes.fromhex(key)).hex()[:16] == key_id:
            try:
                Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), statement)
            except (InvalidSignature, ValueError):
                return False
            return True
    return False


def pack_statement(evidence_hash: str) -> bytes:
    """What is signed of a pack."""
    return b"ecomsite evidence 1\n" + evidence_hash.encode()


def head_statement(head: Fields) -> bytes:
    """What is signed of a head of the ledger."""
    body = {name: head[name] for name in ("at", "entry", "first", "key", "root", "size")}
    return b"ecomsite ledger head 1\n" + canonical({**body, "leaves": head["leaves_sha256"]})


def line_hash(line: Fields) -> str:
    """The hash of a line of the ledger, over its content and the hash of the line before."""
    names = ("seq", "at", "actor", "action", "subject", "payload", "prev")
    return sha256(canonical({name: line[name] for name in names})).hex()


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that leads from a leaf along its path (RFC 9162, 2.1.3.2)."""
    position, last, found = index, size - 1, sha256(b"\0" + leaf)
    for sibling in path:
        if position & 1 or position == last:
            found = sha256(b"\1" + sibling + found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = sha256(b"\1" + found + sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise Broken("a path to a root is too short")
    return found


def verify(folder: Path, keys: Collection[str]) -> str:
    """Return in words what holds. Raises `Broken`."""
    content = json.loads((folder / "evidence.json").read_text(encoding="utf-8"))
    signature = json.loads((folder / "evidence.signature.json").read_text(encoding="utf-8"))
    found = sha256(canonical(content)).hex()
    if found != signature["sha256"] or not is_signed(
        keys, signature["key"], signature["signature"], pack_statement(found)
    ):
        raise Broken("evidence.json is not what was signed, or another key signed it")
    proofs = {proof["seq"]: proof for proof in json.loads((folder / "proofs.json").read_text(encoding="utf-8"))}
    lines = {line["seq"]: line for text in content["texts"] for line in text["ledger"]}
    for seq, line in sorted(lines.items()):
        if line_hash(line) != line["hash"]:
            raise Broken(f"line {seq} of the ledger does not have its hash")
        if seq not in proofs:
            continue
        proof, head = proofs[seq], proofs[seq]["head"]
        path = [bytes.fromhex(node) for node in proof["path"]]
        if root_of(bytes.fromhex(line["hash"]), seq - 1, head["size"], path).hex() != head["root"]:
            raise Broken(f"line {seq} does not stand under the head of {head['size']} lines")
        if not is_signed(keys, head["key"], head["signature"], head_statement(head)):
            raise Broken(f"the head of {head['size']} lines is not signed by a key that was given")
    open_lines = sorted(lines.keys() - proofs.keys())
    late = f" Not under a signed head yet: {open_lines}." if open_lines else ""
    return f"Unaltered: {len(content['texts'])} text(s), {len(lines)} line(s) of the ledger.{late}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--key", action="append", required=True, help="public key, 64 hex digits")
    options = parser.parse_args()
    try:
        sys.stdout.write(verify(options.folder, options.key) + "\n")
    except Broken as exc:
        sys.stderr.write(f"BROKEN: {exc}\n")
        return 1
    except (OSError, ValueError, KeyError, TypeError) as exc:
        sys.stderr.write(f"This is no evidence pack: {type(exc).__name__}: {exc}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
