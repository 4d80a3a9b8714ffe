"""Names of people by Presidio: with a real spaCy pipeline that knows two names, off the network, off by default."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from moderation.policy.base import Draft, Fact, Hit, load_checks, run_checks
from moderation.policy.named_people import NamedPeopleCheck, _engine


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import spacy

    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns(  # type: ignore[attr-defined]
        [{"label": "PERSON", "pattern": "Jane Doe"}, {"label": "GPE", "pattern": "Springfield"}]
    )
    folder = tmp_path_factory.mktemp("spacy") / "names"
    nlp.to_disk(folder)
    return folder


def find(text: str, **fields: Any) -> list[Hit]:
    return NamedPeopleCheck().find(Draft(text, "description", "en", "Mug", **fields))


def test_names_are_found_without_the_network(pipeline: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PERSONAL_DATA = replace(settings.PERSONAL_DATA, spacy_model=str(pipeline))

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    text = "Jane Doe of Springfield loves it, says jane.doe@example.com."
    found = find(text)
    assert [(hit.code, text[hit.start : hit.end]) for hit in found] == [
        ("person_name", "Jane Doe"),
        ("place_name", "Springfield"),
    ]
    assert "Jane" not in "".join(hit.message + str(hit.evidence) for hit in found)
    # What a fact names is the product's own, and Chinese is not what the model reads.
    assert [hit.code for hit in find(text, facts=(Fact("designer", "Jane Doe"),))] == ["place_name"]
    assert NamedPeopleCheck().find(Draft(text, "description", "zh-Hans", "Mug")) == []


def test_a_model_that_is_missing_asks_a_person(settings: Any, tmp_path: Path) -> None:
    _engine.cache_clear()
    settings.PERSONAL_DATA = replace(settings.PERSONAL_DATA, spacy_model=str(tmp_path / "none"))
    (result,) = run_checks(Draft("A mug by Jane Doe.", "description", "en", "Mug"), [NamedPeopleCheck()])
    assert [hit.code for hit in result.hits] == ["check_failed"]


def test_without_a_model_named_presidio_is_not_used() -> None:
    assert "named_people" not in {check.name for check in load_checks()}
