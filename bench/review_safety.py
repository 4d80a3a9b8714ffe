"""What the first scorer of review_safety marks, on halves of real data that nobody looked at while its lists were written.

Which half a row is in, a hash of its number says: even ones were looked at, odd ones are measured.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecomsite.settings")
import django  # noqa: E402

django.setup()

from bench import page  # noqa: E402
from bench.checks import DATA, rows, shown  # noqa: E402
from inference.contracts import Classification  # noqa: E402
from labeling.question import question  # noqa: E402
from moderation.policy.base import Draft  # noqa: E402
from moderation.policy.profanity import ProfanityCheck  # noqa: E402
from questions.review_safety import first_scorer  # noqa: E402
from questions.review_safety.first_scorer import SEPARATOR, WordListSafety  # noqa: E402

# Recall and precision of a sign of abuse; the share of reviews that people are asked about.
RECALL, PRECISION, ASKED = 0.8, 0.95, 0.03
SIGN, SAID = 0.1, 0.5  # from where on people are asked, and from where on the model says so itself
PRIVATE = {"EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE", "US_SSN"}
CROWDS = ("hate", "offensive", "neither")


def is_measured(key: object) -> bool:
    return hashlib.sha256(str(key).encode()).digest()[0] % 2 == 1


def half(path: str) -> list[dict[str, str]]:
    return [row for number, row in enumerate(rows(path)) if is_measured(number)]


def found(said: Sequence[Classification], choice: str, at: float) -> list[bool]:
    return [one.probabilities[choice] >= at for one in said]


def both(lines: list[str], what: str, hits: Sequence[bool], truth: Sequence[bool]) -> tuple[float, float]:
    """Add recall and precision of `hits`, and return them."""
    right = sum(hit and true for hit, true in zip(hits, truth, strict=True))
    lines.append(f"| {what}: recall | {shown(right, sum(truth))} |")
    lines.append(f"| {what}: precision | {shown(right, sum(hits))} |")
    return right / max(sum(truth), 1), right / max(sum(hits), 1)


def tweets(scorer: WordListSafety, lines: list[str]) -> tuple[float, float]:
    """Abuse and hate, by what most of a tweet's readers called it. The names of accounts in tweets are left in."""
    read = [row for row in rows("davidson_toxic/tweets.csv") if is_measured(row["id"])]
    crowd = [CROWDS[int(row["class"])] for row in read]
    said = scorer.classify([row["tweet"] + SEPARATOR for row in read])
    abusive, hateful = [one != "neither" for one in crowd], [one == "hate" for one in crowd]
    figures = both(lines, "abuse, a sign of it (tweets called hate or offensive)", found(said, "abuse", SIGN), abusive)
    both(lines, "abuse, said by the model", found(said, "abuse", SAID), abusive)
    swears = [bool(ProfanityCheck().find(Draft(row["tweet"], "review", "en", ""))) for row in read]
    both(lines, "… reference: the list of swear words alone", swears, abusive)
    both(lines, "hate, said by the model (tweets called hate)", found(said, "hate", SAID), hateful)
    strange = [row["tweet"] + SEPARATOR + "Blouses" for row, one in zip(read, crowd, strict=True) if one == "neither"]
    foreign = found(scorer.classify(strange), "off_topic", SIGN)
    lines.append(
        f"| off_topic, a sign of it: tweets called neither, as if about blouses | {shown(sum(foreign), len(foreign))} |"
    )
    return figures


def sentences(scorer: WordListSafety, lines: list[str]) -> None:
    """Personal data, in sentences made from patterns with persons that do not exist."""
    read = json.loads((DATA / "pii_presidio" / "pii.json").read_text(encoding="utf-8"))
    read = [one for number, one in enumerate(read) if is_measured(number)]
    truth = [bool(PRIVATE & {span["entity_type"] for span in one["spans"]}) for one in read]
    said = scorer.classify([one["full_text"] + SEPARATOR for one in read])
    both(lines, "personal_data, said by the model (addresses and numbers)", found(said, "personal_data", SAID), truth)


def reviews(scorer: WordListSafety, lines: list[str]) -> float:
    """The share of customers' reviews that people would be asked about: nearly all of these are harmless."""
    bound = question("review_safety").ask_below or 0
    worst, seconds, n = 0.0, 0.0, 0
    for path, text, product in (
        ("womens_clothing/reviews.csv", "review_text", "class_name"),
        ("uci_sls/reviews.csv", "text", ""),
        ("zh_online_shopping/reviews.csv", "review", "cat"),
        ("zh_waimai/reviews.csv", "review", ""),
    ):
        texts = [row[text] + SEPARATOR + (row[product] if product else "") for row in half(path)]
        begun = time.perf_counter()
        said = scorer.classify(texts)
        seconds, n = seconds + time.perf_counter() - begun, n + len(texts)
        asked = sum(one.confidence < bound for one in said)
        worst = max(worst, asked / len(texts))
        lines.append(f"| reviews that people are asked about, {path.partition('/')[0]} | {shown(asked, len(texts))} |")
    lines.append(f"| time for a review, one core | {1000 * seconds / n:.1f} ms |")
    return worst


def main() -> None:
    if not DATA.is_dir():
        raise SystemExit(f"no data at {DATA}: set ECOMSITE_DATA_DIR")
    lines = ["| what | measured |", "| --- | --- |"]
    scorer = WordListSafety(directory=Path(first_scorer.__file__).parent, options={})
    recall, precision = tweets(scorer, lines)
    sentences(scorer, lines)
    worst = reviews(scorer, lines)
    print("\n".join(lines))
    if "--write" in sys.argv:
        page.write("review_safety", lines)
    figures = {"recall": round(recall, 4), "precision": round(precision, 4), "asked_at_worst": round(worst, 4)}
    passed = recall >= RECALL and precision >= PRECISION and worst <= ASKED
    print(json.dumps({"name": "review_safety", **figures, "must": [RECALL, PRECISION, ASKED], "pass": passed}))


if __name__ == "__main__":
    main()
