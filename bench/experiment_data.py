"""Real experiments and shoppers for `experiments`, each in two halves by a hash: one to choose by, one set aside."""

from __future__ import annotations

import csv
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("ECOMSITE_DATA_DIR", ROOT.parent / "shared" / "data"))
HALVES = ("to choose by", "set aside")
MOST_GROUPS = 300  # of each half


@dataclass(frozen=True)
class Half:
    """One half of each set.

    `retained`, `rounds`, `gate`: players of Cookie Cats. `tests`: impressions and clicks of the arms of each test of
    Upworthy, `groups`: those of its groups that differ in the headline alone. `views`, `bought`: of each shopper of
    REES46, `before`, `after`: views of those who came in the first half of the hours.
    """

    name: str
    retained: np.ndarray
    rounds: np.ndarray
    gate: np.ndarray
    tests: list[tuple[np.ndarray, np.ndarray]]
    groups: list[tuple[np.ndarray, np.ndarray]]
    views: np.ndarray
    bought: np.ndarray
    before: np.ndarray
    after: np.ndarray


def half_of(key: str) -> int:
    """Return 0 or 1 for a unit, always the same."""
    return hashlib.sha256(key.encode()).digest()[0] & 1


def load() -> list[Half]:
    """Return both halves. Ends the program where the data is absent."""
    for name in ("cookie_cats_ab/cookie_cats.csv", "upworthy_ab/packages.parquet", "rees46_events/events.parquet"):
        if not (DATA / name).is_file():
            raise SystemExit(f"{DATA / name} is absent: set ECOMSITE_DATA_DIR to the folder of the evaluation data.")
    players, tests, shoppers = _players(), _tests(), _shoppers()
    return [
        Half(name, **players[part], **tests[part], **shoppers[part])  # type: ignore[arg-type]
        for part, name in enumerate(HALVES)
    ]


def _players() -> list[dict[str, np.ndarray]]:
    rows: list[list[tuple[bool, float, bool]]] = [[], []]
    with (DATA / "cookie_cats_ab" / "cookie_cats.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            seen = (row["retention_7"] == "True", float(row["sum_gamerounds"]), row["version"] == "gate_40")
            rows[half_of(row["userid"])].append(seen)
    return [dict(zip(("retained", "rounds", "gate"), np.array(part, dtype=float).T, strict=True)) for part in rows]


def _tests() -> list[dict[str, list[tuple[np.ndarray, np.ndarray]]]]:
    import pyarrow.parquet as pq

    names = ("clickability_test_id", "eyecatcher_id", "impressions", "clicks")
    table = pq.read_table(DATA / "upworthy_ab" / "packages.parquet", columns=list(names))
    found: dict[str, dict[str, list[tuple[int, int]]]] = {}
    for test, image, shown, clicks in zip(*(table[name].to_pylist() for name in names), strict=True):
        found.setdefault(test, {}).setdefault(image, []).append((shown, clicks))
    halves: list[dict[str, list[tuple[np.ndarray, np.ndarray]]]] = [{"tests": [], "groups": []} for _ in HALVES]
    for test in sorted(found):
        part = halves[half_of(test)]
        arms = np.array([arm for group in found[test].values() for arm in group])
        part["tests"].append((arms[:, 0], arms[:, 1]))
        for group in found[test].values():
            if len(group) >= 2 and len(part["groups"]) < MOST_GROUPS:
                arms = np.array(group)
                part["groups"].append((arms[:, 0], arms[:, 1]))
    return halves


def _shoppers() -> list[dict[str, np.ndarray]]:
    import pyarrow.parquet as pq

    columns = ["event_time", "event_type", "user_id"]
    table = pq.read_table(DATA / "rees46_events" / "events.parquet", columns=columns).to_pandas()
    when = table["event_time"].astype(str).str.slice(0, 19)
    table["is_early"] = when <= when.sort_values(kind="stable").iloc[len(when) // 2]
    is_view = table["event_type"] == "view"
    users = table["user_id"].astype(str)
    kinds = {
        "views": is_view,
        "bought": ~is_view,
        "before": is_view & table["is_early"],
        "after": is_view & ~table["is_early"],
    }
    counts = {name: chosen.groupby(users).sum() for name, chosen in kinds.items()}
    index = counts["views"].index
    part_of = np.array([half_of(user) for user in index])
    halves = []
    for part in range(len(HALVES)):
        part_counts = {name: rows.to_numpy(dtype=float)[part_of == part] for name, rows in counts.items()}
        seen, came = part_counts["views"] > 0, part_counts["before"] > 0
        halves.append(
            {
                "views": part_counts["views"][seen],
                "bought": part_counts["bought"][seen],
                "before": part_counts["before"][came],
                "after": part_counts["after"][came],
            }
        )
    return halves
