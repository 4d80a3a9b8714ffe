"""Near copies of reviews: how many are put with their original, what the groups of real reviews come to, and the time it takes.

Changes are made to real reviews, each of a product of its own, so that only nearness can put the two together; thresholds
were chosen on the first half of each set, the second was looked at afterwards. The million is made of sentences of real
reviews, drawn anew, ten a product, a twentieth of them near copies of others. `--write` refreshes the page.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

from bench import page, reviews  # noqa: E402
from labeling.quality.intervals import share  # noqa: E402
from training.near_copies import ALIKE, LARGEST, crossing, grouped, is_telling, letters, similarity  # noqa: E402
from training.splits import split_of  # noqa: E402

MOST = 1000  # of a half
SIGNS = ["!", ".", " :)", " 👍", "！", "…"]
FOUND_MUST, WORD_MUST, SECONDS_MUST = 1.0, 0.95, 900.0


def texts_of(name: str) -> list[tuple[str, str]]:
    """Return texts and products; where a set names none, ten reviews drawn by lot are one."""
    rows = reviews.rows_of(name)
    if name == "womens_clothing":
        return [(row["review_text"], row["clothing_id"]) for row in rows if row["review_text"]]
    key = "text" if name == "uci_sls" else "review"
    texts = [row[key] for row in rows if row[key]]
    random.Random(1).shuffle(texts)
    return [(text, f"{name}-{number // 10}") for number, text in enumerate(texts)]


def swapped(text: str, rng: random.Random) -> str:
    """Another word, or two other Chinese signs, somewhere in the text."""
    if " " in text.strip():
        words = text.split()
        words[rng.randrange(len(words))] = "something"
        return " ".join(words)
    at = rng.randrange(max(1, len(text) - 1))
    return f"{text[:at]}某些{text[at + 2 :]}"


CHANGES = {
    "a sign appended": lambda text, rng: text + rng.choice(SIGNS),
    "capitals": lambda text, rng: text.upper(),
    "spaces": lambda text, rng: text.replace(" ", "  ") if " " in text else " ".join(text),
    "an emoji in between": lambda text, rng: f"{text[: len(text) // 2]}😀{text[len(text) // 2 :]}",
    "punctuation": lambda text, rng: "".join(char + ("," if rng.random() < 0.1 else "") for char in text),
    "a word swapped": swapped,
}


def kept_apart(texts: list[str], change: str) -> tuple[int, int, int, int]:
    """Return how many copies cannot be learnt from while the original is tested on, of how many; and of those still alike."""
    rng = random.Random(7)
    copies = [CHANGES[change](text, rng) for text in texts]
    n = len(texts)
    groups = grouped([*texts, *copies], [f"P{number}" for number in range(2 * n)])
    told = set(crossing(copies, texts).learnt)
    found = [groups[number] == groups[n + number] or number in told for number in range(n)]
    alike = [are_alike(letters(one), letters(other)) for one, other in zip(texts, copies, strict=True)]
    return sum(found), n, sum(a and b for a, b in zip(found, alike, strict=True)), sum(alike)


def are_alike(one: bytes, other: bytes) -> bool:
    """Return whether two texts are near copies by the definition: the same letters, or long enough and half alike."""
    return one == other or (is_telling(one) and is_telling(other) and similarity(one, other) >= ALIKE)


def in_groups(rows: list[tuple[str, str]]) -> str:
    """Return what the groups of real reviews come to, as a row of the table."""
    texts, products = [text for text, _ in rows], [product for _, product in rows]
    began = time.process_time()
    groups = grouped(texts, products)
    seconds = time.process_time() - began
    merged = sum(a != b for a, b in zip(groups, products, strict=True))
    tested = [text for text, group in zip(texts, groups, strict=True) if split_of(group) == "test"]
    learnt = [text for text, group in zip(texts, groups, strict=True) if split_of(group) != "test"]
    found = crossing(learnt, tested)
    apart = crossing(
        [text for text, product in rows if split_of(product) != "test"],
        [text for text, product in rows if split_of(product) == "test"],
    )
    largest = max(Counter(groups).values()) / len(rows)
    return (
        f"{len(rows):,} | {len(apart.learnt) / len(rows):.1%} | {merged / len(rows):.1%} | {largest:.1%} | "
        f"{len(tested) / len(rows):.1%} | {len(found.learnt) / len(rows):.2%} | {seconds:.0f}"
    )


def million(n: int) -> list[tuple[str, str]]:
    rng = random.Random(3)
    sentences = [
        part.strip() for text, _ in texts_of("womens_clothing") for part in text.split(".") if len(part.split()) > 3
    ]
    made: list[tuple[str, str]] = []
    for number in range(n):
        text = ". ".join(rng.choices(sentences, k=3)) + "."
        if number % 20 == 19:
            text = CHANGES[rng.choice(list(CHANGES))](made[rng.randrange(len(made))][0], rng)
        made.append((text, f"SKU-{number // 10}"))
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    sets = ("uci_sls", "womens_clothing", "zh_online_shopping", "zh_waimai")
    lines = [
        "| set | half | change | kept apart from a test text | of those still alike |",
        "| --- | --- | --- | --- | --- |",
    ]
    figures: dict[str, float] = {}
    for name in sets:
        texts = sorted({text for text, _ in texts_of(name)})
        random.Random(5).shuffle(texts)
        for half, part in (("first", texts[: len(texts) // 2][:MOST]), ("second", texts[len(texts) // 2 :][:MOST])):
            for change in CHANGES:
                found, n, still, alike = kept_apart(part, change)
                all_, of_alike = share(found, n), share(still, alike)
                lines.append(
                    f"| {name} | {half} | {change} | {found}/{n} = {all_.value:.1%} [{all_.low:.1%}, {all_.high:.1%}] | "
                    f"{still}/{alike} = {of_alike.value:.1%} |"
                )
                print(lines[-1], flush=True)
                if half == "second":
                    kind = "word" if change == "a word swapped" else "signs"
                    figures[kind] = min(figures.get(kind, 1.0), of_alike.value if kind == "word" else all_.value)
    lines += [
        "",
        "| set | texts | near copies that cross by product alone | moved to another product's group | largest group | test part | left out of training | seconds |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in sets:
        lines.append(f"| {name} | {in_groups(texts_of(name))} |")
        print(lines[-1], flush=True)
    lines += [
        "",
        "| texts | grouped, seconds | crossing told, seconds | largest group | peak memory, MB |",
        "| --- | --- | --- | --- | --- |",
    ]
    for size in options.sizes:
        rows = million(size)
        texts, products = [text for text, _ in rows], [product for _, product in rows]
        began = time.process_time()
        groups = grouped(texts, products)
        took = time.process_time() - began
        tested = [text for text, group in zip(texts, groups, strict=True) if split_of(group) == "test"]
        learnt = [text for text, group in zip(texts, groups, strict=True) if split_of(group) != "test"]
        began = time.process_time()
        found = crossing(learnt, tested)
        told = time.process_time() - began
        largest = max(Counter(groups).values()) / size
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        lines.append(f"| {size:,} | {took:.0f} | {told:.0f} | {largest:.2%} | {peak:.0f} |")
        print(lines[-1], f"{len(found.learnt)} left out", flush=True)
        figures[f"seconds, {size}"], figures["largest"] = round(took, 1), max(figures.get("largest", 0.0), largest)
    lines += ["", f"Processor time, one of {os.cpu_count()} cores, shared."]
    if options.write:
        page.write("near_copies", lines)
    slowest = max((value for name, value in figures.items() if name.startswith("seconds")), default=0.0)
    passed = (
        figures["signs"] >= FOUND_MUST
        and figures["word"] >= WORD_MUST
        and slowest <= SECONDS_MUST
        and figures.get("largest", 0) <= LARGEST
    )
    print(
        json.dumps(
            {"name": "near_copies", **figures, "must": [FOUND_MUST, WORD_MUST, SECONDS_MUST, LARGEST], "pass": passed}
        )
    )
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
