"""Four public sets as declared questions, by the commands that a user has, beside two usual ways to classify texts.

For each seed and method a database of its own, with the four declarations in a QUESTIONS_DIR: `migrate`, `prepare_models`,
`questions check` and `load`; then for each size and set `import_labels --question` and `train`, and `classify_texts` of
texts that were never imported. TF-IDF and frozen MiniLM, each with a logistic regression, learn from all rows that were imported; ours sets a
part of them aside for its gate. `fewer` is frozen MiniLM with as many rows as ours learnt from, so it comes after ours. Results are kept in var/bench/declared_questions.jsonl as they come; `--write` refreshes
the page from those. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

from bench import database, declared_sets, page, reviews  # noqa: E402
from bench.declared_report import lines  # noqa: E402
from bench.declared_sets import Declared, Draw  # noqa: E402
from bench.desk_commands import Desk  # noqa: E402
from bench.kept_vectors import KeptVectors  # noqa: E402

KEPT = reviews.KEPT / "declared_questions.jsonl"
SIZES = (200, 1_000, 5_000)
WORDS, FROZEN, FEWER = "words", "frozen", "fewer"
SIGNS = r"[\u3400-\u9fff]|\w+"


def by_words(train: list[str], labels: list[int], tested: list[str]) -> list[int]:
    """Return what TF-IDF of words and pairs, a Chinese sign each for a word, says with a logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    reader = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), token_pattern=SIGNS)
    model = LogisticRegression(C=10, max_iter=2000).fit(reader.fit_transform(train), labels)
    return [int(one) for one in model.predict(reader.transform(tested))]


def by_embeddings(draw: Draw, n: int) -> list[int]:
    """Return what a logistic regression on the vectors of the encoder that ships says, fitted on the first `n` rows."""
    from sklearn.linear_model import LogisticRegression

    held_out, learnt = shipped_vectors().of(draw.tested), shipped_vectors().of(draw.texts[:n])
    return [int(one) for one in LogisticRegression(C=10, max_iter=2000).fit(learnt, draw.labels[:n]).predict(held_out)]


@functools.cache
def shipped_vectors() -> KeptVectors:
    """Return those of the encoder that ships, as it serves."""
    return KeptVectors()


def ours(desk: Desk, asked: Declared, draw: Draw, n: int, *, method: str, seed: int) -> dict[str, Any]:
    """Bring the first `n` rows in, train, and return what the model says of the texts to test by, and the gate of it."""
    file = desk.folder / f"{asked.name}-{n}.csv"
    draw.write(file, n)
    mapped = [part for choice in asked.choices for part in ("--map", f"{choice.there}={choice.value}")]
    desk.run("import_labels", file, "--question", asked.name, *mapped, "--by", desk.person)
    trained = desk.run(
        *("train", asked.name, "--here", "--set", f"method={method}", "--set", f"seed={seed}", "--by", desk.person)
    )
    version = desk.newest_version(asked.name)
    texts = json.dumps(draw.tested)
    answers = json.loads(desk.run("classify_texts", version["artifact_hash"], given=texts).stdout)
    said = [asked.values.index(max(one, key=one.__getitem__)) for one in answers]
    verdict = next(line for line in trained.stdout.splitlines() if "the gate says" in line)
    return {
        "said": said,
        "seconds": round(trained.seconds, 1),
        "verdict": verdict.partition("the gate says ")[2].rstrip("."),
        "reasons": [line.strip() for line in trained.stdout.splitlines() if line.startswith("  ")],
        "learnt": version["card"].get("method") or version["name"],
        "n": desk.snapshot_of(asked.name),
    }


def measure(seed: int, method: str, *, sets: Sequence[str], sizes: Sequence[int], desk: Desk) -> None:
    """Measure `method` at each of `sizes` of each of `sets`, the small first, and keep each result as it comes."""
    known = {(row["set"], row["seed"], row["size"], row["method"]) for row in kept()}
    is_begun = method in (WORDS, FROZEN, FEWER)
    for n in sizes:
        for name in sets:
            if (name, seed, n, method) in known:
                continue
            asked = declared_sets.SETS[name]
            draw = Draw(asked, seed=seed, n_train=max(SIZES))
            if method == WORDS:
                found: dict[str, Any] = {"said": by_words(draw.texts[:n], draw.labels[:n], draw.tested)}
            elif method == FROZEN:
                found = {"said": by_embeddings(draw, n)}
            elif method == FEWER:
                learnt = learnt_by_ours(name, seed, n)
                if not learnt:
                    continue
                found = {"said": by_embeddings(draw, learnt), "learnt": learnt}
            else:
                if not is_begun:
                    desk.begin(f"{method}_{seed}")
                    is_begun = True
                found = ours(desk, asked, draw, n, method=method, seed=seed)
            keep({"set": name, "seed": seed, "size": n, "method": method, "truth": draw.truth, **found})


def learnt_by_ours(name: str, seed: int, size: int) -> int:
    """Return how many of the rows ours learnt from, to validate by included; 0 where it was not measured yet."""
    rows = (row for row in kept() if (row["set"], row["seed"], row["size"]) == (name, seed, size) and "n" in row)
    return next((row["n"]["train"] + row["n"]["validation"] for row in rows), 0)


def kept() -> list[dict[str, Any]]:
    """Return what was measured so far; of what was measured twice the later."""
    rows = [json.loads(line) for line in KEPT.read_text("utf-8").splitlines()] if KEPT.is_file() else []
    return list({(row["set"], row["seed"], row["size"], row["method"]): row for row in rows}.values())


def keep(row: dict[str, Any]) -> None:
    """Add `row` to what was measured, and say what it came to."""
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    with KEPT.open("a", encoding="utf-8") as stream:
        stream.write(f"{json.dumps(row, ensure_ascii=False)}\n")
    right = sum(a == b for a, b in zip(row["said"], row["truth"], strict=True)) / len(row["truth"])
    told = {name: row[name] for name in ("set", "seed", "size", "method", "seconds", "verdict", "n") if name in row}
    print(json.dumps({**told, "accuracy": round(right, 4)}), flush=True)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=list(declared_sets.SETS), default=list(declared_sets.SETS))
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2])
    parser.add_argument(
        "--methods", nargs="+", default=[WORDS, FROZEN, "head", FEWER], help="words, frozen, fewer, or of the recipe"
    )
    parser.add_argument("--write", action="store_true", help="refresh the page from all that is kept")
    asked = parser.parse_args()
    with database.postgres() as (server, root):
        desk = Desk(server, root, list(declared_sets.SETS.values()))
        for seed in asked.seeds:
            for method in asked.methods:
                measure(seed, method, sets=asked.sets, sizes=sorted(asked.sizes), desk=desk)
    if asked.write:
        page.write("declared_questions", lines(kept()))
    print(json.dumps({"benchmark": "declared_questions", "n_results": len(kept())}))


if __name__ == "__main__":
    main()
