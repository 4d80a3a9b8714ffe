"""Where words of Chinese begin and end: jieba's dictionary, by rjieba (Rust, MIT), without its guesses at new words.

Source: github.com/fxsjy/jieba; maximum probability over a directed acyclic graph of dictionary words, linear in length.
The dictionary is part of the package: nothing is fetched and no cache is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

_HAN: Final = re.compile("[\u3400-\u9fff]")
_NO_CHARACTER: Final = re.compile("[\ud800-\udfff]")  # half of one; Rust takes none

# Names and words that are younger than the dictionary.
_NEW: Final = (
    "小红书",
    "抖音",
    "微博",
    "快手",
    "拼多多",
    "博主",
    "主播",
    "宝妈",
    "网红",
    "平替",
    "地沟油",
    "智商税",
    "割韭菜",
)


def word_borders(text: str) -> Sequence[int]:
    """Return the indices at which words of `text` begin or end, in order; none of text without Chinese."""
    if not _HAN.search(text):
        return ()
    borders = [0]
    for word in _cutter()(_NO_CHARACTER.sub(" ", text), hmm=False):
        borders.append(borders[-1] + len(word))
    if borders[-1] != len(text):
        raise ValueError(f"the segmenter returned {borders[-1]} of {len(text)} characters")
    return borders


@cache
def _cutter() -> Callable[..., Sequence[str]]:
    # Imported here: the dictionary takes most of a second and 35 MB, and only a Chinese text with a finding needs it.
    import rjieba

    for word in _NEW:
        rjieba.add_word(word, None, None)
    return rjieba.cut
