"""Freeze what people said into files that never change, named by their content."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import transaction

from audit import ledger
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError
from core.hashing import canonical_json
from core.refs import ref
from inference import artifacts, resolver
from labeling import examples
from labeling.examples import Example
from labeling.question import question
from moderation.drafting.screening import policy_version
from training import curation, near_copies, several
from training.models import DatasetSnapshot
from training.models.datasets import BY_FILE, Task, title_of_task
from training.partition import LEARNT, copies_from, labels_of, split
from training.splits import RULE, SPLITS, Split
from training.work import Parts, Row

if TYPE_CHECKING:
    from django.contrib.auth.models import User

FORMAT = "snapshot-1"
EXCLUSIONS, ABOUT = "exclusions.jsonl", "snapshot.json"
WITHDRAWN = "nobody stands by it any more"


def freeze(task: str, *, actor: User | SystemActor) -> DatasetSnapshot:
    """Write all examples of `task` to the artefact store and return the snapshot; equal content gives the one there is.

    Once the test part has as many labels of people as the gate asks for, what a file stated is left out of it; and
    where at least `FEWEST_BLIND` were given without a model's suggestion, these alone are in it. Labels in doubt are
    tested on and not learnt from; near copies of a tested text are not learnt from either. Raises `PermanentError` when
    there is nothing to freeze; `PermissionDenied` without `training.train_model`.
    """
    require_permission(actor, "training.train_model")
    parts, excluded, closest = split(task, list(curation.collect(task)))
    if not any(parts.values()):
        raise PermanentError(
            f"there is nothing to learn {title_of_task(task).lower()} from yet",
            hint="Examples come from people's decisions, and from `manage.py import_labels`.",
        )
    alike = copies_from(task)
    about = {
        "format": FORMAT,
        "task": task,
        "query": _QUERIES.get(task) or question(task).source,
        "labels": labels_of(task),
        **several.noted(task),
        "split": RULE,
        "groups": "by product" if alike is None else near_copies.RULE.format(alike=alike),
        "closest": closest,
        "policy": policy_version(),
        "prompt": resolver.prompt_in_force(),
        "counts": {part: len(rows) for part, rows in parts.items()},
        "by_label": {part: _by_label(task, rows) for part, rows in parts.items()},
        "by_locale": {part: dict(sorted(Counter(row.locale for row in rows).items())) for part, rows in parts.items()},
        "test_labels": dict(sorted(Counter(_given(row) for row in parts["test"]).items())),
        "test_in_doubt": sum(row.is_doubted for row in parts["test"]),
        "imported": {
            part: dict(sorted(Counter(row.file for row in rows if row.file).items())) for part, rows in parts.items()
        },
        "files": sorted({file for rows in parts.values() for row in rows for file in row.files}),
        "excluded": dict(sorted(Counter(row.reason for row in excluded).items())),
    }
    with tempfile.TemporaryDirectory(prefix="ecomsite-snapshot-") as folder:
        for part, rows in parts.items():
            _write(Path(folder) / f"{part}.jsonl", (_line(row) for row in rows))
        _write(Path(folder) / EXCLUSIONS, ({"subject": row.subject, "reason": row.reason} for row in excluded))
        (Path(folder) / ABOUT).write_text(canonical_json(about), encoding="utf-8")
        artifact_hash = artifacts.store_directory(Path(folder), created_from={"snapshot": FORMAT})
    return _record(task, artifact_hash, about, actor=actor)


def _record(task: str, artifact_hash: str, about: dict[str, Any], *, actor: User | SystemActor) -> DatasetSnapshot:
    counts = about["counts"]
    with transaction.atomic():
        latest = DatasetSnapshot.objects.filter(task=task).order_by("-created_at").first()
        snapshot, is_new = DatasetSnapshot.objects.get_or_create(
            task=task,
            artifact_hash=artifact_hash,
            defaults={
                "manifest": about,
                "n_train": counts["train"],
                "n_validation": counts["validation"],
                "n_test": counts["test"],
                "parent": latest,
            },
        )
        if is_new:
            ledger.append(
                "training.snapshot.frozen",
                subject=ref(snapshot),
                actor=actor,
                payload={"task": task, "artifact_hash": artifact_hash, **counts},
            )
    return snapshot


def _given(row: Example) -> str:
    """Return how the label of `row` was given: `stated` by a file alone, or by people: `blind`,
    `assisted` or `unknown`.
    """
    if row.is_stated:
        return BY_FILE
    return "unknown" if row.is_blind is None else "blind" if row.is_blind else "assisted"


def _by_label(task: str, rows: Sequence[Example]) -> dict[str, int]:
    said = (str(row.fields["label"]) for row in rows if "label" in row.fields)
    return dict(sorted(Counter(one for label in said for one in several.counted(task, label)).items()))


def _line(row: Example) -> dict[str, Any]:
    return {
        "subject": row.subject,
        "group": row.group,
        "locale": row.locale,
        "category": row.category,
        "blind": row.is_blind,
        **row.fields,
    }


def _write(path: Path, lines: Iterator[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(canonical_json(dict(line)) + "\n" for line in lines)


def read_all(snapshot: DatasetSnapshot) -> Parts:
    """Return the rows of every part of `snapshot`. Raises `PermanentError` when its files were changed or are gone."""
    folder = _verified(snapshot)
    return {part: _read(folder, part) for part in SPLITS}


def read(snapshot: DatasetSnapshot, part: Split) -> list[Row]:
    """Return the rows of one part of `snapshot`. Raises as `read_all`."""
    return _read(_verified(snapshot), part)


def _verified(snapshot: DatasetSnapshot) -> Path:
    folder = artifacts.path_for(snapshot.artifact_hash)
    artifacts.verify(folder)
    return folder


def _read(folder: Path, part: Split) -> list[Row]:
    rows = []
    with (folder / f"{part}.jsonl").open(encoding="utf-8") as stream:
        for line in stream:
            fields = json.loads(line)
            own = {name: fields.pop(name) for name in ("subject", "group", "locale", "category")}
            rows.append(Row(**own, fields=fields))
    return rows


def left_out_today(snapshot: DatasetSnapshot) -> Counter[str]:
    """Return how many examples of `snapshot` one frozen now would not have, by reason: its files stay as they are."""
    now = {item.subject: item for item in curation.collect(snapshot.task)}
    reasons: Counter[str] = Counter()
    for part, rows in read_all(snapshot).items():
        for row in rows:
            item = now.get(row.subject)
            if not isinstance(item, Example):
                reasons[item.reason if item else WITHDRAWN] += 1
            elif item.is_doubted and part in LEARNT:
                reasons[examples.OPEN_ISSUE] += 1
    return reasons


_QUERIES: Mapping[str, str] = {
    Task.COPY: "results of standing decisions to approve or fix; a fix with the draft",
    Task.PREFERENCE: "standing decisions to fix: the fix and the draft",
}
