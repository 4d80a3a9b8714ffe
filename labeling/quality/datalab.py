"""What cleanlab's Datalab sees in a set of labels: near-duplicates, outliers, drift and labels that are rare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from labeling.quality.votes import Ints

# It compares every text with its neighbours: beyond this many the latest are looked at.
MOST = 20_000
CHECKS = ("near_duplicate", "outlier", "non_iid", "class_imbalance")


@dataclass(frozen=True)
class Check:
    """One kind of issue: how many rows have it, and a score of the whole set, 0 (bad) to 1."""

    n: int
    score: float


def inspect(labels: Ints, embeddings: ArrayLike) -> dict[str, Check]:
    """Return what Datalab says of (n,) `labels` and (n, d) `embeddings` of their texts.

    `non_iid` is drift: neighbours in time are more alike than others, so rows must be in the order of time. Raises
    `RuntimeError` when one of its checks failed: Datalab prints that and carries on.
    """
    from cleanlab import Datalab

    given, vectors = labels[-MOST:], np.asarray(embeddings, dtype=np.float32)[-MOST:]
    kinds: dict[str, dict[str, Any]] = {kind: {} for kind in CHECKS}
    # It wants labels numbered without gaps.
    numbers = np.unique(given, return_inverse=True)[1]
    lab = Datalab({"label": numbers.tolist()}, label_name="label", verbosity=0)
    lab.find_issues(features=vectors, issue_types=kinds)
    summary = lab.get_issue_summary().set_index("issue_type")
    if missing := sorted(set(CHECKS) - set(summary.index)):
        raise RuntimeError(f"Datalab could not check: {', '.join(missing)}")
    return {kind: Check(int(summary.loc[kind, "num_issues"]), float(summary.loc[kind, "score"])) for kind in CHECKS}
