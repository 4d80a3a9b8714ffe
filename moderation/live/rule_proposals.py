"""Rules under their floor, proposed for a softer severity: tried on live copy, then accepted or declined."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from audit import ledger
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError, StaleState
from core.locks import take_turns
from core.reasons import require_reason
from moderation import policy_versions
from moderation.lifecycle import advance, line_for
from moderation.live import retro_scan
from moderation.models.policies import PolicyVersion
from moderation.models.retro_scans import RetroScan
from moderation.models.rule_proposals import RuleProposal
from moderation.policy_record import RuleRecord, record_of, rule_hashes

if TYPE_CHECKING:
    from django.contrib.auth.models import User

WATCHER = SystemActor("moderation.rules")
PROPOSALS = "moderation.rule_proposals"  # one looks at a time
Status = RuleProposal.Status


def propose() -> list[RuleProposal]:
    """Propose a softer severity for each rule in force whose share confirmed lies under its floor; return what is new.

    What is open and about a rule that has changed lapses, and so does what nobody has tried yet where newer answers
    lift the rule over its floor. What was declined is not proposed again for as long as the
    same answers could count. May run twice; one ledger line for each proposal.
    """
    version = policy_versions.policy_in_force().version  # outside: it may have to put one in force, in turns of its own
    with transaction.atomic():
        take_turns(PROPOSALS)
        hashes = rule_hashes(version)
        records = record_of(version)
        lifted = {(record.pack, record.rule) for record in records if not record.is_under_floor}
        still: set[tuple[str, str]] = set()
        lines = []
        for proposal in RuleProposal.objects.filter(status=Status.OPEN).select_for_update(no_key=True):
            key = (proposal.pack, proposal.rule)
            is_same, is_lifted = hashes.get(key) == proposal.rule_hash, key in lifted and proposal.scan_id is None
            if is_same and not is_lifted:
                still.add(key)
            else:
                lines.append(advance(proposal, from_=Status.OPEN, to=Status.LAPSED, answered_at=Now()))
        recently = timezone.now() - dt.timedelta(days=settings.POLICY_RULES.days)
        declined = RuleProposal.objects.filter(status=Status.DECLINED, answered_at__gte=recently)
        said_no = set(declined.values_list("rule_hash", flat=True))
        due = [
            record
            for record in records
            if record.is_under_floor
            and record.softer
            and (record.pack, record.rule) not in still
            and record.rule_hash not in said_no
        ]
        made = [RuleProposal.objects.create(**_said(record, version)) for record in due]
        lines += [line_for(one, "proposed", **_figures(one)) for one in made]
        if lines:
            ledger.append_many(lines, actor=WATCHER)
    return made


def try_on_live(proposal: RuleProposal, *, actor: User) -> RetroScan:
    """Keep the policy with the softer severity as a version, and compare it with the one in force on everything live.

    Needs moderation.activate_policy and moderation.run_retroscan. Puts nothing in force. Raises `StaleState` where the
    proposal is not open any more, or the rule is not the same.
    """
    require_permission(actor, "moderation.activate_policy")
    with transaction.atomic():
        held = _open(proposal)
        now = policy_versions.policy_in_force().version
        if rule_hashes(now).get((held.pack, held.rule)) != held.rule_hash:
            raise StaleState(f"The rule {held.pack}.{held.rule} was changed since this was proposed.")
        content = policy_versions.with_severity(now.content, pack=held.pack, rule=held.rule, severity=held.softer)
        version, _ = policy_versions.store_version(content, actor=actor)
        why = f"Proposal {held.pk}: {held.pack}.{held.rule} as {held.softer}."
        scan = retro_scan.start(version, actor=actor, reason=why, severity=RetroScan.Severity.WARN, against=now)
        held.scan = scan
        held.save(update_fields=("scan",))
    return scan


def accept(proposal: RuleProposal, *, actor: User, reason: str) -> PolicyVersion:
    """Put the softer severity in force, as a version that differs in nothing else; return it.

    Needs moderation.activate_policy and a reason. Raises `PermanentError` unless it was tried on live copy first,
    `StaleState` where it was answered already or another policy is in force than it was tried against.
    """
    require_permission(actor, "moderation.activate_policy")
    reason = require_reason(reason, act="A softer rule")
    with transaction.atomic():
        held = _open(proposal)
        scan = held.scan
        if scan is None or scan.status != RetroScan.Status.SCANNED:
            raise PermanentError(
                "What it would change on live copy is not known yet.",
                hint="Try it on live copy, and look at what it says.",
            )
        take_turns(policy_versions.VERSIONS)
        if scan.against_id != policy_versions.policy_in_force().version.pk:
            raise StaleState("Another policy is in force than this was tried against: try it on live copy again.")
        line = _answered(held, actor, reason, to=Status.ACCEPTED, number=scan.version.number)
        policy_versions.activate(scan.version, actor=actor, reason=reason)
        ledger.append_many([line], actor=actor)
    return scan.version


def decline(proposal: RuleProposal, *, actor: User, reason: str) -> None:
    """Keep the rule as it is. Needs moderation.activate_policy and a reason.

    Raises `PermanentError` without a reason, `StaleState` where it was answered already.
    """
    require_permission(actor, "moderation.activate_policy")
    reason = require_reason(reason, act="To keep the rule as it is")
    with transaction.atomic():
        ledger.append_many([_answered(_open(proposal), actor, reason, to=Status.DECLINED)], actor=actor)


def taken_back(now: Mapping[str, Any], then: Mapping[str, Any]) -> list[RuleProposal]:
    """Return the accepted proposals whose severity the content `now` has and the content `then` would not."""
    held, wanted = (
        {(pack["pack"], rule["id"]): rule["severity"] for pack in content["packs"] for rule in pack["rules"]}
        for content in (now, then)
    )
    latest: dict[tuple[str, str], RuleProposal] = {}
    for proposal in RuleProposal.objects.filter(status=Status.ACCEPTED).order_by("id"):
        latest[proposal.pack, proposal.rule] = proposal
    return [
        proposal
        for key, proposal in latest.items()
        if held.get(key) == proposal.softer and wanted.get(key, proposal.softer) != proposal.softer
    ]


def _open(proposal: RuleProposal) -> RuleProposal:
    """Return the row, locked: of two who answer at once the second reads what the first has made of it."""
    related = RuleProposal.objects.select_for_update(no_key=True, of=("self",)).select_related("scan__version")
    held = related.get(pk=proposal.pk)
    if held.status != Status.OPEN:
        raise StaleState(f"The proposal about {held.pack}.{held.rule} was answered already.")
    return held


def _answered(held: RuleProposal, actor: User, reason: str, *, to: str, **told: int) -> ledger.Line:
    return advance(
        held,
        from_=Status.OPEN,
        to=to,
        answered_at=Now(),
        answered_by=actor,
        reason=reason,
        payload={**_figures(held), **told, "reason": ledger.typed(reason, by=actor)},
    )


def _said(record: RuleRecord, version: PolicyVersion) -> dict[str, object]:
    return {
        "pack": record.pack,
        "rule": record.rule,
        "rule_hash": record.rule_hash,
        "version": version,
        "severity": record.severity,
        "softer": record.softer,
        "n_confirmed": record.total.confirmed,
        "n_dismissed": record.total.dismissed,
        "high": record.total.share.high,
        "floor": record.floor,
    }


def _figures(proposal: RuleProposal) -> dict[str, object]:
    return {
        "rule": f"{proposal.pack}.{proposal.rule}",
        "severity": proposal.severity,
        "softer": proposal.softer,
        "confirmed": proposal.n_confirmed,
        "dismissed": proposal.n_dismissed,
        "floor": f"{proposal.floor:.2f}",
    }
