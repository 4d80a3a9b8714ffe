"""Everything beside copy and labels: webhooks, rules, alerts, keys, a person erased, rows that other parts leave."""

from __future__ import annotations

from desk_of_before.people import People, sign


def rest(who: People) -> None:
    """Webhooks, rules of queues, alerts, refusals, signs of life, a key replaced, an auditor, a person erased."""
    from django.db import transaction
    from django.utils import timezone

    from audit import checks, erasure, keys
    from moderation import queue_policies
    from monitoring import alerts, heartbeats, refusals
    from monitoring.auditor.asking import Asked
    from monitoring.auditor.questions import ask
    from monitoring.models import Alert
    from outbox import endpoints
    from outbox.events import emit
    from outbox.models import Delivery

    shop_, _ = endpoints.add_endpoint(
        "http://127.0.0.1:9/hooks",
        event_types=["copy.published", "copy.retired", "item.completed"],
        actor=who.admin,
        description="the shop",
    )
    for n in range(6):
        with transaction.atomic():
            emit("copy.published", {"sku": f"MUG-{n:02}"})
    for n, delivery in enumerate(Delivery.objects.order_by("pk")):
        state = ("delivered", "delivered", "dead", "pending")[n % 4]
        Delivery.objects.filter(pk=delivery.pk).update(
            status=state,
            n_attempts=n,
            response_status=204 if state == "delivered" else 500,
            last_error="" if n % 4 < 2 else "500",
        )
    endpoints.rotate_secret(shop_, actor=who.admin)
    off, _ = endpoints.add_endpoint("http://127.0.0.1:9/old", event_types=["copy.retired"], actor=who.admin)
    endpoints.disable_endpoint(off, actor=who.admin, reason="moved")
    queue_policies.set_policy(
        "copy_review",
        actor=who.admin,
        num_reviewers_risky=2,
        reviewers=who.reviewers[:4],
        reviewer_access_mode="assigned",
    )
    queue_policies.set_policy("review_sentiment", actor=who.admin, rereview_percent=5)
    for name in (heartbeats.BEAT, *heartbeats.QUEUES):
        heartbeats.record(name)
    alerts.watch()
    for queue in ("copy_review", "review_sentiment"):
        Alert.objects.create(part=f"queue_{queue}", state="busy", words="many wait", raised_at=timezone.now())
    alert = Alert.objects.filter(ended_at=None).first()
    alerts.acknowledge(alert, actor=who.admin, note="Ada sees to it")
    refusals.record("sign_in", account="", what="admin:login")
    refusals.record("permission", account=f"user:{who.leaver.pk}", what="console:training")
    with transaction.atomic():
        ask(7, Asked(), actor=who.auditor)
    keys.rotate(actor=who.admin, reason="a year has passed")
    sign()
    erasure.erase_person(who.leaver, actor=who.admin, reason="asked for it")
    checks.verify_now(actor=who.auditor)
    sign()
    with transaction.atomic():
        emit("copy.published", {"sku": "MUG-01"})


def leave_behind(who: People) -> None:
    """What other parts leave behind: tasks that are settled or withdrawn, a session, a line of the admin."""
    from django.contrib.admin.models import LogEntry
    from django.contrib.auth.models import User
    from django.contrib.contenttypes.models import ContentType
    from django.contrib.sessions.models import Session
    from django.utils import timezone

    from labeling.models import LabelingTask
    from moderation.models.reviews import ReviewItem

    decided = ReviewItem.objects.filter(status="decided").exclude(labeling_task=None).order_by("created_at")
    tasks = list(decided.values_list("labeling_task", flat=True)[:20])
    LabelingTask.objects.filter(pk__in=tasks).update(status="settled", settled_at=timezone.now())
    waiting = ReviewItem.objects.filter(status="waiting", kind="review_sentiment", lead=None, seats=None)
    for item in waiting.order_by("created_at")[:3]:
        LabelingTask.objects.filter(pk=item.labeling_task_id).update(status="withdrawn")
        ReviewItem.objects.filter(pk=item.pk).update(status="withdrawn")
    LogEntry.objects.create(
        user=who.admin,
        content_type=ContentType.objects.get_for_model(User),
        object_id="1",
        object_repr="somebody",
        action_flag=2,
        change_message="[]",
    )
    Session.objects.create(session_key="k" * 32, session_data="of-nobody", expire_date=timezone.now())
    User.objects.update(password="!of-nobody")
