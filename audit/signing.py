"""What is signed and by whom it may be: statements about heads and keys, and a ring of public keys. Pure: no tables.

`audit/offline_verifier.py` has the same forms a second time, because it must run without this project.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.hashing import canonical_json

LEAF_PREFIX = 8  # bytes of each line's hash that a head keeps, so that a rewritten line can be named


def key_id_of(public: str) -> str:
    """Return the short name of a public key given as hex: 16 hex digits of its SHA-256."""
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()[:16]


def is_signed(statement: bytes, signature: str, public: str) -> bool:
    """Whether `signature` (hex) is the Ed25519 signature (RFC 8032) of `statement` by the key `public` (hex)."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), statement)
    except (InvalidSignature, ValueError):
        return False
    return True


@dataclass(frozen=True)
class Head:
    """A signed head: the tree of `size` lines has the root `root`; `leaves` begin the hashes of those after `first`."""

    size: int
    first: int
    root: str
    entry: str
    at: str
    key: str
    leaves: bytes = field(repr=False)
    signature: str = ""

    def statement(self) -> bytes:
        """Return what the signature is about."""
        body = {
            "at": self.at,
            "entry": self.entry,
            "first": self.first,
            "key": self.key,
            "root": self.root,
            "size": self.size,
            "leaves": hashlib.sha256(self.leaves).hexdigest(),
        }
        return b"ecomsite ledger head 1\n" + canonical_json(body).encode()

    def as_line(self) -> dict[str, Any]:
        """Return the head for the second place and for exports."""
        return {
            "type": "head",
            "size": self.size,
            "first": self.first,
            "root": self.root,
            "entry": self.entry,
            "at": self.at,
            "key": self.key,
            "leaves": base64.b64encode(self.leaves).decode(),
            "signature": self.signature,
        }

    @classmethod
    def from_line(cls, line: Mapping[str, Any]) -> Head:
        """Return the head that `as_line` wrote. Raises `KeyError`, `TypeError` or `ValueError` when it is none."""
        return cls(
            size=int(line["size"]),
            first=int(line["first"]),
            root=str(line["root"]),
            entry=str(line["entry"]),
            at=str(line["at"]),
            key=str(line["key"]),
            leaves=base64.b64decode(line["leaves"], validate=True),
            signature=str(line["signature"]),
        )


@dataclass(frozen=True)
class SigningKey:
    """The public half of a key, with what ties it to the one before."""

    public: str
    first: int
    at: str
    predecessor: str = ""
    by_predecessor: str = ""
    by_successor: str = ""

    @property
    def key_id(self) -> str:
        return key_id_of(self.public)

    def statement(self) -> bytes:
        """Return what both keys sign when this one follows its predecessor."""
        body = {"at": self.at, "first": self.first, "predecessor": self.predecessor, "public": self.public}
        return b"ecomsite ledger key 1\n" + canonical_json(body).encode()

    def as_line(self) -> dict[str, Any]:
        """Return the key for the second place and for exports."""
        return {
            "type": "key",
            "key": self.key_id,
            "public": self.public,
            "first": self.first,
            "at": self.at,
            "predecessor": self.predecessor,
            "by_predecessor": self.by_predecessor,
            "by_successor": self.by_successor,
        }

    @classmethod
    def from_line(cls, line: Mapping[str, Any]) -> SigningKey:
        """Return the key that `as_line` wrote. Raises `KeyError`, `TypeError` or `ValueError` when it is none."""
        bytes.fromhex(line["public"])
        return cls(
            public=str(line["public"]),
            first=int(line["first"]),
            at=str(line["at"]),
            predecessor=str(line["predecessor"]),
            by_predecessor=str(line["by_predecessor"]),
            by_successor=str(line["by_successor"]),
        )


class Keyring:
    """Which keys are believed: those in `roots` (hex), and whatever their signatures lead to, both ways."""

    def __init__(self, keys: Iterable[SigningKey], *, roots: Iterable[str]) -> None:
        known = {key.key_id: key for key in keys}
        self._trusted = {key_id_of(root): root for root in roots}
        grows = True
        while grows:
            grows = False
            for key in known.values():
                before = known.get(key.predecessor)
                if before is None:
                    continue
                ahead = before.key_id in self._trusted and is_signed(key.statement(), key.by_predecessor, before.public)
                back = key.key_id in self._trusted and is_signed(key.statement(), key.by_successor, key.public)
                for one in ([key] if ahead else []) + ([before] if back else []):
                    if one.key_id not in self._trusted:
                        self._trusted[one.key_id] = one.public
                        grows = True
        self._first = {key_id: known[key_id].first for key_id in self._trusted if key_id in known}
        self._last = {key.predecessor: key.first for key in known.values() if key.key_id in self._trusted}

    def problem_with(self, head: Head) -> str:
        """Return why the signature of `head` does not count, in words; empty when it does."""
        public = self._trusted.get(head.key)
        if public is None:
            return f"the head of {head.size:,} lines is signed by the key {head.key}, which nobody vouches for"
        if not self._first.get(head.key, 0) < head.size <= self._last.get(head.key, head.size):
            return f"the head of {head.size:,} lines is signed by the key {head.key} outside of its time"
        if len(head.leaves) != LEAF_PREFIX * (head.size - head.first) or not is_signed(
            head.statement(), head.signature, public
        ):
            return f"the signature of the head of {head.size:,} lines is not valid"
        return ""
