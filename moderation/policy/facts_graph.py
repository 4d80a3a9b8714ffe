"""What follows from facts: statements that imply or exclude others, and text that says what is excluded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import Field, StringConstraints, model_validator

from core.exceptions import PermanentError
from core.hashing import hash_json
from moderation.policy.base import Check, Draft, Hit, Severity
from moderation.policy.folding import fold
from moderation.policy.literals import literals
from moderation.policy.packs import HINT, Examples, Name, Strict, Text, validated

GRAPH_FILE: Final = Path(__file__).parent / "facts_graph.yaml"
HITS_PER_RULE: Final = 20
# "not waterproof", "no battery", "faux leather", "无需充电": says that it is not so, or only looks so.
_DENIED_BEFORE: Final = re.compile(
    r"(?:\b(?:no|not|non|without|never|isn't|aren't|faux|imitation|unlike|instead of|free (?:of|from)|avoid"
    r"|do not)[- ](?!(?:only|just|merely|simply) )(?:\w+[- ]){0,2}|不含|无需|不用|不需|不能|不可|不宜|避免|请勿|勿|不|无|非|仿|似|像|如|人造)$"
)
_DENIED_AFTER: Final = re.compile(
    r"[- ]?(?:like|look|free|effect|style|inspired|imitation)\b|[- ]is not|风|感|纹|色|类似|不可"
)


class Statement(Strict):
    """Something that may be so of a product: which facts show it, how texts say it, and what follows from it.

    `is_one_of` and `contains` go from a name of `names` to values: the whole value, or a word in it.
    """

    is_one_of: Mapping[Name, tuple[Text, ...]] = {}
    contains: Mapping[Name, tuple[Text, ...]] = {}
    says: tuple[Text, ...] = ()
    implies: tuple[Name, ...] = ()


class Exclusion(Strict):
    """A rule: whatever is known to be `known` cannot be any of `excludes`."""

    id: Name
    severity: Severity
    known: Name
    excludes: tuple[Name, ...] = Field(min_length=1)
    message: Annotated[Text, StringConstraints(max_length=300)]
    bad: Examples = Field(min_length=1)
    good: Examples = Field(min_length=1)


class FactsGraph(Strict):
    """Statements and the rules between them. `names` gives the spellings of a fact's name in every language."""

    names: Mapping[Name, tuple[Text, ...]]
    statements: Mapping[Name, Statement]
    rules: tuple[Exclusion, ...]

    @model_validator(mode="after")
    def _knows_its_words(self) -> FactsGraph:
        for name, statement in self.statements.items():
            if unknown := set(statement.implies) - self.statements.keys():
                raise ValueError(f"statement {name}: no statement {', '.join(sorted(unknown))}")
            if unknown := {*statement.is_one_of, *statement.contains} - self.names.keys():
                raise ValueError(f"statement {name}: no name {', '.join(sorted(unknown))}")
        for rule in self.rules:
            if unknown := {rule.known, *rule.excludes} - self.statements.keys():
                raise ValueError(f"rule {rule.id}: no statement {', '.join(sorted(unknown))}")
        if len({rule.id for rule in self.rules}) != len(self.rules):
            raise ValueError("two rules have the same id")
        return self

    @cached_property
    def wordings(self) -> Mapping[str, re.Pattern[str]]:
        """Return for each statement that texts can say, how they say it."""
        return {name: re.compile(literals(made.says)) for name, made in self.statements.items() if made.says}

    def known(self, draft: Draft) -> dict[str, tuple[str, ...]]:
        """Return what the facts of `draft` show and imply: statement → the way there, the fact first."""
        found: dict[str, tuple[str, ...]] = {}
        for fact in draft.facts:
            value = fold(fact.value).text.strip()
            for statement, values, words in self._shown_by.get(fold(fact.name).text.strip(), ()):
                if statement not in found and (value in values or (words and words.search(value))):
                    found[statement] = (f"{fact.name}: {fact.value}"[:120], statement)
        return self.closure(found)

    def closure(self, found: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """Return `found` with everything that it implies; each way is the shortest."""
        result, frontier = dict(found), list(found)
        while frontier:
            following = []
            for name in frontier:
                for implied in self.statements[name].implies:
                    if implied not in result:
                        result[implied] = (*result[name], implied)
                        following.append(implied)
            frontier = following
        return result

    @cached_property
    def _shown_by(self) -> Mapping[str, Sequence[tuple[str, frozenset[str], re.Pattern[str] | None]]]:
        """Return for each spelling of a fact's name what it may show: the statement, whole values, words in a value."""
        shown: dict[str, list[tuple[str, frozenset[str], re.Pattern[str] | None]]] = {}
        for statement, made in self.statements.items():
            for group in {*made.is_one_of, *made.contains}:
                values = frozenset(fold(one).text for one in made.is_one_of.get(group, ()))
                words = made.contains.get(group)
                entry = statement, values, re.compile(literals(words)) if words else None
                for spelling in {fold(one).text for one in self.names[group]}:
                    shown.setdefault(spelling, []).append(entry)
        return shown


class FactsGraphCheck(Check):
    """A text that says what the facts exclude: `battery: none` and "charges in an hour"."""

    name = "facts_graph"

    def __init__(self, graph: FactsGraph | None = None) -> None:
        """Take `graph` (default: that of the file)."""
        self.graph = load_graph() if graph is None else graph
        self.version = f"2+{hash_json(dump_graph(self.graph))[:8]}"

    def find(self, draft: Draft) -> list[Hit]:
        """Return each place that says something excluded; the rule and the way from the fact to it are named.

        What a fact says itself is never excluded: a bag of cotton and leather may be called one of leather.
        """
        known = self.graph.known(draft)
        if not known:
            return []
        folded = draft.said.folded
        hits = []
        for rule in self.graph.rules:
            if rule.known not in known:
                continue
            for statement, way in self._excluded(rule, known):
                matches = self.graph.wordings[statement].finditer(folded.text)
                for match in islice((m for m in matches if not _is_denied(folded.text, m)), HITS_PER_RULE):
                    evidence = {
                        "rule": rule.id,
                        "fact": known[rule.known][0],
                        "way": " → ".join(known[rule.known]),
                        "says": " → ".join(way),
                        "term": match[0][:100],
                    }
                    message = f"{rule.message} ({known[rule.known][0]})"
                    hits.append(Hit("excluded_by_fact", rule.severity, message, *folded.span(*match.span()), evidence))
        return sorted(hits, key=lambda hit: (hit.start or 0, hit.end or 0, str(hit.evidence["rule"])))

    def _excluded(self, rule: Exclusion, known: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[str]]]:
        """Yield what a text may not say under `rule`: what is excluded, and whatever would imply that."""
        for statement in self.graph.wordings:
            if statement in known:
                continue
            implied = self.graph.closure({statement: (statement,)})
            if (excluded := next((name for name in rule.excludes if name in implied), None)) is not None:
                yield statement, implied[excluded]


def _is_denied(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - 30) : match.start()]
    return bool(_DENIED_BEFORE.search(before) or _DENIED_AFTER.match(text, match.end()))


@lru_cache
def load_graph(path: Path = GRAPH_FILE) -> FactsGraph:
    """Return the graph in `path`. Raises `PermanentError` naming the file, the rule and the mistake."""
    try:
        return parse_graph(yaml.safe_load(path.read_text(encoding="utf-8")), name=path.name)
    except yaml.YAMLError as exc:
        raise PermanentError(f"{path.name} is no YAML: {exc}.", hint=HINT) from exc


def parse_graph(document: Any, *, name: str) -> FactsGraph:
    """Return the graph that `document` (plain data) holds. Raises `PermanentError` naming `name` and the mistake."""
    return validated(FactsGraph, document, name=name)


def dump_graph(graph: FactsGraph) -> dict[str, Any]:
    """Return `graph` as plain data that `parse_graph` reads again."""
    return graph.model_dump(mode="json", exclude_defaults=True)
