"""A million rows of JSONL through the importer: rows a second and peak memory, against a bare COPY of the same rows.

Each arm runs the command itself, `manage.py import_products` or `import_reviews`, in a process of its own, its start
included, on one embedded PostgreSQL (fsync and synchronous_commit on). The reference copies the rows that ours left, with
`psql \\copy`, into tables of the same columns without indices and constraints: it parses no JSON, and cleans, checks, types,
looks up and counts nothing. For information the same into the real tables, emptied, with their indices and constraints.

Then the products once more, killed with SIGKILL five times on the way: what is in the tables must be the same to the last
column, and each bad row named once.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

import psycopg  # noqa: E402

from bench import database, page  # noqa: E402
from ecomsite.stack.postgres import Postgres, find_binaries  # noqa: E402

ROWS, KILLS, MUST, GOAL, MUST_MB = 1_000_000, 5, 0.10, 0.25, 300
PRODUCTS, REVIEWS = ("catalog_product", "catalog_productfact"), ("catalog_customerreview",)
# Everything that an import writes but keys and times.
STATE = """
SELECT count(*), coalesce(sum(hashtextextended(concat_ws('|', p.sku, p.title, p.localized_titles, p.locale, p.brand,
    p.category, p.description, p.price, p.currency, p.image_url, p.facts_hash, f.said), 0)::numeric), 0)
FROM catalog_product p LEFT JOIN LATERAL (SELECT string_agg(concat_ws(':', f.locale, f.name, f.kind, f.value, f.number,
    f.unit, f.position), ';' ORDER BY f.position) AS said FROM catalog_productfact f WHERE f.product_id = p.id) f ON true"""
COUNTERS = (
    "SELECT status, n_rows, n_created, n_updated, n_unchanged, n_bad, n_duplicates, error_file FROM catalog_importrun"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--arms", default="products,reviews,killed")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks")
    options = parser.parse_args()
    with database.postgres(database.BULK) as (server, root):
        run(server, root, n=options.rows, arms=options.arms.split(","), write=options.write)


def run(server: Postgres, root: Path, *, n: int, arms: Sequence[str], write: bool) -> None:
    server.create_database("bench")
    url = server.url("bench")
    os.environ |= {"DATABASE_URL": url, "SECRET_KEY": "x" * 60, "ECOMSITE_VAR": str(root / "var")}
    subprocess.run([sys.executable, ROOT / "manage.py", "migrate", "-v", "0"], check=True)
    lines = [
        f"{n:,} rows, {os.cpu_count()} cores, Python {sys.version.split()[0]}, PostgreSQL {_one(url, 'SHOW server_version')}.",
        "",
        "| Rows | Rows a second | Bare COPY | Ratio | COPY with indices | Ratio | Peak memory |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    results: dict[str, dict[str, Any]] = {}
    for name, make, tables in (("products", products, PRODUCTS), ("reviews", reviews, REVIEWS)):
        if name in arms:
            file = root / f"{name}.jsonl"
            write_lines(file, make(n))
            results[name] = measured(url, root, file, name=name, tables=tables)
            lines.append(line_of(name, n, results[name]))
            print(lines[-1], flush=True)
            file.unlink()
    is_exact = killed(url, root, n=n) if "killed" in arms else None
    if is_exact is not None:
        lines += [
            "",
            f"Killed {KILLS} times on the way: {'the same to the last column' if is_exact else '**not the same**'}.",
        ]
    print("\n".join(lines))
    if write:
        page.write("importing", lines)
    ratios = {name: round(result["bare"] / result["seconds"], 3) for name, result in results.items()}
    worst = max((result["mb"] for result in results.values()), default=0)
    is_passed = all(ratio >= MUST for ratio in ratios.values()) and worst <= MUST_MB and is_exact is not False
    print(
        json.dumps(
            {
                "name": "importing",
                "ours": {name: round(n / r["seconds"]) for name, r in results.items()},
                "reference": {name: round(n / r["bare"]) for name, r in results.items()},
                "ratio": ratios,
                "goal": GOAL,
                "peak_mb": round(worst),
                "must_mb": MUST_MB,
                "exact_after_kills": is_exact,
                "must": MUST,
                "pass": is_passed,
            }
        )
    )


def line_of(name: str, n: int, result: dict[str, Any]) -> str:
    """Return a row of the table."""
    seconds, bare, indexed = result["seconds"], result["bare"], result["indexed"]
    return (
        f"| {name}, {result['size'] / n:.0f} bytes each | {n / seconds:,.0f} | {n / bare:,.0f} | {bare / seconds:.3f} "
        f"| {n / indexed:,.0f} | {indexed / seconds:.3f} | {result['mb']:.0f} MB |"
    )


# --- The arms ----------------------------------------------------------------------------------------------------


def measured(url: str, root: Path, file: Path, *, name: str, tables: Sequence[str]) -> dict[str, Any]:
    """Import `file` with our command, and copy what that left; return seconds, megabytes and the size of the file."""
    _empty(url)
    started = time.perf_counter()
    child = subprocess.Popen([sys.executable, ROOT / "manage.py", f"import_{name}", file], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    assert child.returncode == 0, name
    copies = root / "copies"
    copies.mkdir(exist_ok=True)
    _psql(url, *(f"\\copy {table} to '{copies / table}'" for table in tables))
    _psql(url, *(f"CREATE TABLE bare_{table} (LIKE {table})" for table in tables))
    _psql(url, "CHECKPOINT")
    bare = _timed(lambda: _psql(url, *(f"\\copy bare_{table} from '{copies / table}'" for table in tables)))
    _psql(url, *(f"DROP TABLE bare_{table}" for table in tables))
    _empty(url)
    indexed = _timed(lambda: _psql(url, *(f"\\copy {table} from '{copies / table}'" for table in tables)))
    for table in tables:
        (copies / table).unlink()
    return {
        "seconds": seconds,
        "mb": usage.ru_maxrss / 1024,
        "bare": bare,
        "indexed": indexed,
        "size": file.stat().st_size,
    }


def killed(url: str, root: Path, *, n: int) -> bool:
    """Import products with bad and repeated rows, once in one go and once killed on the way; say whether all is the same."""
    file = root / "killed.jsonl"
    write_lines(file, spoilt(n))
    outcomes = []
    for kills in (0, KILLS):
        _empty(url)
        for number in range(1, kills + 1):
            child = subprocess.Popen(
                [sys.executable, ROOT / "manage.py", "import_products", file], stdout=subprocess.DEVNULL
            )
            while _one(url, "SELECT coalesce(max(n_rows), 0) FROM catalog_importrun") < n * number / (kills + 1):
                assert child.poll() is None, "it was faster than its killer"
                time.sleep(0.02)
            child.send_signal(signal.SIGKILL)
            child.wait()
        subprocess.run(
            [sys.executable, ROOT / "manage.py", "import_products", file], check=True, stdout=subprocess.DEVNULL
        )
        with psycopg.connect(url) as connection:
            *counters, errors = connection.execute(COUNTERS).fetchone() or ()
            state = connection.execute(STATE).fetchone()
        with Path(errors).open(newline="", encoding="utf-8") as stream:
            outcomes.append((counters, state, list(csv.reader(stream))))
        print(f"killed {kills} times: {counters}, {state}", flush=True)
    file.unlink()
    return outcomes[0] == outcomes[1]


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _psql(url: str, *commands: str) -> None:
    given = [part for command in commands for part in ("-c", command)]
    subprocess.run(
        [find_binaries() / "psql", "-q", "-v", "ON_ERROR_STOP=1", url, *given], check=True, stdout=subprocess.DEVNULL
    )


def _empty(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {', '.join((*PRODUCTS, *REVIEWS))}, catalog_importrun CASCADE")
        connection.execute("CHECKPOINT")


def _one(url: str, query: str) -> Any:
    with psycopg.connect(url) as connection:
        return (connection.execute(query).fetchone() or [None])[0]  # type: ignore[call-overload]


# --- The scene ---------------------------------------------------------------------------------------------------

COLOURS = ["black", "white", "grey", "navy", "red", "olive", "sand", "teal", "amber", "plum", "rust", "cream"]
MATERIALS = ["cotton", "linen", "oak", "steel", "glass", "ceramic", "leather", "wool", "bamboo", "copper"]
KINDS = ["Kettle", "Lamp", "Chair", "Towel", "Mug", "Bowl", "Backpack", "Blanket", "Teapot", "Shelf", "Jacket", "Rug"]


def products(n: int) -> Iterator[dict[str, Any]]:
    """Yield products with a description of 15 to 40 made-up words and four facts, two of which repeat in a catalogue."""
    rng, words = random.Random(5), _words()
    for number in range(n):
        kind, material = rng.choice(KINDS), rng.choice(MATERIALS)
        yield {
            "sku": f"SKU-{number:07}",
            "title": {"en": f"{rng.choice(words).title()} {material} {kind} {number}"},
            "brand": rng.choice(words).title(),
            "category": f"Home > {kind}s",
            "description": f"{' '.join(rng.choices(words, k=rng.randint(15, 40)))}.",
            "price": f"{rng.randint(1, 400)}.{rng.randint(0, 99):02} EUR",
            "image_url": f"https://img.shop.example/{number % 97}/{number}.jpg",
            "facts": {
                "en": {
                    "material": material,
                    "colour": rng.choice(COLOURS),
                    "weight": f"{rng.randint(40, 9_000)} g",
                    "height": f"{rng.randint(20, 2_000) / 10} cm",
                }
            },
        }


def reviews(n: int) -> Iterator[dict[str, Any]]:
    """Yield reviews of 10 to 50 words, made up but for the small ones that tell their language."""
    rng, words = random.Random(6), _words()
    for number in range(n):
        text = f"The {' '.join(rng.choices(words, k=rng.randint(10, 50)))} and it was {rng.choice(words)}."
        yield {
            "external_id": f"r-{number}",
            "text": text,
            "rating": rng.randint(1, 5),
            "written_at": f"2026-0{rng.randint(1, 9)}-{rng.randint(10, 28)}",
        }


def spoilt(n: int) -> Iterator[dict[str, Any]]:
    """Yield products of which each 997th has no price, each 991st repeats the one before, each 983rd contradicts it."""
    before: dict[str, Any] = {}
    for number, row in enumerate(products(n)):
        if number % 991 == 990:
            row = before
        elif number % 983 == 982:
            row = {**before, "price": "1.00 EUR"}
        yield {**row, "price": "soon"} if number % 997 == 996 else row
        before = row


def write_lines(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    """Write `rows` as JSONL."""
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def _words() -> list[str]:
    rng = random.Random(11)
    syllables = [a + b for a in "bdfgklmnprst" for b in "aeiou"]
    return [
        "".join(rng.choices(syllables, k=rng.randint(2, 4))) for _ in range(5_000)
    ]  # none is a word of any language


if __name__ == "__main__":
    main()
