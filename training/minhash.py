"""Which of a million texts may be nearly copies of each other: MinHash signatures, in bands, in linear time.

Broder 1997, "On the resemblance and containment of documents"; banding: Leskovec, Rajaraman, Ullman, Mining of Massive
Datasets, 3.4. Where one place was changed, what is before or after it is half of the text at least: neighbours in the
order of the letters, read from either end, find these without luck (Hernández and Stolfo 1995, sorted neighbourhoods).
The signatures of live copy (`moderation.policy.duplicates`) are of runs of four words: of a review of ten words too few
of these are left once one is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

# 25 bands of 4 values: a pair that shares half of its runs meets in a band with a chance of 80 %, 60 %: 96.9 %, 70 %:
# 99.9 %; two that share 0.7 %, as two reviews of sixty words do by chance, with one of 17 million.
BANDS: Final = 25
ROWS: Final = 4
# Neighbours in a band that a text is compared with, in the order of the texts: what makes a million linear.
WINDOW: Final = 8
NEIGHBOURS: Final = 2
PART: Final = 1 << 18  # bytes hashed at a time: what a core's cache holds

U64 = npt.NDArray[np.uint64]


def candidates(
    texts: Sequence[bytes], *, run: int, lot: int, against: Sequence[bool] | None = None
) -> Iterator[tuple[int, int]]:
    """Yield each pair of places in `texts`, the smaller first, that may share many of their runs of `run` bytes.

    Each text is in `texts` once, in order.

    In a band that more texts share than the window holds, each also meets the nearest of those that are marked in
    `against`, before it and after it: what is looked for is found however many copies lie in between.
    """
    if len(texts) < 2:
        return
    bands = np.concatenate([_bands(part, run=run, lot=lot) for part in _parts(texts)])
    met = [np.fromiter(_neighbours(texts), dtype=np.int64)]
    for band in range(BANDS):
        values = bands[:, band]
        order = np.argsort(values, kind="stable")
        values = values[order]
        for step in range(1, WINDOW + 1):
            same = np.flatnonzero(values[step:] == values[:-step])
            if not len(same):
                break
            met.append(order[same] * len(texts) + order[same + step])  # the sort is stable: the smaller is first
        if against is not None:
            met += _nearest_marked(values, order, np.asarray(against, dtype=bool)[order])
    for pair in np.unique(np.concatenate(met)).tolist():
        yield divmod(pair, len(texts))


def _nearest_marked(values: U64, order: npt.NDArray[np.int64], marked: npt.NDArray[np.bool_]) -> list[Any]:
    """Return the pairs of each place of `order` with the marked one of equal value nearest before it, and after it."""
    n, places, found = len(order), np.arange(len(order)), []
    before = np.maximum.accumulate(np.where(marked, places, -1))
    after = np.minimum.accumulate(np.where(marked, places, n)[::-1])[::-1]
    for other in (before, after):
        rows = np.flatnonzero((other >= 0) & (other < n) & (other != places))
        rows = rows[values[rows] == values[other[rows]]]
        first, last = np.minimum(rows, other[rows]), np.maximum(rows, other[rows])
        found.append(order[first] * n + order[last])
    return found


def _neighbours(texts: Sequence[bytes]) -> Iterator[int]:
    """Yield the pairs that are neighbours by how they begin or by how they end, of a third of the shorter at least."""
    n = len(texts)
    by_end = sorted(range(n), key=lambda place: texts[place][::-1])
    for step in range(1, NEIGHBOURS + 1):
        for one in range(n - step):
            third = min(len(texts[one]), len(texts[one + step])) // 3
            if texts[one][:third] == texts[one + step][:third]:
                yield one * n + one + step
            here, there = by_end[one], by_end[one + step]
            third = min(len(texts[here]), len(texts[there])) // 3
            if texts[here][-third:] == texts[there][-third:]:
                yield min(here, there) * n + max(here, there)


def _parts(texts: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    start, size = 0, 0
    for place, text in enumerate(texts):
        size += len(text)
        if size >= PART:
            yield texts[start : place + 1]
            start, size = place + 1, 0
    if start < len(texts):
        yield texts[start:]


def _bands(texts: Sequence[bytes], *, run: int, lot: int) -> U64:
    """Return the bands (n, BANDS) of the MinHash signatures of `texts`."""
    runs, starts = _runs(texts, run)
    runs = _mixed(runs)
    found = np.zeros((len(texts), BANDS), dtype=np.uint64)
    for number, (factor, shift) in enumerate(_coefficients(lot)):
        lowest = np.minimum.reduceat((runs * factor + shift) >> np.uint64(32), starts)
        band = number // ROWS
        found[:, band] = _mixed(found[:, band] + lowest + np.uint64(number))
    return found


def _runs(texts: Sequence[bytes], run: int) -> tuple[U64, npt.NDArray[np.int64]]:
    """Return all runs of `texts` in a row, each as the number its bytes make, and where those of each text begin."""
    padded = [text.ljust(run, b"\0") for text in texts]
    signs = np.frombuffer(b"".join(padded), dtype=np.uint8).astype(np.uint64)
    sizes = np.array([len(text) for text in padded], dtype=np.int64)
    n_runs = sizes - run + 1
    starts = np.cumsum(n_runs) - n_runs
    # Where each run begins among the signs: those that would reach into the next text are left out.
    begins = np.arange(int(n_runs.sum())) + np.repeat(np.cumsum(sizes) - sizes - starts, n_runs)
    found = np.zeros(len(begins), dtype=np.uint64)
    for place in range(run):
        found = found << np.uint64(8) | signs[begins + place]
    return found, starts


def _mixed(values: U64) -> U64:
    """Return `values` with every bit hanging on every other (splitmix64: Steele, Lea, Flood 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _coefficients(lot: int) -> list[tuple[np.uint64, np.uint64]]:
    """Return the factor (odd) and the summand of each hash of a lot: multiply-shift
    (Dietzfelbinger and others 1997).
    """
    drawn = _mixed(np.arange(1, 2 * BANDS * ROWS + 1, dtype=np.uint64) + np.uint64(lot * 1_000_003))
    return [(factor | np.uint64(1), shift) for factor, shift in zip(drawn[::2], drawn[1::2], strict=True)]
