"""What has to hold of every new model besides its figures, in words, and whether it does."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from core.exceptions import PermanentError
from inference import artifacts
from inference.models import ModelVersion
from training.work import Work


def runs_standalone(verb: str, why: str | None) -> dict[str, bool]:
    """Return, in words, whether the saved model works or writes (`verb`) by itself: `why` not, empty where it does.

    Nothing where it was not tried (None): without a test text no process was started.
    """
    return {} if why is None else {f"the saved model {verb} in a fresh process{f': {why}' if why else ''}": not why}


def preconditions(version: ModelVersion, work: Work, *, tested: Collection[str]) -> dict[str, bool]:
    """Return, in words, what has to hold of any new model, and whether it does.

    `tested`: products of the test texts.
    """
    try:
        artifacts.verify(artifacts.path_for(version.artifact_hash))
        is_whole = True
    except PermanentError:
        is_whole = False
    leaked = len({row.group for row in work.parts["train"]} & set(tested))
    return {
        "its files have the hashes of the registry": is_whole,
        "it was trained on the train part of this very snapshot": version.dataset_hash == work.snapshot.artifact_hash,
        f"{leaked} products of the test part were trained on": leaked == 0,
    }


def nearness(closest: Mapping[str, Any] | None) -> dict[str, bool]:
    """Return, in words, whether no near copy was learnt from and tested on. `closest`: `partition.closest`."""
    if closest is None:
        return {"no text that was trained on is near one of the test part": True}
    words = (
        f"the closest text that was trained on is {closest['similarity']:.1%} like one of the test part "
        f"({closest['learnt']}, {closest['tested']}); it has to be below {closest['below']:.0%}"
    )
    return {words: closest["similarity"] < closest["below"]}
