"""Why the gate alone does not let a version serve: what it rests on is not for the gate to judge, so a person does."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User

from catalog.models import ImportRun
from inference.models import ModelAlias, ModelVersion
from moderation.label_exchange.approving import brought_in_by
from training import snapshots
from training.models import DatasetSnapshot

CHAMPION = ModelAlias.Name.CHAMPION
# From this share on the labels of imports, not those of our own people, decide what a version learnt.
DECISIVE = 0.5


def reasons(version: ModelVersion) -> list[str]:
    """Return in words why at least one named person has to let `version` serve; empty where the gate may alone."""
    found = []
    if not version.dataset_hash:
        found.append("it was not measured here")
    if ModelAlias.objects.filter(role=version.role, name=CHAMPION, rolled_back=True).exists():
        found.append("the champion was rolled back")
    if words := _rests_on_files(version):
        found.append(words)
    return found


def brought_by(version: ModelVersion) -> list[User]:
    """Return who brought in the labels that `version` rests on: whether it serves is not theirs to say."""
    if not _rests_on_files(version):
        return []
    people: dict[int, User] = {}
    for run in ImportRun.objects.filter(pk__in=_runs_of(version)):
        people |= {person.pk: person for person in brought_in_by(run)[0]}
    return list(people.values())


def _snapshot(version: ModelVersion) -> DatasetSnapshot | None:
    made_by = version.training_runs.select_related("snapshot").first()
    if made_by is not None and made_by.snapshot is not None:
        return made_by.snapshot
    return DatasetSnapshot.objects.filter(artifact_hash=version.dataset_hash).first() if version.dataset_hash else None


def _rests_on_files(version: ModelVersion) -> str:
    """Return in words that labels of imports decide what `version` learnt, or what it was measured on.

    Whoever answers for their raters: labels that our own people gave are what a champion may change on by itself.
    """
    snapshot = _snapshot(version)
    if snapshot is None:
        return ""
    held = snapshots.imported(snapshot)
    if held is None:
        return "nobody knows how many of its labels came from files"
    for part, n in (("train", snapshot.n_train), ("test", snapshot.n_test)):
        if n_imported := sum(held.get(part, {}).values()):
            title = "texts it learnt from" if part == "train" else "test texts"
            if n_imported >= DECISIVE * n:
                return f"{n_imported:,} of {n:,} {title} have a label that came from a file"
            fewest = settings.TRAINING["GATE"]["min_test"]
            if part == "test" and n - n_imported < fewest:
                return f"our own people labelled {n - n_imported:,} of its test texts, and the gate needs {fewest:,}"
    return ""


def _runs_of(version: ModelVersion) -> list[int]:
    snapshot = _snapshot(version)
    held = (snapshots.imported(snapshot) if snapshot else None) or {}
    sources = {source.partition(":")[2] for part in held.values() for source in part}
    return sorted(int(key) for key in sources if key.isdecimal())
