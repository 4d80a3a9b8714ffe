"""A million labels searched for wrong ones, with the database at both ends, against a direct call of cleanlab.

A tenth of the labels is flipped, and a second model errs apart from the first. What is timed is what a search does once
the probabilities are there: read labels and probabilities, flag, write the issues. Storing the probabilities is timed
beside it. The reference is `cleanlab.filter.find_label_issues` with the same filter, on the same arrays, in the same run.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

import argparse  # noqa: E402
import os  # noqa: E402
import resource  # noqa: E402
import socket  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402

from ecomsite.stack.postgres import Postgres  # noqa: E402

NAMES = ("positive", "negative", "neutral")
SECONDS_MUST, RATIO_MUST, MEMORY_MUST_MB = 60.0, 1.3, 1024.0
KIND = "sentiment"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3, help="of the cleanlab part, ours and theirs in turns")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, socket.socket() as sock:
        folder = Path(name)
        folder.chmod(0o755)
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        sock.close()
        server = Postgres(folder / "postgres", port)
        server.start()
        try:
            server.create_database("bench")
            os.environ |= {
                "DATABASE_URL": server.url("bench"),
                "ECOMSITE_VAR": str(folder / "var"),
                "SECRET_KEY": "only-for-the-benchmark-0123456789-0123456789-0123456789",
                "DJANGO_SETTINGS_MODULE": "ecomsite.settings",
            }
            subprocess.run(
                [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"], cwd=ROOT, check=True
            )
            return _run(options)
        finally:
            server.stop()


def _run(options: argparse.Namespace) -> int:
    import django

    django.setup()
    import numpy as np
    from cleanlab.filter import find_label_issues
    from django.db import connection

    from labeling import columns, issues
    from labeling.models import LabelCheck, LabelIssue
    from labeling.quality import label_errors
    from training import label_checks, label_evidence

    n, rng = options.rows, np.random.default_rng(7)
    truth = rng.integers(0, 3, n)
    given = np.where(rng.random(n) < 0.1, (truth + rng.integers(1, 3, n)) % 3, truth)
    first, second = (_model(truth, rng) for _ in range(2))
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY labeling_label (question, subject, label, method, n_votes, source, labelled_at) FROM STDIN"
        ) as copy,
    ):
        for i in range(n):
            copy.write_row((KIND, f"bench:{i}", NAMES[given[i]], "single", 1, "label_studio", "2026-11-01T00:00:00Z"))
    started = time.perf_counter()
    rows = ((f"bench:{i}", first[i].tolist(), second[i].tolist()) for i in range(n))
    columns.store_out_of_sample(KIND, NAMES, rows, model="bench")
    stored = time.perf_counter() - started
    del first, second, truth, given
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE labeling_label")
        cursor.execute("ANALYZE labeling_outofsample")
    before = _peak_mb()

    check = LabelCheck.objects.create(question=KIND, reason="benchmark")
    started = time.perf_counter()
    table = columns.read(KIND, NAMES)
    read = time.perf_counter() - started
    found = label_evidence.flag(table, judged=[], precision=0.5)
    flagged = time.perf_counter() - started - read
    n_new = issues.raise_issues(KIND, label_checks._suspicions(table, found), check=check)
    took = time.perf_counter() - started
    peak = _peak_mb()
    assert n_new == LabelIssue.objects.count() == len(found.rows)

    both, ours, theirs = [], [], []
    for _ in range(options.rounds):
        started = time.perf_counter()
        label_errors.find(table.given, table.probabilities, second=table.second)
        both.append(time.perf_counter() - started)
        started = time.perf_counter()
        label_errors.find(table.given, table.probabilities)
        ours.append(time.perf_counter() - started)
        started = time.perf_counter()
        find_label_issues(labels=table.given, pred_probs=table.probabilities, filter_by="low_self_confidence", n_jobs=1)
        theirs.append(time.perf_counter() - started)
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(
        f"{n:,} labels x 3, {len(found.rows):,} flagged\n"
        f"end to end          {took:7.1f} s   (at most {SECONDS_MUST:.0f}): read {read:.1f}, flag {flagged:.1f}, "
        f"write issues {took - read - flagged:.1f}\n"
        f"store probabilities {stored:7.1f} s\n"
        f"peak memory         {peak:7.0f} MB  (at most {MEMORY_MUST_MB:.0f}; {before:.0f} before the search, the bench's own arrays)\n"
        f"flags, all methods  {statistics.median(both):7.2f} s\n"
        f"of them cleanlab's  {statistics.median(ours):7.2f} s\n"
        f"cleanlab, direct    {statistics.median(theirs):7.2f} s   ratio {ratio:.2f} (at most {RATIO_MUST})"
    )
    return 0 if took <= SECONDS_MUST and ratio <= RATIO_MUST and peak <= MEMORY_MUST_MB else 1


def _model(truth: object, rng: object) -> object:
    """Probabilities of a model that is right nine times in ten, and surer when it is."""
    import numpy as np

    n = len(truth)  # type: ignore[arg-type]
    said = np.where(rng.random(n) < 0.9, truth, (truth + rng.integers(1, 3, n)) % 3)  # type: ignore[attr-defined,operator]
    top = rng.beta(8, 2, n) * 0.65 + 0.34  # type: ignore[attr-defined]
    probabilities = np.repeat(((1 - top) / 2)[:, None], 3, axis=1)
    probabilities[np.arange(n), said] = top
    return probabilities.astype(np.float32)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
