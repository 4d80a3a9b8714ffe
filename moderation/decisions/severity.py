"""What is of high severity and needs a second person. Pure: rules of a queue in, reasons out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from moderation.models.candidates import Finding
from moderation.models.queues import QueuePolicy
from moderation.policy.merging import is_contradicted

RISING = [severity.value for severity in Finding.Severity]


class Found(Protocol):
    """What the rule needs to know of a finding."""

    code: str
    severity: str


def why_high(policy: QueuePolicy, *, channel: str, category: str, findings: Iterable[Found]) -> list[str]:
    """Return why a text is of high severity by the rules of its queue, as codes; empty when it is not.

    `findings` are those of the text that would go out: whether its reviewer called them false alarms or somebody
    overruled them makes no difference, that is what a second person looks at. `block:medical_claim` is a finding as
    grave as `check_severity`, whose code holds one of `check_codes`, or that contradicts a fact; `channel:ad_slogan`
    and `category:…` are places.
    """
    takes_two = policy.contradicted_facts == QueuePolicy.Contradicted.TWO_PEOPLE
    least = RISING.index(policy.check_severity) if policy.check_severity else len(RISING)
    why = {
        f"{finding.severity}:{finding.code}"
        for finding in findings
        if RISING.index(finding.severity) >= least
        or any(part and part in finding.code for part in policy.check_codes)
        or (takes_two and is_contradicted(finding.code) and finding.severity != Finding.Severity.INFO)
    }
    if channel in policy.check_channels:
        why.add(f"channel:{channel}")
    if any(part and part.casefold() in category.casefold() for part in policy.check_categories):
        why.add(f"category:{category[:60]}")
    return sorted(why)
