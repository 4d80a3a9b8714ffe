"""Addresses that others wrote, taken apart: one that cannot be read is no error, and has no parts."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit


def parts_of(address: str) -> SplitResult:
    """Return the parts of `address`; all are empty where it cannot be read, as of `http://[half`."""
    try:
        return urlsplit(address)
    except ValueError:
        return SplitResult("", "", "", "", "")
