"""Alerts: what was in trouble, from when to when, and who saw to it. Kept, so that an auditor can ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from audit import ledger
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError, StaleState
from core.refs import ref
from monitoring import health
from monitoring.models import Alert

if TYPE_CHECKING:
    from django.contrib.auth.models import User

WATCHER = SystemActor("monitoring.alerts")


def watch() -> tuple[int, int]:
    """Raise an alert for each part in trouble that has none, end those of parts that recovered:
    returns how many of each.
    """
    troubles = {part.name: part for part in health.report().troubles}
    now = timezone.now()
    with transaction.atomic():
        open_alerts = {
            alert.part: alert for alert in Alert.objects.select_for_update(no_key=True).filter(ended_at=None)
        }
        raised = [
            Alert(part=part.name, state=part.state, words=part.words[:500], raised_at=now)
            for name, part in troubles.items()
            if name not in open_alerts
        ]
        Alert.objects.bulk_create(raised, ignore_conflicts=True)  # another watcher may have been first
        ended = [alert.pk for name, alert in open_alerts.items() if name not in troubles]
        Alert.objects.filter(pk__in=ended).update(ended_at=now)
    return len(raised), len(ended)


def acknowledge(alert: Alert, *, actor: User | SystemActor, note: str = "") -> None:
    """Note that `actor` sees to an open alert. Needs monitoring.acknowledge_alert.

    Raises `StaleState` when somebody does already, `PermanentError` for one that is over.
    """
    require_permission(actor, "monitoring.acknowledge_alert")
    if alert.ended_at is not None:
        raise PermanentError("That is over already.", hint="Only an open alert can be seen to.")
    person = None if isinstance(actor, SystemActor) else actor
    with transaction.atomic():
        changed = Alert.objects.filter(pk=alert.pk, acknowledged_at=None, ended_at=None).update(
            acknowledged_at=timezone.now(), acknowledged_by=person, note=note.strip()[:500]
        )
        if not changed:
            raise StaleState("Somebody sees to it already.")
        ledger.append("monitoring.alert.acknowledged", subject=ref(alert), actor=actor, payload={"part": alert.part})
    alert.refresh_from_db()
