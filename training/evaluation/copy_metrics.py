"""What written copy is worth: by the checks of production, and against what a person made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from moderation.policy.base import Check, Draft, Severity, run_checks
from moderation.policy.grounding import claims, grounding_score

Floats = npt.NDArray[np.float64]
ROUNDS = 4000


@dataclass(frozen=True)
class Written:
    """A text for a product as the checks of production see it, and the text that a person wrote; empty without one."""

    draft: Draft
    product: str
    human: str = ""


def measure(texts: Sequence[Written], checks: Sequence[Check]) -> dict[str, Floats]:
    """Return each figure for each text (name → (n,)); what cannot be said of a text is NaN.

    `unsupported_claims`: claims that no fact backs; `unsupported`: whether there is one. `blocked`, `flagged`: whether
    the policy stops the text, or asks a person to look. `grounding`: how well the facts back it. The others compare
    with the text of a person: BLEU, chrF and TER as sacrebleu counts them, ROUGE-L and edit distance by characters
    where there are no spaces, so that equal Chinese texts come out at 1.
    """
    rows = [_measure(text, checks) for text in texts]
    return {name: np.array([row[name] for row in rows], dtype=np.float64) for name in (rows[0] if rows else ())}


def _measure(text: Written, checks: Sequence[Check]) -> dict[str, float]:
    found = {hit.severity for result in run_checks(text.draft, checks) for hit in result.hits}
    n_unsupported, written = unsupported(text.draft), text.draft.text
    alike = {"edit_distance": edit_distance, "bleu": bleu, "chrf": chrf, "ter": ter, "rouge_l": rouge_l}
    return {
        "unsupported_claims": float(n_unsupported),
        "unsupported": float(n_unsupported > 0),
        "blocked": float(Severity.BLOCK in found),
        "flagged": float(bool(found & {Severity.BLOCK, Severity.WARN})),
        "grounding": grounding_score(text.draft),
        "characters": float(len(written)),
        **{name: figure(written, text.human) if text.human else float("nan") for name, figure in alike.items()},
    }


def describe(texts: Sequence[Written], measured: Mapping[str, Floats], *, seed: int = 0) -> dict[str, Any]:
    """Return the mean of each figure with its 95 % interval, by drawing products again; `n_human` and `distinct_2`.

    `n_human` counts the texts that could be compared with a person's. `distinct_2` is the share of different word pairs
    among all of them.
    """
    if not texts:
        return {"n": 0, "products": 0}
    products = [text.product for text in texts]
    found: dict[str, Any] = {"n": len(texts), "products": len(set(products))}
    found["n_human"] = sum(bool(text.human) for text in texts)
    for name, values in measured.items():
        if not np.isnan(values).all():
            found[name] = interval(values, products, seed=seed)
    found["distinct_2"] = round(distinct([text.draft.text for text in texts]), 4)
    return found


def slices(
    measured: Mapping[str, Floats], groups: Mapping[str, Sequence[str]], products: Sequence[str], *, fewest: int
) -> list[dict[str, Any]]:
    """Return claims without a fact, blocks and edit distance (means) for each slice of at least `fewest` products.

    `groups`: name of the slices → value of each text.
    """
    found = []
    for by, value, rows in parts(groups, products, fewest=fewest):
        row: dict[str, Any] = {"by": by, "value": value, "n": len(rows)}
        for name in ("unsupported_claims", "blocked", "edit_distance"):
            values = measured[name][rows]
            row[name] = None if np.isnan(values).all() else round(float(np.nanmean(values)), 4)
        found.append(row)
    return found


def parts(
    groups: Mapping[str, Sequence[str]], products: Sequence[str], *, fewest: int
) -> list[tuple[str, str, npt.NDArray[np.intp]]]:
    """Return name, value and places of each slice with texts for at least `fewest` products."""
    named, found = np.asarray(products), []
    for by, values in groups.items():
        for value in sorted(set(values)):
            rows = np.flatnonzero(np.asarray(values) == value)
            if len(set(named[rows])) >= fewest:
                found.append((by, value, rows))
    return found


def interval(values: Floats, products: Sequence[str], *, seed: int = 0, level: float = 0.95) -> dict[str, float]:
    """Return the mean of `values` and its percentile interval; whole products are drawn, for their texts are alike."""
    _, places = np.unique(np.asarray(products), return_inverse=True)
    known = ~np.isnan(values)
    sums = np.bincount(places, weights=np.where(known, values, 0.0))
    counts = np.bincount(places, weights=known.astype(np.float64))
    draws = np.random.default_rng(seed).integers(0, len(sums), size=(ROUNDS, len(sums)))
    drawn = counts[draws].sum(axis=1)
    means = np.divide(sums[draws].sum(axis=1), drawn, out=np.full(ROUNDS, np.nan), where=drawn > 0)
    low, high = np.nanpercentile(means, (50 * (1 - level), 50 * (1 + level)))
    return {
        "value": round(float(sums.sum() / counts.sum()), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
    }


def unsupported(draft: Draft) -> int:
    """Return how many claims of the text no fact backs, by the check of production."""
    return sum(claim.fact is None for claim in claims(draft))


def tokens(text: str) -> list[str]:
    """Return words; of a text that is written without spaces, its characters."""
    from inference.backends.cold_start import is_chinese

    return [char for char in text if not char.isspace()] if is_chinese(text) else text.lower().split()


def edit_distance(text: str, human: str) -> float:
    """Return the share of the longer text that has to change, 0 (equal) to 1, by characters."""
    from rapidfuzz.distance import Levenshtein

    return float(Levenshtein.normalized_distance(text, human))


def rouge_l(text: str, human: str) -> float:
    """Return the F1 of the longest common subsequence of tokens (Lin 2004), 1 for equal texts in any language."""
    from rapidfuzz.distance import LCSseq

    ours, theirs = tokens(text), tokens(human)
    if not ours or not theirs:
        return float(ours == theirs)
    return 2 * LCSseq.similarity(ours, theirs) / (len(ours) + len(theirs))


def bleu(text: str, human: str) -> float:
    """Return sentence BLEU, 0 to 1 (Post 2018, sacrebleu), Chinese by characters."""
    from sacrebleu.metrics import BLEU

    return _share(BLEU(effective_order=True, tokenize=_tokenizer(human)).sentence_score(text, [human]).score)


def chrf(text: str, human: str) -> float:
    """Return chrF, 0 to 1 (Popović 2015)."""
    from sacrebleu.metrics import CHRF

    return _share(CHRF().sentence_score(text, [human]).score)


def ter(text: str, human: str) -> float:
    """Return the translation edit rate, 0 (equal) upwards (Snover et al. 2006)."""
    from sacrebleu.metrics import TER

    return float(TER(asian_support=True, normalized=True).sentence_score(text, [human]).score) / 100


def _share(percent: float) -> float:
    return min(1.0, float(percent) / 100)  # equal texts come out a rounding error above 100


def _tokenizer(text: str) -> str:
    from inference.backends.cold_start import is_chinese

    return "zh" if is_chinese(text) else "13a"


def distinct(texts: Sequence[str], *, n: int = 2) -> float:
    """Return the share of different runs of `n` tokens among all of them (Li et al. 2016): 1, no two alike."""
    runs = [tuple(words[i : i + n]) for words in map(tokens, texts) for i in range(len(words) - n + 1)]
    return len(set(runs)) / len(runs) if runs else 0.0
