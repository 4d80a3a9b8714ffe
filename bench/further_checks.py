"""Profanity found and false alarms of the checks beside grounding; and live copy found that a text repeats, among a million."""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

import django  # noqa: E402
import psycopg  # noqa: E402

from bench import page  # noqa: E402
from bench.checks import DATA, advertisegen, amazon, e2e, rows, shown  # noqa: E402
from ecomsite.stack.postgres import Postgres  # noqa: E402
from moderation.policy.base import Check, Draft  # noqa: E402
from moderation.policy.injection import InjectionCheck  # noqa: E402
from moderation.policy.language import LanguageCheck  # noqa: E402
from moderation.policy.profanity import ProfanityCheck  # noqa: E402

MAY_ALARM = 0.005
N_LIVE, N_LOOKUPS = 1_000_000, 300
THRESHOLDS = (0.5, 0.7, 0.9, 0.95)
CLASSES = {"0": "hate", "1": "offensive", "2": "neither"}


def reviews() -> list[Draft]:
    """Return what customers wrote of clothes: product language, if not a shop's."""
    return [Draft(row["review_text"], "description", "en", row["title"]) for row in rows("womens_clothing/reviews.csv")]


def profanity(clean: dict[str, list[Draft]], lines: list[str]) -> None:
    """Add the lines of our list and of alt-profanity-check at several thresholds."""
    tweets = rows("davidson_toxic/tweets.csv")[::3]
    arms: dict[str, Callable[[Sequence[str]], list[bool]]] = {
        "our list": lambda texts: [bool(ProfanityCheck().find(Draft(text, "description", "en", ""))) for text in texts]
    }
    try:
        from profanity_check import predict_prob
    except ImportError:
        lines.append("| alt-profanity-check | not installed |")
    else:
        for threshold in THRESHOLDS:
            arms[f"alt-profanity-check ≥ {threshold}"] = lambda texts, least=threshold: [
                bool(value >= least) for value in predict_prob(list(texts))
            ]
    for arm, find in arms.items():
        found = find([tweet["tweet"] for tweet in tweets])
        for key, name in CLASSES.items():
            hits = [hit for hit, tweet in zip(found, tweets, strict=True) if tweet["class"] == key]
            lines.append(f"| {arm}: tweets people called “{name}”, with a hit | {shown(sum(hits), len(hits))} |")
        for name, drafts in clean.items():
            hits = find([draft.text for draft in drafts])
            lines.append(f"| {arm}: {name} with a hit | {shown(sum(hits), len(hits))} |")


def false_alarms(clean: dict[str, list[Draft]], lines: list[str]) -> float:
    """Add the share of product copy with a hit for each check; return the worst."""
    worst = 0.0
    checks: tuple[Check, ...] = (ProfanityCheck(), LanguageCheck(), InjectionCheck())
    for check in checks:
        for name, drafts in clean.items():
            n = sum(bool(check.find(draft)) for draft in drafts)
            worst = max(worst, n / len(drafts))
            lines.append(f"| {check.name}: {name} with a hit | {shown(n, len(drafts))} |")
    return worst


def near_copies(lines: list[str], n: int) -> None:
    """Look texts up among `n` live ones in a real PostgreSQL; half of them repeat one with a few words changed."""
    with tempfile.TemporaryDirectory(prefix="ecomsite-bench-") as name:
        root = Path(name)
        root.chmod(0o755)
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = int(sock.getsockname()[1])
        server = Postgres(
            root / "postgres", port, settings={"shared_buffers": "512MB", "maintenance_work_mem": "256MB"}
        )
        server.start()
        try:
            server.create_database("near")
            os.environ |= {"DATABASE_URL": server.url("near"), "DJANGO_SETTINGS_MODULE": "ecomsite.settings"}
            os.environ |= {"SECRET_KEY": "x" * 60}
            subprocess.run([sys.executable, ROOT / "manage.py", "migrate", "-v", "0"], check=True)
            django.setup()
            _fill(server.url("near"), n)
            _look_up(lines, n)
        finally:
            server.stop()


def _fill(url: str, n: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO catalog_product (sku, title, localized_titles, locale, brand, category, description, currency, "
            "image_url, facts_hash, source, created_at, updated_at) SELECT 'SKU-' || i, 'Mug', '{}', 'en', '', '', '', '', "
            f"'', '', '', now(), now() FROM generate_series(1, {n}) AS i"
        )
        connection.execute(
            "INSERT INTO catalog_publishedcopy (id, product_id, channel, locale, text, candidate_ref, provenance, ai_mark, "
            "published_at, retired_reason) SELECT gen_random_uuid(), id, 'description', 'en', 'text ' || id, 'bench:' || id, "
            "'{}', '{}', now(), '' FROM catalog_product"
        )
        # Of most only the signature counts, and any 16 numbers do for one; a thousand get real texts below.
        connection.execute(
            "INSERT INTO moderation_livesignature (copy_id, bands) SELECT id, ARRAY(SELECT "
            "(random() * 9e18)::bigint + length(c.candidate_ref) * 0 FROM generate_series(1, 16)) FROM catalog_publishedcopy c"
        )
        connection.execute("VACUUM ANALYZE")


def _look_up(lines: list[str], n: int) -> None:
    from catalog.models import Product, PublishedCopy
    from moderation.drafting import near_copies as live
    from moderation.policy.duplicates import ALIKE, similarity

    rng = random.Random(6)
    texts = [text for text in dict.fromkeys(draft.text for draft in amazon()) if len(text.split()) > 25][:N_LOOKUPS]
    seen, unseen = texts[::2], texts[1::2]
    for copy, text in zip(PublishedCopy.objects.order_by("candidate_ref")[: len(seen)], seen, strict=True):
        copy.text = text
        copy.save(update_fields=["text"])
        live.remember(copy)
    product = Product.objects.get(sku=f"SKU-{n - 1}")  # one that none of the texts above is of
    spent: list[float] = []

    def finds(text: str) -> list[str]:
        start = time.perf_counter()
        found = live.find_alike(text, product=product, locale="en")
        spent.append(1000 * (time.perf_counter() - start))
        return [other.text for other in found if similarity(text, other.text) >= ALIKE]

    for changed in (0, 1, 3):
        hits = alike = 0
        for text in seen:
            words = text.split()
            for at in rng.sample(range(len(words)), changed):
                words[at] = "different"
            edited = " ".join(words)
            if similarity(text, edited) >= ALIKE:
                alike += 1
                hits += text in finds(edited)
        lines.append(f"| live copy with {changed} words changed, found among {n:,} | {shown(hits, alike)} |")
    wrong = sum(bool(finds(text)) for text in unseen)
    lines.append(f"| other copy of the same shops called alike | {shown(wrong, len(unseen))} |")
    cuts = statistics.quantiles(spent, n=100)
    lines.append(f"| one look-up, signature included: p50, p99 | {cuts[49]:.1f} ms, {cuts[98]:.1f} ms |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--live", type=int, default=N_LIVE, help="how many live texts a look-up searches")
    parser.add_argument("--write", action="store_true", help="refresh the page in docs/benchmarks")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit(f"no data at {DATA}: set ECOMSITE_DATA_DIR")
    csv.field_size_limit(10_000_000)
    lines = ["| what | measured |", "| --- | --- |"]
    clean = {
        "e2e_nlg": list(e2e()),
        "advertisegen": list(advertisegen()),
        "amazon": list(amazon()),
        "womens_clothing": reviews()[::4],
    }
    profanity(clean, lines)
    worst = false_alarms(clean, lines)
    near_copies(lines, options.live)
    print("\n".join(lines))
    if options.write:
        page.write("further_checks", lines)
    verdict = {"ratio": round(worst / MAY_ALARM, 3), "must": MAY_ALARM, "pass": worst <= MAY_ALARM}
    print(json.dumps({"name": "further_checks", "ours": round(worst, 4), "reference": MAY_ALARM, **verdict}))


if __name__ == "__main__":
    main()
