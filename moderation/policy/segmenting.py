"""Where words of Chinese begin and end: jieba's dictionary, by rjieba (Rust, MIT), without its guesses at new words.

Source: github.com/fxsjy/jieba; maximum probability over a directed acyclic graph of dictionary words, linear in length.
The dictionary is part of the package: nothing is fetched and no cache is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_HAN: Final = re.compile("[\u3400-\u9fff]")
_NO_CHARACTER: Final = re.compile("[\ud800-\udfff]")  # half of one; Rust takes none


def word_borders(text: str) -> Sequence[int]:
    """Return the indices at which words of `text` begin or end, in order; none of text without Chinese."""
    if not _HAN.search(text):
        return ()
    # Imported here: the dictionary takes most of a second and 35 MB, and only a Chinese text with a finding needs it.
    import rjieba

    borders = [0]
    for word in rjieba.cut(_NO_CHARACTER.sub(" ", text), hmm=False):
        borders.append(borders[-1] + len(word))
    if borders[-1] != len(text):
        raise ValueError(f"the segmenter returned {borders[-1]} of {len(text)} characters")
    return borders
