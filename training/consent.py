"""Why the gate alone does not let a version serve: what it rests on is not for the gate to judge, so a person does."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.models import User

from catalog.models import ImportRun
from inference.models import ModelAlias, ModelVersion
from moderation.label_exchange.importing import brought_in_by
from training.models import DatasetSnapshot

CHAMPION = ModelAlias.Name.CHAMPION
# From this share on the labels of imports, not those of our own people, decide what a version learnt.
DECISIVE = 0.5
UNNAMED = "a command that named nobody brought labels in"


def reasons(version: ModelVersion) -> list[str]:
    """Return in words why at least one named person has to let `version` serve; empty where the gate may alone."""
    found = []
    if not version.dataset_hash:
        found.append("it was not measured here")
    if ModelAlias.objects.filter(role=version.role, name=CHAMPION, rolled_back=True).exists():
        found.append("the champion was rolled back")
    if words := _rests_on_files(version):
        found.append(words)
        if _who_brought(version)[1]:
            found.append(UNNAMED)
    return found


def people_needed(version: ModelVersion) -> int:
    """Return how many named people have to let `version` serve, as far as what it rests on goes.

    Two where nobody is named who brought labels in: one of any two people is somebody else than who did.
    """
    found = reasons(version)
    return 2 if UNNAMED in found else int(bool(found))


def brought_by(version: ModelVersion) -> list[User]:
    """Return who brought in the labels that `version` rests on: whether it serves is not theirs to say."""
    return _who_brought(version)[0] if _rests_on_files(version) else []


def _who_brought(version: ModelVersion) -> tuple[list[User], bool]:
    """Return who brought in labels that `version` learnt from,
    and whether somebody did whom the ledger does not name.
    """
    people: dict[int, User] = {}
    is_unnamed = False
    for run in _runs_of(version):
        named, somebody_else = brought_in_by(run)
        people |= {person.pk: person for person in named}
        is_unnamed |= somebody_else
    return list(people.values()), is_unnamed


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
    held = snapshot.imported
    if held is None:
        return "nobody knows how many of its labels came from files"
    for part, n in (("train", snapshot.n_train), ("test", snapshot.n_test)):
        if n_imported := sum(held.get(part, {}).values()):
            title = "texts it learnt from" if part == "train" else "test texts"
            if n_imported >= DECISIVE * n:
                return f"{n_imported:,} of {n:,} {title} have a label that came from a file"
            fewest = settings.TRAINING.gate["min_test"]
            if part == "test" and n - n_imported < fewest:
                return f"our own people labelled {n - n_imported:,} of its test texts, and the gate needs {fewest:,}"
    return ""


def _runs_of(version: ModelVersion) -> Iterable[ImportRun]:
    """Return the imports that had a say in the labels of `version`; of a snapshot that does not say,
    all there were by then.
    """
    snapshot = _snapshot(version)
    if snapshot is None:
        return []
    runs, held = ImportRun.objects.filter(kind="labels"), snapshot.files
    if held is None:
        return runs.filter(started_at__lt=snapshot.created_at)
    keys = [source.partition(":")[2] for source in held]
    return runs.filter(pk__in=[int(key) for key in keys if key.isdecimal()])
