"""How far two answers are from each other: sets of labels, and texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from labeling.quality.intervals import Array
from labeling.quality.votes import Ints


def encode_sets(answers: Iterable[Iterable[int]], n_labels: int) -> tuple[Ints, Array]:
    """Number the different sets among `answers`: the number of each answer, and which labels each set has (sets,
    n_labels).

    The numbers serve as labels of `Votes`, the second array as argument of `jaccard` and `masi`.
    """
    numbers: dict[frozenset[int], int] = {}
    codes = [numbers.setdefault(frozenset(answer), len(numbers)) for answer in answers]
    members = np.zeros((len(numbers), n_labels))
    for labels, number in numbers.items():
        members[number, list(labels)] = 1
    return np.array(codes, dtype=np.int64), members


def jaccard(members: Array) -> Array:
    """Return 1 - shared ÷ all labels of every two sets, (sets, sets); two empty sets are equal."""
    shared = members @ members.T
    size = members.sum(axis=1)
    union = size[:, None] + size[None, :] - shared
    return 1 - np.where(union > 0, shared / np.maximum(union, 1), 1.0)


def masi(members: Array) -> Array:
    """Return the MASI distance of every two sets, (sets, sets): Jaccard's, harder on sets of which none holds the
    other.

    Passonneau, R. (2006), LREC: the share counts whole for equal sets, two thirds where one holds the other, one third
    where they only overlap.
    """
    shared = members @ members.T
    size = members.sum(axis=1)
    smaller, larger = np.minimum(size[:, None], size[None, :]), np.maximum(size[:, None], size[None, :])
    weight = np.select([shared == larger, shared == smaller, shared > 0], [1.0, 2 / 3, 1 / 3], 0.0)
    return np.asarray(1 - (1 - jaccard(members)) * weight)


def edit_distances(texts: Sequence[str], others: Sequence[str]) -> Array:
    """Return the Levenshtein distance of each text to its other, divided by the length of the longer: 0…1, (n,)."""
    from rapidfuzz.distance import Levenshtein

    return np.array([Levenshtein.normalized_distance(a, b) for a, b in zip(texts, others, strict=True)], dtype=float)


def chrf_distances(texts: Sequence[str], others: Sequence[str]) -> Array:
    """Return 1 - chrF of each text and its other, 0…1, (n,): character 6-grams, so Chinese needs no word breaks.

    Popović, M. (2015), WMT; sacrebleu's default parameters. chrF takes one text for the truth, so this is the mean of
    both directions. About a hundred times slower than `edit_distances`: for reports, not for pages.
    """
    from sacrebleu.metrics.chrf import CHRF

    score = CHRF().sentence_score
    both = [
        1.0 if a == b else (score(a, [b]).score + score(b, [a]).score) / 200 for a, b in zip(texts, others, strict=True)
    ]
    return 1 - np.array(both, dtype=float)
