"""A million labels in and out: rows a second and peak memory of our commands, against `psql \\copy` of the same rows.

Each arm runs the command itself in a process of its own, on one embedded PostgreSQL (fsync and synchronous_commit on). The
reference copies the rows that ours left in the tables into the same tables, emptied, with their indices and constraints; and
out again as CSV. It parses, cleans, looks up and counts nothing.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

import psycopg  # noqa: E402

from bench import database  # noqa: E402
from ecomsite.stack.postgres import Postgres, find_binaries  # noqa: E402

ROWS, RATERS, MUST_MB = 1_000_000, 3, 500
TABLES = ("catalog_customerreview", "labeling_vote", "labeling_label")
FORMATS = ("csv", "jsonl", "ls-json", "hf")
LABELS = ("positive", "negative", "neutral")
OUT = """
SELECT l.subject, r.external_id, coalesce(p.sku, ''), r.locale, r.rating, r.title, r.text, l.label, l.method, l.quality,
    l.n_votes, l.labelled_at, l.source
FROM labeling_label l JOIN catalog_customerreview r ON l.subject = 'catalog.customerreview:' || r.id
LEFT JOIN catalog_product p ON p.id = r.product_id WHERE l.question = 'sentiment' ORDER BY l.id""".replace("\n", " ")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--formats", default=",".join(FORMATS))
    options = parser.parse_args()
    with database.postgres(database.BULK) as (server, root):
        run(server, root, n=options.rows, formats=options.formats.split(","))


def run(server: Postgres, root: Path, *, n: int, formats: list[str]) -> None:
    server.create_database("bench")
    url = server.url("bench")
    os.environ |= {"DATABASE_URL": url, "SECRET_KEY": "x" * 60, "ECOMSITE_VAR": str(root / "var")}
    subprocess.run([sys.executable, ROOT / "manage.py", "migrate", "-v", "0"], check=True)
    print(
        f"{n:,} rows, {os.cpu_count()} cores, Python {sys.version.split()[0]}; rows/s, ratio to psql \\copy, peak RSS"
    )
    results = []
    for with_raters in (False, True):
        what = f"{RATERS} raters a text" if with_raters else "one label a text"
        for file_format in formats[:1] if with_raters else formats:
            file = root / f"labels-{with_raters}"
            size = write(file, file_format, n=n, with_raters=with_raters)
            _empty(url)
            seconds, mb = command("import_labels", file, "--format", file_format)
            reference = copied_in(url, root)
            results.append(report(f"import of {file_format}, {what}", n, seconds, mb, reference))
            print(f"    {size / 1e6:.0f} MB; tables: {_counts(url)}")
            _remove(file)
            extra = ["--votes"] if with_raters else []
            out = root / "out"
            seconds, mb = command("export_labels", out, "--format", file_format, "--question", "sentiment", *extra)
            _remove(out)
            n_out = n // RATERS if with_raters else n
            results.append(report(f"export of {file_format}, {what}", n_out, seconds, mb, copied_out(url, root)))
    worst = max(result["peak_mb"] for result in results)
    first = results[0]
    print(
        json.dumps(
            {
                "name": "label_exchange",
                "ours": first["ours"],
                "reference": first["reference"],
                "ratio": first["ratio"],
                "peak_mb": worst,
                "must_mb": MUST_MB,
                "pass": worst <= MUST_MB,
            }
        )
    )


def report(name: str, n: int, seconds: float, mb: float, reference: float) -> dict[str, Any]:
    """Print one line and return it."""
    line = {
        "name": name,
        "ours": round(n / seconds),
        "reference": round(n / reference),
        "ratio": round(reference / seconds, 3),
        "peak_mb": round(mb),
    }
    print(
        f"  {name:44s} {line['ours']:9,} {line['reference']:9,} {line['ratio']:6.2f} {line['peak_mb']:5d} MB",
        flush=True,
    )
    return line


# --- The arms ----------------------------------------------------------------------------------------------------


def command(*arguments: object) -> tuple[float, float]:
    """Run one of our commands; return its seconds, start included, and its peak resident memory in MB."""
    started = time.perf_counter()
    child = subprocess.Popen([sys.executable, ROOT / "manage.py", *map(str, arguments)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, arguments
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def copied_in(url: str, root: Path) -> float:
    """Return the seconds that psql takes to copy the rows that are in the tables into them again."""
    folder = root / "copies"
    folder.mkdir(exist_ok=True)
    _psql(url, *(f"\\copy {table} to '{folder / table}' csv" for table in TABLES))
    _empty(url)
    started = time.perf_counter()
    _psql(url, *(f"\\copy {table} from '{folder / table}' csv" for table in TABLES))
    seconds = time.perf_counter() - started
    shutil.rmtree(folder)
    return seconds


def copied_out(url: str, root: Path) -> float:
    """Return the seconds that psql takes to write what our export has, as CSV."""
    started = time.perf_counter()
    _psql(url, f"\\copy ({OUT}) to '{root / 'psql.csv'}' csv header")
    return time.perf_counter() - started


def _psql(url: str, *commands: str) -> None:
    given = [part for command in commands for part in ("-c", command)]
    subprocess.run(
        [find_binaries() / "psql", "-q", "-v", "ON_ERROR_STOP=1", url, *given], check=True, stdout=subprocess.DEVNULL
    )


# --- The scene ---------------------------------------------------------------------------------------------------


def rows(n: int, *, with_raters: bool) -> Iterator[dict[str, str]]:
    """Yield labelled texts of 5 to 60 made-up words, all different; or `RATERS` votes on each of a third as many."""
    rng = random.Random(11)
    syllables = [a + b for a in "bdfgklmnprst" for b in "aeiou"]
    words = ["".join(rng.choices(syllables, k=rng.randint(1, 4))) for _ in range(5_000)]
    for number in range(n // RATERS if with_raters else n):
        text = f"{' '.join(rng.choices(words, k=rng.randint(5, 60)))} {number}."
        for rater in rng.sample(range(200), RATERS) if with_raters else (None,):
            row = {"text": text, "label": rng.choice(LABELS), "rating": str(rng.randint(1, 5))}
            yield row if rater is None else {**row, "rating": "", "rater": f"worker-{rater}"}


def write(path: Path, file_format: str, *, n: int, with_raters: bool) -> int:
    """Write the file that is imported and return its size in bytes."""
    source = rows(n, with_raters=with_raters)
    if file_format == "hf":
        import datasets

        datasets.disable_progress_bars()
        cache = path.with_name("cache")
        made = datasets.Dataset.from_generator(lambda: source, cache_dir=str(cache), fingerprint=f"{with_raters}")
        made.save_to_disk(str(path))
        shutil.rmtree(cache)
        return sum(file.stat().st_size for file in path.iterdir())
    with path.open("w", newline="", encoding="utf-8") as stream:
        if file_format == "csv":
            names = ["text", "label", "rating", "rater"][: 4 if with_raters else 3]
            writer = csv.DictWriter(stream, names)
            writer.writeheader()
            writer.writerows(source)
        elif file_format == "jsonl":
            stream.writelines(f"{json.dumps(row)}\n" for row in source)
        else:
            stream.write("[")
            for number, row in enumerate(source):
                result = [
                    {
                        "from_name": "sentiment",
                        "to_name": "review",
                        "type": "choices",
                        "value": {"choices": [row["label"]]},
                    }
                ]
                annotation: dict[str, Any] = {"id": number, "result": result, "was_cancelled": False, "lead_time": 3.2}
                if with_raters:
                    annotation["completed_by"] = {"id": 7, "email": f"{row['rater']}@example.com"}
                data = {"text": row["text"], "rating": row["rating"]}
                stream.write("," * bool(number) + json.dumps({"id": number, "data": data, "annotations": [annotation]}))
            stream.write("]")
    return path.stat().st_size


def _empty(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {', '.join(TABLES)}, catalog_importrun CASCADE")
        connection.execute("CHECKPOINT")


def _counts(url: str) -> str:
    with psycopg.connect(url) as connection:
        counts = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in TABLES}
    return ", ".join(f"{table.partition('_')[2]} {count[0]:,}" for table, count in counts.items() if count)


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


if __name__ == "__main__":
    main()
