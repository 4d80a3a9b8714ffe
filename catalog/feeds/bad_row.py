"""Why a row of a feed is not taken."""

from __future__ import annotations


class BadRow(Exception):
    """A row that cannot be taken; the message is the reason shown to the merchant."""
