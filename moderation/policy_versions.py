"""Which policy is in force: versions loaded from reviewed files, put in force by a person, run again at any time."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import ledger
from audit.ledger import Line
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError
from core.hashing import hash_json
from core.locks import take_turns
from core.reasons import require_reason
from core.refs import ref
from moderation.models.policies import PolicyActivation, PolicyVersion
from moderation.policy import base
from moderation.policy.brand_voice_check import BrandVoiceCheck
from moderation.policy.brand_voices import BrandVoices, parse_voices
from moderation.policy.facts_graph import FactsGraph, FactsGraphCheck, dump_graph, load_graph, parse_graph
from moderation.policy.packs import Pack, dump_packs, load_packs, parse_pack
from moderation.policy.rules import PolicyRulesCheck

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    Actor = User | SystemActor

SCHEMA = 1
SOFTWARE = SystemActor("moderation.policies")
VERSIONS = "moderation.policies"  # numbers and activations are given out one at a time
FIRST, UPDATED = "the first policy of this desk", "the software was updated"


@dataclass(frozen=True)
class Policy:
    """A version with its checks, ready to run. `drifted` names checks that the software has in another version now."""

    version: PolicyVersion
    checks: tuple[base.Check, ...]
    drifted: tuple[str, ...]


def content_now() -> dict[str, Any]:
    """Return the policy that the files and the software hold now, as plain data. Raises `PermanentError`.

    Brand voices are in no file of the software: those in force stay.
    """
    latest = PolicyActivation.objects.values_list("version__content__brand_voices", flat=True).first()
    return content_of(load_packs(), load_graph(), parse_voices(latest or {}))


def content_of(packs: Sequence[Pack], graph: FactsGraph, voices: BrandVoices | None = None) -> dict[str, Any]:
    """Return the policy that `packs`, the facts graph, brand voices (default: none) and the software make together."""
    content: dict[str, Any] = {"schema": SCHEMA, "packs": dump_packs(packs), "facts_graph": dump_graph(graph)}
    return with_brand_voices(content, voices or BrandVoices())


def with_brand_voices(content: Mapping[str, Any], voices: BrandVoices) -> dict[str, Any]:
    """Return the content of a version with `voices` in place of its own brand voices, and nothing else changed."""
    changed = {name: value for name, value in content.items() if name != "brand_voices"}
    if kept := voices.dump():
        changed["brand_voices"] = kept
    return {**changed, "checks": {check.name: check.version for check in _build(changed, on=None)}}


def with_severity(content: Mapping[str, Any], *, pack: str, rule: str, severity: str) -> dict[str, Any]:
    """Return the content of a version with one rule of one pack under another severity, and nothing else changed.

    Raises `PermanentError` where there is no such rule.
    """
    changed = json.loads(json.dumps(content))
    rules = [one for own in changed["packs"] if own["pack"] == pack for one in own["rules"] if one["id"] == rule]
    if not rules:
        raise PermanentError(f"The policy has no rule {pack}.{rule}.")
    rules[0]["severity"] = severity
    return {**changed, "checks": {check.name: check.version for check in _build(changed, on=None)}}


def in_force(at: dt.datetime) -> PolicyVersion:
    """Return the version that was in force at a moment. Raises `PermanentError` where that is before the first."""
    past = PolicyActivation.objects.filter(at__lte=at).select_related("version").first()
    if past is None:
        raise PermanentError(f"No policy was in force at {at:%Y-%m-%d %H:%M}.")
    return past.version


def policy_in_force() -> Policy:
    """Return the version in force now with its checks: what drafts are screened with.

    The desk always has one: the first is taken from the files, and after an update of the software the same rules go
    on under the checks as they are now, as a version of its own.
    """
    names = ("version__content_hash", "version_id", "version__content__checks")
    latest = PolicyActivation.objects.values_list(*names).first()
    if latest is None or latest[2] != _checks_now(latest[0]):
        version = _keep_up()
        latest = (version.content_hash, version.pk, None)
    return _policy_of(latest[0], latest[1], timezone.localdate())


def policy_of(version: PolicyVersion, *, on: dt.date | None = None) -> Policy:
    """Return `version` with its checks, whatever its age; rules that begin after `on` (default: today) are left out."""
    return _policy_of(version.content_hash, version.pk, on or timezone.localdate())


def checks_of(version: PolicyVersion, *, on: dt.date | None = None) -> tuple[base.Check, ...]:
    """Return the checks of any stored version: its own rules, the other checks as the software has them."""
    return policy_of(version, on=on).checks


def find_version(content_hash: str) -> PolicyVersion | None:
    """Return the version that a decision names."""
    return PolicyVersion.objects.filter(content_hash=content_hash).first() if content_hash else None


def store_version(content: Mapping[str, Any], *, actor: Actor) -> tuple[PolicyVersion, bool]:
    """Keep `content` as a version and return it with whether it is new; it is not in force by that.

    Needs moderation.activate_policy. One ledger line, where it is new.
    """
    require_permission(actor, "moderation.activate_policy")
    content_hash = hash_json(content)
    with transaction.atomic():
        take_turns(VERSIONS)
        if known := PolicyVersion.objects.filter(content_hash=content_hash).first():
            return known, False
        last = PolicyVersion.objects.values_list("number", flat=True).first() or 0
        version = PolicyVersion.objects.create(number=last + 1, content_hash=content_hash, content=dict(content))
        payload = {"number": version.number, "content_hash": content_hash}
        ledger.append("moderation.policy.stored", subject=ref(version), actor=actor, payload=payload)
    return version, True


def activate(version: PolicyVersion, *, actor: Actor, reason: str) -> PolicyActivation:
    """Put `version` in force from now on, in place of what was. Needs moderation.activate_policy and a reason.

    Raises `PermanentError` without a reason, or where it is in force already.
    """
    require_permission(actor, "moderation.activate_policy")
    reason = require_reason(reason, act="A change of policy")
    with transaction.atomic():
        take_turns(VERSIONS)
        before = PolicyActivation.objects.select_related("version").first()
        if before is not None and before.version_id == version.pk:
            raise PermanentError(f"Policy {version.number} is in force already.")
        made = PolicyActivation.objects.create(
            version=version,
            at=timezone.now(),
            reason=reason,
            by=None if isinstance(actor, SystemActor) else actor,
        )
        payload = {
            "number": version.number,
            "content_hash": version.content_hash,
            "reason": ledger.typed(made.reason, by=actor),
            "replaces": before.version.number if before else None,
        }
        ledger.append_many([Line("moderation.policy.activated", ref(version), payload)], actor=actor)
    return made


def difference(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what differs between the contents of two versions: `+ pack.rule`, `- pack.rule`, `~ pack.rule: fields`."""
    before, after = _parts(old or {}), _parts(new)
    lines = []
    for key in sorted(before.keys() | after.keys()):
        if key not in before:
            lines.append(f"+ {key}")
        elif key not in after:
            lines.append(f"- {key}")
        elif before[key] != after[key]:
            one, two = before[key], after[key]
            fields = sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))
            lines.append(f"~ {key}: {', '.join(fields)}")
    return tuple(lines)


def _parts(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what a content is made of by name, each as fields that can be compared."""
    parts: dict[str, dict[str, Any]] = {}
    for pack in content.get("packs", ()):
        parts[pack["pack"]] = {name: value for name, value in pack.items() if name != "rules"}
        parts |= {f"{pack['pack']}.{rule['id']}": rule for rule in pack["rules"]}
    graph = content.get("facts_graph", {"rules": ()})
    parts |= {f"facts_graph.{rule['id']}": rule for rule in graph["rules"]}
    parts |= {f"facts_graph {name}": made for name, made in graph.get("statements", {}).items()}
    for brand, voices in content.get("brand_voices", {}).items():
        parts |= {f"brand voice {brand}, {locale}": voice for locale, voice in voices.items()}
    for name, version in content.get("checks", {}).items():
        parts[f"check {name}"] = {"version": version}
    return parts


def _keep_up() -> PolicyVersion:
    """Put in force what the files hold, where there is nothing yet;
    else the rules of before under the checks of now.
    """
    with transaction.atomic():
        take_turns(VERSIONS)
        latest = PolicyActivation.objects.select_related("version").first()
        if latest is None:
            content, reason = content_now(), FIRST
        else:
            checks = _checks_now(latest.version.content_hash)
            if checks == latest.version.content["checks"]:
                return latest.version  # somebody else was quicker
            content, reason = {**latest.version.content, "checks": checks}, UPDATED
        version, _ = store_version(content, actor=SOFTWARE)
        activate(version, actor=SOFTWARE, reason=reason)
    return version


def _checks_now(content_hash: str) -> dict[str, str]:
    """Return name and version of each check, as the software would run them with the rules of a version."""
    return dict(_names_of(content_hash, tuple(settings.POLICY_CHECKS)))


@lru_cache(maxsize=32)
def _names_of(content_hash: str, _installed: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    content = PolicyVersion.objects.values_list("content", flat=True).get(content_hash=content_hash)
    return tuple((check.name, check.version) for check in _build(content, on=None))


@lru_cache(maxsize=16)
def _load(content_hash: str, pk: int, on: dt.date, _installed: tuple[str, ...]) -> Policy:
    version = PolicyVersion.objects.get(pk=pk)
    checks = _build(version.content, on=on)
    kept = version.content["checks"]
    drifted = tuple(check.name for check in checks if kept.get(check.name) != check.version)
    return Policy(version, checks, drifted)


def _policy_of(content_hash: str, pk: int, on: dt.date) -> Policy:
    # A process keeps what it has read: versions never change, and compiling their rules takes a while.
    return _load(content_hash, pk, on, tuple(settings.POLICY_CHECKS))


def _build(content: Mapping[str, Any], *, on: dt.date | None) -> tuple[base.Check, ...]:
    """Return the checks of the software, those that run on data with the data of `content`."""
    packs = [parse_pack(pack, name=pack["pack"]) for pack in content["packs"]]
    graph = parse_graph(content["facts_graph"], name="facts graph")
    data: dict[type[base.Check], base.Check] = {
        PolicyRulesCheck: PolicyRulesCheck(packs, on=on),
        FactsGraphCheck: FactsGraphCheck(graph),
        BrandVoiceCheck: BrandVoiceCheck(parse_voices(content.get("brand_voices", {}))),
    }
    return tuple(data.get(type(check), check) for check in base.load_checks())
