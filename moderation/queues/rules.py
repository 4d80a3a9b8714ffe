"""The rules of each queue of human work: read by who hands items out, set by administrators."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils import timezone

from audit import ledger
from catalog.models import Channel
from core.actors import SystemActor, actor_ref, require_permission
from core.exceptions import PermanentError
from core.hints import hint_on_commit
from core.refs import ref
from labeling.question import Question, question, queue_names
from labeling.subject import subject_of
from moderation import priority
from moderation.models.candidates import Finding
from moderation.models.queues import QueuePolicy

if TYPE_CHECKING:
    from django.contrib.auth.models import User

LONGEST_MINUTES = 365 * 24 * 60
MOST_WAITING = 10_000_000
MOST_REVIEWERS = 25
# Each number with its lowest and highest value.
NUMBERS: dict[str, tuple[float, float]] = {
    "reservation_minutes": (1, LONGEST_MINUTES),
    "sla_minutes": (1, LONGEST_MINUTES),
    "ageing_minutes": (1, LONGEST_MINUTES),
    "max_waiting": (0, MOST_WAITING),
    "num_reviewers_per_item": (1, MOST_REVIEWERS),
    "num_reviewers_risky": (1, MOST_REVIEWERS),
    "risky_from": (0, 1),
    "min_quality": (0, 1),
    "blind_percent": (0, 100),
    "rereview_percent": (0, 100),
    "gold_percent": (0, 50),
    "random_percent": (0, 100),
}
CHOICES = {
    "reviewer_access_mode": QueuePolicy.Access.values,
    "consensus_method": QueuePolicy.Consensus.values,
    "check_severity": ["", *Finding.Severity.values],
    "contradicted_facts": QueuePolicy.Contradicted.values,
}
LISTS = ("check_codes", "check_channels", "check_categories")
SETTABLE = (*NUMBERS, *CHOICES, *LISTS, "enable_reservations", "ticks_suggestions")


def policy_for(question: str) -> QueuePolicy:
    """Return the rules of the queue `question`; those of the settings while nobody set any. Reading stores nothing."""
    return QueuePolicy.objects.filter(question=question).first() or QueuePolicy(
        question=question, **_defaults(question)
    )


def policies() -> dict[str, QueuePolicy]:
    """Return the rules of every queue, in one query."""
    held = {policy.question: policy for policy in QueuePolicy.objects.all()}
    return {name: held.get(name) or QueuePolicy(question=name, **_defaults(name)) for name in queue_names()}


def stored(question: str) -> QueuePolicy:
    """Return the row of the queue `question`, made from the settings' defaults when there is none yet."""
    return QueuePolicy.objects.get_or_create(question=question, defaults=_defaults(question))[0]


def _defaults(name: str) -> dict[str, Any]:
    """Return the rules of a queue that nobody has set any for: the settings', and what its question asks for."""
    asked = question(name).queue_rules if name in settings.QUESTIONS else {}
    return {**settings.MODERATION.queue, **asked}


def may_take(user: User, policy: QueuePolicy) -> bool:
    """Whether `user`, who may review, may take ordinary items of this queue. Escalated ones are for any senior."""
    if policy.reviewer_access_mode == QueuePolicy.Access.ANY:
        return True
    return policy.pk is not None and policy.reviewers.filter(pk=user.pk).exists()


def factors_about(asked: Question, subject: Any, *, confidence: float | None = None) -> priority.Factors:
    """Return how urgent it is to ask about `subject`, a row, of which a model is sure to `confidence`."""
    # Where several answers may be picked, any of them may hold or not.
    n_labels = 2 ** len(asked.labels) if asked.is_multiple else len(asked.labels)
    product = subject_of(asked.about).product(subject)
    return priority.factors_of_label(confidence=confidence, n_labels=n_labels, price=product.price if product else None)


def place_of(factors: priority.Factors, policy: QueuePolicy) -> dict[str, Any]:
    """Return the fields of an item that say where it stands in the queue of `policy`, opened now."""
    return {
        "risk": factors.risk,
        "uncertainty": factors.uncertainty,
        "value": factors.value,
        "urgent_from": priority.urgent_from(timezone.now(), factors, ageing=policy.ageing),
    }


def require_access(user: User, question: str) -> None:
    """Raise `PermissionDenied` unless `user` may take ordinary items of the queue `question`."""
    if not may_take(user, policy_for(question)):
        raise PermissionDenied(f"{actor_ref(user)} is not assigned to the queue {question}")


def set_policy(
    question: str, *, actor: User | SystemActor, reviewers: Collection[User] | None = None, **changes: Any
) -> QueuePolicy:
    """Set rules of the queue `question`; what is not named stays. Needs moderation.set_queue_policy.

    Raises `PermanentError` for a number out of range, and for an assignment to nobody or to who may not review. A new
    ageing orders what is open anew; new limits count from the drafters' next turn.
    """
    require_permission(actor, "moderation.set_queue_policy")
    if question not in queue_names() or (unknown := set(changes) - set(SETTABLE)):
        raise PermanentError(f"There is no such rule or queue: {question} {', '.join(sorted(unknown))}".strip())
    _check_values(changes)
    with transaction.atomic():
        policy = QueuePolicy.objects.select_for_update(no_key=True).get(pk=stored(question).pk)
        before = _shown(policy)
        for name, value in changes.items():
            setattr(policy, name, value)
        _check_people(policy, reviewers)
        policy.save(update_fields=list(SETTABLE))
        if reviewers is not None:
            policy.reviewers.set(reviewers)
        after = _shown(policy)
        changed = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
        if not changed:
            return policy
        if "ageing_minutes" in changed:
            _order_anew(policy)
        ledger.append(
            "moderation.queue.policy_set",
            subject=ref(policy),
            actor=actor,
            payload={"queue": question, "changed": changed},
        )
        hint_on_commit("moderation.drain_generation")
    return policy


def _check_values(changes: dict[str, Any]) -> None:
    for name, (low, high) in NUMBERS.items():
        if name in changes and not low <= changes[name] <= high:
            raise PermanentError(f"{name} is between {low:,} and {high:,}, not {changes[name]}.")
    for name, known in CHOICES.items():
        if name in changes and changes[name] not in known:
            raise PermanentError(f"{name} is one of {', '.join(filter(None, known))}.")
    if unknown := set(changes.get("check_channels", ())) - set(Channel.values):
        raise PermanentError(f"There is no such channel: {', '.join(sorted(unknown))}.")


def _check_people(policy: QueuePolicy, reviewers: Collection[User] | None) -> None:
    assigned = list(policy.reviewers.all()) if reviewers is None else list(reviewers)
    if policy.reviewer_access_mode == QueuePolicy.Access.ASSIGNED and not assigned:
        raise PermanentError(
            "Nobody could take anything.", hint="Assign at least one person, or open the queue to any."
        )
    if reviewers and not all(person.has_perm("moderation.review_item") for person in reviewers):
        raise PermanentError("Somebody assigned may not review.", hint="Give them the role of a reviewer first.")


def _shown(policy: QueuePolicy) -> dict[str, Any]:
    people = sorted(policy.reviewers.values_list("pk", flat=True))
    return {name: getattr(policy, name) for name in SETTABLE} | {"reviewers": [f"user:{pk}" for pk in people]}


def _order_anew(policy: QueuePolicy) -> None:
    """The rule of `moderation.priority.urgent_from`, for every open item of the queue at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE moderation_reviewitem SET urgent_from = created_at - make_interval(mins => %s) * ln(risk * "
            "uncertainty * value) WHERE question = %s AND status IN ('waiting', 'dispatched', 'escalated')",
            [policy.ageing_minutes, policy.question],
        )
