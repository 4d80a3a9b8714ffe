"""Cells that a spreadsheet would run as a formula, made harmless and back.

As OWASP advises (https://owasp.org/www-community/attacks/CSV_Injection): a single quote before the first sign. It is
taken off again when the cell is read, so that a text is the same after a round trip.
"""

from __future__ import annotations

import re

# Full-width signs too: some locales read them as the plain ones.
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_FORMULA_OF_TEXT = re.compile(r'="([^=]*)"', re.S)
_NUMBER = re.compile(r"\d[\d.,]*")
_SUSPICIOUS = frozenset((*STARTS, "'"))  # looked at first: most cells are harmless


def escape_formula(text: str) -> str:
    """Return `text` as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in _SUSPICIOUS and _is_dangerous(text) else text


def unescape_formula(cell: str) -> str:
    """Return the text that `escape_formula` made `cell` of."""
    return cell[1:] if cell.startswith("'") and _is_dangerous(cell) else cell


def unguarded(cell: str, *, is_key: bool = False) -> str:
    """Return `cell` without what shops put around it so that a spreadsheet leaves it alone: `="00123"`, `'00123`.

    A quote before a word may be meant (`'Tis the season`, `'90s`); before a key (`is_key`) it never is.
    """
    text = cell.strip()
    if text[:1] not in ("=", "'"):  # most cells
        return cell
    if guarded := _FORMULA_OF_TEXT.fullmatch(text):
        return guarded[1].replace('""', '"')
    if text.startswith("'") and (is_key or _NUMBER.fullmatch(text, 1) or _is_dangerous(text)):
        return text[1:]
    return cell


def _is_dangerous(text: str) -> bool:
    # Behind quotes of its own as well, or one could not tell those from ours.
    return text.lstrip("'").startswith(STARTS)
