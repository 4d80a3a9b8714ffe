"""The account at the end: for every item exactly one effect. What is lost, what was done twice, what nobody expected."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, QuerySet

from audit.models import LedgerEntry
from audit.verification import verify
from catalog.models import CustomerReview
from core.refs import ref
from labeling.models import LabelingTask, WebhookEvent
from moderation.models.candidates import Candidate, Finding, GenerationRequest
from moderation.models.predictions import Prediction, Scoring
from moderation.models.reviews import ReviewItem
from tests.faults.work import (
    DRAFTS,
    HEALTHY_REQUESTS,
    HEALTHY_REVIEWS,
    poisoned_scorings,
    unscored,
    unsure_without_item,
)

# Lines that may stand more than once about one thing: each attempt leaves them.
REPEATABLE = {
    "moderation.request.generating",
    "moderation.request.lease_expired",
    "moderation.request.given_back",
    "moderation.prediction.made",
}
SURE = 0.75


@dataclass
class Account:
    """Sentences about what is wrong, by kind; all empty when nothing is."""

    items: int = 0
    effects: int = 0
    lost: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.duplicates or self.unexpected)


def draw_up(*, remote: Counter[str] | None = None) -> Account:
    """Count everything. `remote`: how often each of our ids stands in Label Studio; None when there is none."""
    account = Account(items=GenerationRequest.objects.count() + CustomerReview.objects.count())
    _requests(account)
    _candidates(account)
    _people(account)
    _sentiments(account)
    _ledger(account)
    _quarantine(account)
    if remote is not None:
        _label_studio(account, remote)
    return account


def _requests(account: Account) -> None:
    healthy = GenerationRequest.objects.filter(HEALTHY_REQUESTS).annotate(n=Count("candidates"))
    account.lost += [f"request {r.pk} is {r.status}" for r in healthy.exclude(status="completed")]
    account.lost += [f"request {r.pk} has {r.n} drafts" for r in healthy.filter(status="completed", n__lt=DRAFTS)]
    account.duplicates += [f"request {r.pk} has {r.n} drafts" for r in healthy.filter(n__gt=DRAFTS)]
    poison = GenerationRequest.objects.exclude(HEALTHY_REQUESTS).annotate(n=Count("candidates"))
    account.unexpected += [f"poisoned request {r.pk} has drafts" for r in poison.filter(n__gt=0)]


def _candidates(account: Account) -> None:
    account.effects += Candidate.objects.count()
    account.lost += [f"candidate {c.pk} was not screened" for c in Candidate.objects.filter(screened_at=None)]
    by_status = Counter(Candidate.objects.values_list("ordinal", "status"))
    account.unexpected += [
        f"{n} drafts of ordinal {ordinal} are {status}"
        for (ordinal, status), n in by_status.items()
        if (ordinal, status) not in {(0, "in_review"), (1, "blocked")}
    ]
    twice = Finding.objects.values("candidate", "check_name", "code", "start", "end").annotate(n=Count("id"))
    account.duplicates += [f"finding {row}" for row in twice.filter(n__gt=1)]


def _people(account: Account) -> None:
    account.effects += ReviewItem.objects.count() + LabelingTask.objects.count()
    without = Candidate.objects.filter(status="in_review", review_item=None)
    account.lost += [f"candidate {pk} has no review item" for pk in without.values_list("pk", flat=True)]
    without_task = ReviewItem.objects.filter(labeling_task=None)
    account.lost += [f"item {pk} has no labelling task" for pk in without_task.values_list("pk", flat=True)]
    references = set(LabelingTask.objects.values_list("reference", flat=True))
    expected = {ref(item) for item in ReviewItem.objects.all()}
    account.lost += [f"no task for {name}" for name in expected - references]
    account.unexpected += [f"a task for {name}" for name in references - expected]
    unsure = unsure_without_item(SURE).count()
    account.lost += [f"{unsure} unsure sentiments have no item"] if unsure else []


def _sentiments(account: Account) -> None:
    said = Prediction.objects.filter(question="sentiment").about(CustomerReview)
    account.effects += said.count()
    account.lost += [f"review {r.pk} was not scored" for r in unscored().filter(HEALTHY_REVIEWS)]
    twice = said.order_by().values("subject").annotate(n=Count("pk")).filter(n__gt=1)
    account.duplicates += [f"{row['subject']} was scored {row['n']} times" for row in twice]
    told = sum(
        payload["n"]
        for payload in LedgerEntry.objects.filter(action="moderation.prediction.made").values_list("payload", flat=True)
    )
    if told != said.count():
        account.unexpected.append(f"the ledger tells of {told} scores, there are {said.count()}")


def _ledger(account: Account) -> None:
    account.effects += LedgerEntry.objects.count()
    outcome = verify()
    if not outcome.is_intact:
        account.unexpected.append(f"the ledger breaks at {outcome.bad_seq}: {outcome.reason}")
    twice = LedgerEntry.objects.exclude(action__in=REPEATABLE).values("action", "subject").annotate(n=Count("seq"))
    account.duplicates += [f"{row['action']} of {row['subject']}: {row['n']} times" for row in twice.filter(n__gt=1)]
    lines = Counter(LedgerEntry.objects.values_list("action", flat=True))
    n_healthy = GenerationRequest.objects.filter(HEALTHY_REQUESTS).count()
    expected = {
        "moderation.request.requested": GenerationRequest.objects.count(),
        "moderation.request.completed": n_healthy,
        "moderation.request.failed": GenerationRequest.objects.count() - n_healthy,
        "moderation.candidate.generated": n_healthy * DRAFTS,
        "moderation.candidate.in_review": n_healthy,
        "moderation.candidate.screened": n_healthy,
        "moderation.candidate.blocked": n_healthy,
        "moderation.item.opened": ReviewItem.objects.count(),
    }
    account.unexpected += [
        f"{lines[action]} lines {action}, not {n}" for action, n in expected.items() if lines[action] != n
    ]


def _quarantine(account: Account) -> None:
    poison: tuple[QuerySet[Any], ...] = (GenerationRequest.objects.exclude(HEALTHY_REQUESTS), poisoned_scorings())
    for poisoned in poison:
        inside = poisoned.model._default_manager.filter(quarantined_at__isnull=False)
        healthy = inside.exclude(pk__in=poisoned.values("pk"))
        account.unexpected += [f"{row} is in quarantine: {row.last_error}" for row in healthy]
        account.unexpected += [f"{row} has no error" for row in inside.filter(last_error="")]
        outside = poisoned.filter(quarantined_at=None)
        account.unexpected += [f"poisoned {row} is not in quarantine" for row in outside]
    for model in (GenerationRequest, Scoring, LabelingTask, ReviewItem, WebhookEvent):
        stranded = model.objects.filter(lease_token__isnull=False).count()
        account.unexpected += [f"{stranded} leases on {model.__name__} were left"] if stranded else []


def _label_studio(account: Account, remote: Counter[str]) -> None:
    ours = {str(pk) for pk in LabelingTask.objects.filter(status="pushed").values_list("pk", flat=True)}
    account.effects += sum(remote.values())
    account.lost += [f"task {pk} is not in Label Studio" for pk in ours - set(remote)]
    account.duplicates += [f"task {pk} is in Label Studio {n} times" for pk, n in remote.items() if n > 1]
    account.unexpected += [f"task {pk} is in Label Studio, but not ours" for pk in set(remote) - ours]
