"""What the shop's GET costs, and whether anybody can slow it down.

A real web server as the stack starts it, a PostgreSQL of its own, a thousand texts that are live. First answers a second of
`GET /api/v1/copy/{sku}` and of its 304, beside those of a bare view of the same server (`/healthz`: Django, and nothing
else). Then the latency of the GET at a steady rate: quiet, beside 1,000 slow connections, beside 16 clients who try
one wrong password after another, and beside 200 wrong passwords a second.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

import psycopg  # noqa: E402

from bench import clients, page  # noqa: E402
from bench.webhook_ack import start_web  # noqa: E402
from ecomsite.stack.ports import free_port  # noqa: E402
from ecomsite.stack.postgres import Postgres  # noqa: E402

N_PRODUCTS, CONNECTIONS, RATE = 1_000, 16, 50
MUST_GET, MUST_304, MUST_P99 = 0.5, 0.8, 3.0
TEXT = "A mug of sea green stoneware that holds 350 ml of tea and keeps it warm. " * 8
MARK = {
    "label": "AI-generated, reviewed by a person",
    "AIGC": {"Label": "1", "ContentProducer": "ecomsite", "ProduceID": "x" * 36, "ReservedCode1": "x" * 88},
    "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
    "c2pa": "x" * 2000,
}
PROVENANCE = {"model": {"role": "copywriter", "name": "m", "version": 1}, "prompt_version": "3", "human_reviewed": True}


@contextmanager
def desk() -> Iterator[int]:
    """Start PostgreSQL and the web server in a folder of their own, with live copy, and yield the port."""
    root = Path(tempfile.mkdtemp(prefix="ecomsite-serving-"))
    root.chmod(0o755)
    postgres, port, web = Postgres(root / "postgres", free_port()), free_port(), None
    try:
        postgres.start()
        postgres.create_database("ecomsite", extensions=("vector", "pg_trgm"))
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "ecomsite.settings",
            "ECOMSITE_VAR": str(root / "var"),
            "DATABASE_URL": postgres.url("ecomsite"),
            "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
            "SECRET_KEY": secrets.token_urlsafe(60),
        }
        migrate = [sys.executable, str(ROOT / "manage.py"), "migrate", "--no-input", "-v", "0"]
        subprocess.run(migrate, env=environment, cwd=ROOT, check=True)
        fill(postgres.url("ecomsite"))
        web = start_web(port, environment, root / "web.log")
        yield port
        assert "Traceback" not in (root / "web.log").read_text(), (root / "web.log").read_text()[-4000:]
    finally:
        for part in filter(None, (web, postgres)):
            part.stop()
        shutil.rmtree(root, ignore_errors=True)


def fill(url: str) -> None:
    """Write `N_PRODUCTS` products with a live description each, and four retired ones."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO catalog_product (sku, title, localized_titles, locale, brand, category, description, currency,"
            " image_url, facts_hash, source, created_at, updated_at)"
            " SELECT 'SKU-' || n, 'A mug', '{}', 'en', '', '', '', '', '', '', '', now(), now()"
            " FROM generate_series(1, %s) AS n",
            [N_PRODUCTS],
        )
        connection.execute(
            "INSERT INTO catalog_publishedcopy (id, product_id, channel, locale, text, candidate_ref, provenance, ai_mark,"
            " published_at, retired_at, retired_reason)"
            " SELECT gen_random_uuid(), p.id, 'description', 'en', %s, 'c:' || p.id || ':' || k, %s, %s, now(),"
            " CASE WHEN k > 0 THEN now() END, '' FROM catalog_product AS p, generate_series(0, 4) AS k",
            [TEXT, json.dumps(PROVENANCE), json.dumps(MARK)],
        )
        connection.commit()
        connection.autocommit = True
        connection.execute("ANALYZE")


def compare(port: int, *, rounds: int, seconds: float) -> dict[str, Any]:
    """Measure the bare view, the GET and its 304 by turns; medians of the rounds, and of their ratios."""
    path = "/api/v1/copy/SKU-7"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    asked = {
        "bare": (clients.get("/healthz"), 200),
        "get": (clients.get(path), 200),
        "304": (clients.get(path, If_None_Match=answer.getheader("ETag") or ""), 304),
    }
    found: dict[str, list[float]] = {name: [] for name in asked}
    for request, status in asked.values():
        clients.throughput(port, request, expect=status, connections=CONNECTIONS, seconds=1)
    for _ in range(rounds):
        for name, (request, status) in asked.items():
            found[name].append(
                clients.throughput(port, request, expect=status, connections=CONNECTIONS, seconds=seconds)
            )
    medians = {f"{name}_per_s": round(statistics.median(values)) for name, values in found.items()}
    ratios = {
        f"{name}_ratio": round(statistics.median(a / b for a, b in zip(found[name], found["bare"], strict=True)), 2)
        for name in ("get", "304")
    }
    return medians | ratios


def disturb(port: int, *, seconds: float) -> tuple[dict[str, tuple[float, float]], dict[str, Any]]:
    """Measure the GET quiet and beside each nuisance: median and 99th percentile in ms; and what the nuisances saw."""

    def measured() -> tuple[float, float]:
        times = clients.latencies(port, "/api/v1/copy/SKU-8", rate=RATE, seconds=seconds)
        return 1000 * clients.quantile(times, 0.5), 1000 * clients.quantile(times, 0.99)

    measured()
    found, saw = {"quiet": measured()}, {}
    for name, nuisance in {
        "1,000 slow connections": lambda: clients.slow_connections(port, 1_000),
        "16 clients with wrong passwords": lambda: clients.wrong_passwords(port, clients=16),
        "200 wrong passwords a second": lambda: clients.wrong_passwords(port, rate=200),
    }.items():
        with nuisance() as end:
            found[name] = measured()
            saw[name] = end()
    found["quiet again"] = measured()
    return found, saw


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--seconds", type=float, default=20, help="of each measurement of latency")
    options.add_argument("--rounds", type=int, default=5, help="of each measurement of answers a second, 3 s each")
    options.add_argument("--write", action="store_true")
    asked = options.parse_args()
    with desk() as port:
        speed = compare(port, rounds=asked.rounds, seconds=3)
        found, saw = disturb(port, seconds=asked.seconds)
    quiet = min(found["quiet"][1], found["quiet again"][1])
    worst = max(p99 / quiet for name, (_, p99) in found.items() if not name.startswith("quiet"))
    lines = [
        "| Request | Answers a second | ÷ bare view | Must |",
        "| --- | --- | --- | --- |",
        f"| `/healthz`, a bare view | {speed['bare_per_s']:,} | 1 | |",
        f"| `GET /api/v1/copy/{{sku}}` | {speed['get_per_s']:,} | {speed['get_ratio']:.2f} | ≥ {MUST_GET} |",
        f"| … 304 | {speed['304_per_s']:,} | {speed['304_ratio']:.2f} | ≥ {MUST_304} |",
        "",
        f"| {RATE} GETs a second beside | p50, ms | p99, ms | p99 ÷ quiet | Must |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {name} | {p50:.1f} | {p99:.1f} | {p99 / quiet:.1f} | {'' if name.startswith('quiet') else f'≤ {MUST_P99:g}'} |"
            for name, (p50, p99) in found.items()
        ),
    ]
    print("\n".join(lines))
    print("what the nuisances saw (connections cut; statuses):", json.dumps(saw))
    if asked.write:
        page.write("serving", lines)
    passed = speed["get_ratio"] >= MUST_GET and speed["304_ratio"] >= MUST_304 and worst <= MUST_P99
    print(
        json.dumps(
            {
                "name": "serving",
                "ours": speed["get_per_s"],
                "reference": speed["bare_per_s"],
                "ratio": speed["get_ratio"],
                "ratio_304": speed["304_ratio"],
                "worst_p99_ratio": round(worst, 2),
                "must": f"ratio >= {MUST_GET}, 304 >= {MUST_304}, p99 <= {MUST_P99:g} x quiet",
                "pass": passed,
            }
        )
    )


if __name__ == "__main__":
    main()
