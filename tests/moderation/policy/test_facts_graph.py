"""The facts graph: what a fact implies, what it excludes, and where a text says that all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.exceptions import PermanentError
from moderation.policy.base import Draft, Fact, Hit
from moderation.policy.facts_graph import Exclusion, FactsGraphCheck, dump_graph, load_graph, parse_graph

GRAPH = load_graph()


def find(text: str, *, locale: str = "en", **facts: str) -> list[Hit]:
    named = [Fact(name.replace("_", " "), value) for name, value in facts.items()]
    return FactsGraphCheck().find(Draft(text, "description", locale, "Thing", facts=named))


@pytest.mark.parametrize("rule", GRAPH.rules, ids=lambda rule: rule.id)
def test_a_rule_catches_its_bad_examples_and_leaves_the_good_alone(rule: Exclusion) -> None:
    check = FactsGraphCheck(GRAPH.model_copy(update={"rules": (rule,)}))
    assert [ex.text for ex in rule.bad if not check.find(ex.draft("en"))] == []
    assert [ex.text for ex in rule.good if check.find(ex.draft("en"))] == []


def test_a_hit_points_at_the_words_and_names_rule_and_fact() -> None:
    text = "A bright torch. It charges in an hour."
    (hit,) = find(text, battery="none")
    assert text[hit.start : hit.end] == "charges in"
    assert hit.code == "excluded_by_fact"
    assert hit.evidence["rule"] == "no_battery_no_charging"
    assert hit.evidence["way"] == "battery: none → no_battery → not_rechargeable"


def test_cotton_excludes_leather_over_what_both_imply() -> None:
    (hit,) = find("A leather bag.", material="cotton")
    assert hit.evidence["way"] == "material: cotton → cotton → plant_fibre → no_animal_skin"
    assert hit.evidence["says"] == "leather → animal_skin"


def test_what_a_fact_says_is_not_excluded_by_another() -> None:
    assert find("A leather bag.", material="cotton and leather") == []


def test_a_product_without_such_facts_is_left_alone() -> None:
    assert find("A waterproof leather torch that charges in an hour.", colour="red") == []


@pytest.mark.parametrize("text", ["It is not waterproof.", "Never waterproof.", "A non-waterproof case."])
def test_a_denial_says_the_same_as_the_fact(text: str) -> None:
    assert find(text, waterproof="no") == []


def test_a_disguise_is_seen_through() -> None:
    (hit,) = find("Ｗａｔｅｒｐｒｏｏｆ!", waterproof="no")
    assert (hit.start, hit.end) == (0, 10)


def test_the_graph_survives_being_stored() -> None:
    again = parse_graph(dump_graph(GRAPH), name="stored")
    assert FactsGraphCheck(again).version == FactsGraphCheck().version


def graph(**changes: Any) -> dict[str, Any]:
    example = {"text": "x", "facts": {"a": "b"}}
    rule = {
        "id": "no_it",
        "severity": "warn",
        "known": "one",
        "excludes": ["two"],
        "message": "m",
        "bad": [example],
        "good": [example],
    }
    return {
        "names": {"thing": ["thing"]},
        "statements": {"one": {}, "two": {"says": ["two"]}},
        "rules": [rule],
    } | changes


@pytest.mark.parametrize(
    ("changes", "mistake"),
    [
        ({"statements": {"one": {}}}, "rule no_it: no statement two"),
        ({"statements": {"one": {"implies": ["three"]}, "two": {}}}, "statement one: no statement three"),
        ({"statements": {"one": {"contains": {"colour": ["x"]}}, "two": {}}}, "statement one: no name colour"),
        ({"colour": 1}, "colour"),
    ],
)
def test_a_broken_graph_names_the_mistake(changes: dict[str, Any], mistake: str) -> None:
    with pytest.raises(PermanentError) as caught:
        parse_graph(graph(**changes), name="graph.yaml")
    assert "graph.yaml" in str(caught.value)
    assert mistake in str(caught.value)


def test_a_file_that_is_no_graph_is_named(tmp_path: Path) -> None:
    path = tmp_path / "graph.yaml"
    path.write_text("names: [")
    with pytest.raises(PermanentError, match=r"graph\.yaml is no YAML"):
        load_graph(path)
