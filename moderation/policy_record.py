"""What became of each rule's findings: confirmed and dismissed, by locale, against the share it has to reach."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import connection
from django.utils import timezone

from core.hashing import hash_json
from moderation.models.policies import PolicyVersion
from moderation.policy.facts_graph import FactsGraphCheck
from moderation.policy.rules import PolicyRulesCheck

if TYPE_CHECKING:
    from labeling.quality.intervals import Estimate

SOFTER: Final = {"block": "warn", "warn": "info"}
GRAPH: Final = "facts_graph"
# What decides whether a rule finds something and what it asks for: answers count as long as none of it changes.
_WORDING: Final = (
    *("severity", "locales", "channels", "categories", "not_categories", "terms", "patterns", "together", "unless"),
    *("unless_patterns", "only_if", "not_if", "counts_if"),
)
# A draft counts once for a rule, however often the rule finds something in it: such findings are judged alike. What was
# said of one whose rejection an appeal overturned is not held to be true any more.
_SQL: Final = """
SELECT source, rule, locale, policy_version_id, sum(n), count(*),
       count(*) FILTER (WHERE stands AND is_confirmed),
       count(*) FILTER (WHERE stands AND is_dismissed AND NOT is_confirmed)
FROM (
    SELECT CASE f.check_name WHEN %(graph)s THEN %(graph)s ELSE f.evidence->>'pack' END AS source,
           f.evidence->>'rule' AS rule, c.locale, f.policy_version_id, count(*) AS n,
           bool_or(f.verdict = 'confirmed') AS is_confirmed, bool_or(f.verdict = 'dismissed') AS is_dismissed,
           NOT EXISTS (SELECT FROM moderation_appeal a JOIN moderation_decision d ON d.id = a.decision_id
                       JOIN moderation_reviewitem i ON i.id = d.item_id
                       WHERE a.status = 'overturned' AND d.outcome = 'reject' AND i.candidate_id = c.id) AS stands
    FROM moderation_candidate c JOIN moderation_finding f ON f.candidate_id = c.id
    WHERE c.screened_at >= %(since)s AND f.check_name IN (%(rules)s, %(graph)s) AND f.severity <> 'info'
          AND f.policy_version_id IS NOT NULL
    GROUP BY 1, 2, 3, 4, c.id
) AS drafts
GROUP BY 1, 2, 3, 4
"""


@dataclass(frozen=True)
class Tally:
    """How often a rule asked, and what people said. `drafts`, `confirmed` and `dismissed` count drafts."""

    findings: int = 0
    drafts: int = 0
    confirmed: int = 0
    dismissed: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.findings + other.findings,
            self.drafts + other.drafts,
            self.confirmed + other.confirmed,
            self.dismissed + other.dismissed,
        )

    @property
    def answers(self) -> int:
        """Drafts in which somebody said whether it is right."""
        return self.confirmed + self.dismissed

    @property
    def share(self) -> Estimate:
        """The share confirmed with its 95 % interval (Wilson); no figures below 20 answers."""
        from labeling.quality.intervals import share  # numpy: not before it is asked for

        return share(self.confirmed, self.answers)


@dataclass(frozen=True)
class RuleRecord:
    """A rule of a policy version, and what became of what it found. `floor` is a share, 0 to 1."""

    pack: str
    rule: str
    rule_hash: str
    code: str
    severity: str
    message: str
    floor: float
    may_soften: bool
    total: Tally = Tally()
    locales: Mapping[str, Tally] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name as ledger and differences have it: `pack.rule`."""
        return f"{self.pack}.{self.rule}"

    @property
    def is_under_floor(self) -> bool:
        """Whether even the upper end of the interval lies under the floor; never with few answers."""
        high = self.total.share.high
        return high is not None and high < self.floor

    @property
    def softer(self) -> str:
        """The severity that would be proposed; "" where none is: it informs already, or must not be softened."""
        return SOFTER.get(self.severity, "") if self.may_soften else ""


def record_of(version: PolicyVersion, *, days: int | None = None) -> list[RuleRecord]:
    """Return the record of each rule of `version` over the last `days` (default: the setting), by pack and name.

    Counted are findings that asked something of a person (warnings and blocks) in drafts checked in that time, under
    any version that had the rule in the same words, with the same severity and under the same release of its check.
    """
    since = timezone.now() - dt.timedelta(days=days or settings.POLICY_RULES.days)
    names: dict[str, str | dt.datetime] = {
        "graph": FactsGraphCheck.name,
        "rules": PolicyRulesCheck.name,
        "since": since,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL, names)
        rows = cursor.fetchall()
    versions = PolicyVersion.objects.in_bulk({row[3] for row in rows} | {version.pk})
    hashes = {pk: _hashes_of(one.content_hash) for pk, one in versions.items()}
    tallies: dict[tuple[str, str], dict[str, Tally]] = {}
    now = _hashes_of(version.content_hash)
    for source, rule, locale, held, *counts in rows:
        key = (source, rule)
        if key in now and hashes[held].get(key) == now[key]:
            by_locale = tallies.setdefault(key, {})
            by_locale[locale] = by_locale.get(locale, Tally()) + Tally(*(int(n) for n in counts))
    return [_with(one, tallies.get((one.pack, one.rule), {})) for one in _rules_of(version.content, now)]


def rule_hashes(version: PolicyVersion) -> Mapping[tuple[str, str], str]:
    """Return by pack and rule the hash of what decides where a rule of `version` finds something, and how grave."""
    return _hashes_of(version.content_hash)


def _with(record: RuleRecord, locales: Mapping[str, Tally]) -> RuleRecord:
    return replace(record, total=sum(locales.values(), Tally()), locales=dict(sorted(locales.items())))


def _rules_of(content: Mapping[str, Any], hashes: Mapping[tuple[str, str], str]) -> list[RuleRecord]:
    floor = settings.POLICY_RULES.floor
    rules = []
    for pack in content["packs"]:
        for rule in pack["rules"]:
            # What the law forbids outright stays forbidden, however people answer, unless the file says otherwise.
            is_mandatory = pack["jurisdiction"] != "house" and rule["severity"] == "block"
            may = rule.get("may_soften")
            rules.append(
                RuleRecord(
                    pack=pack["pack"],
                    rule=rule["id"],
                    rule_hash=hashes[pack["pack"], rule["id"]],
                    code=rule["code"],
                    severity=rule["severity"],
                    message=rule["message"],
                    floor=floor if rule.get("floor") is None else rule["floor"],
                    may_soften=not is_mandatory if may is None else may,
                )
            )
    for rule in content["facts_graph"]["rules"]:
        told = {
            "code": "excluded_by_fact",
            "severity": rule.get("severity", "warn"),
            "message": rule.get("message", ""),
        }
        held = hashes[GRAPH, rule["id"]]
        rules.append(RuleRecord(GRAPH, rule["id"], held, floor=floor, may_soften=False, **told))
    return rules


@lru_cache(maxsize=64)
def _hashes_of(content_hash: str) -> dict[tuple[str, str], str]:
    # Versions never change: a process reads each once.
    content = PolicyVersion.objects.values_list("content", flat=True).get(content_hash=content_hash)
    release = {name: version.partition("+")[0] for name, version in content["checks"].items()}
    hashes = {}
    for pack in content["packs"]:
        for rule in pack["rules"]:
            used = _used(pack, "contexts", (*rule.get("only_if", ()), *rule.get("not_if", ())))
            words = _used(pack, "words", rule.get("together", ()))
            wording = [rule.get(name) for name in _WORDING]
            hashes[pack["pack"], rule["id"]] = hash_json([wording, used, words, release.get(PolicyRulesCheck.name, "")])
    graph = content["facts_graph"]
    for rule in graph["rules"]:
        hashes[GRAPH, rule["id"]] = hash_json([rule, graph.get("statements"), release.get(FactsGraphCheck.name, "")])
    return hashes


def _used(pack: Mapping[str, Any], kind: str, names: Sequence[str]) -> dict[str, Any]:
    return {name: pack[kind][name] for name in sorted(set(names))}
