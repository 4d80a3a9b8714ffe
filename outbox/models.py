"""Webhooks that go out: who receives them, what happened, and how far each delivery has come."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from core.hashing import canonical_json
from core.leases import Leased


class Endpoint(Leased):
    """A receiver. Its lease is held by the turn that serves it, and its rest is the pause after a failure.

    `n_attempts` counts the turns in a row that ended in a failure; 0 while all is well. The URL may carry a token of
    the receiver's: lists, ledger and logs name the host alone.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        DISABLED = "disabled", "Disabled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    url = models.CharField(max_length=1000)
    description = models.CharField(max_length=200, blank=True)
    event_types = models.JSONField(default=list, help_text="what it is told of: keys of settings.OUTBOX.event_types")
    status = models.CharField(max_length=12, choices=Status, default=Status.ACTIVE)
    disabled_reason = models.CharField(max_length=200, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    served_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("created_at",)
        permissions = (("manage_endpoint", "Can add, change, disable and test webhook endpoints and rotate secrets"),)
        constraints = (
            models.CheckConstraint(condition=Q(status__in=("active", "disabled")), name="webhook_endpoint_status"),
        )

    def __str__(self) -> str:
        return self.description or self.host

    @property
    def host(self) -> str:
        """Where it is, without the path."""
        return urlsplit(self.url).netloc


class Secret(models.Model):
    """What a signing secret is derived from, together with SECRET_KEY (`outbox.signing`).

    The secret itself is not stored.
    """

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="secrets")
    salt = models.CharField(max_length=64, editable=False)
    fingerprint = models.CharField(max_length=16, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="none: the current one")

    class Meta:
        ordering = ("-created_at",)
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(
                fields=("endpoint",), condition=Q(expires_at=None), name="one_current_secret_per_endpoint"
            ),
        )

    def __str__(self) -> str:
        return f"secret {self.pk} of {self.endpoint_id}"


def new_event_id() -> str:
    """Return a fresh `webhook-id`."""
    return f"msg_{uuid.uuid4().hex}"


class Event(models.Model):
    """Something that happened, as receivers are told of it. Never changes."""

    id = models.CharField(max_length=40, primary_key=True, default=new_event_id, editable=False)
    type = models.CharField(max_length=60, editable=False)
    data = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.type} {self.id}"

    def body(self) -> bytes:
        """Return what is sent, the same bytes at every attempt."""
        happened = self.created_at.isoformat().replace("+00:00", "Z")
        return canonical_json({"type": self.type, "timestamp": happened, "data": self.data}).encode()


class Delivery(models.Model):
    """One event on its way to one endpoint. Not leased: the turn that serves its endpoint has it to itself."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        DELIVERED = "delivered", "Delivered"
        DEAD = "dead", "Dead letter"

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries", editable=False)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="deliveries", editable=False)
    status = models.CharField(max_length=12, choices=Status, default=Status.PENDING, editable=False)
    due_at = models.DateTimeField(default=timezone.now, editable=False, help_text="not tried before this time")
    n_attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    tried_at = models.DateTimeField(null=True, editable=False)
    response_status = models.PositiveSmallIntegerField(null=True, editable=False)
    response_excerpt = models.CharField(max_length=500, blank=True, editable=False)
    last_error = models.CharField(max_length=500, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name_plural = "deliveries"
        permissions = (("replay_delivery", "Can send dead letters again"),)
        constraints = (
            models.UniqueConstraint(fields=("event", "endpoint"), name="one_delivery_per_event_and_endpoint"),
            models.CheckConstraint(
                condition=Q(status__in=("pending", "delivered", "dead")), name="webhook_delivery_status"
            ),
        )
        indexes = (
            models.Index(fields=("-created_at", "-id"), name="webhook_newest"),
            models.Index(fields=("endpoint", "-created_at"), name="webhook_newest_of_endpoint"),
            models.Index(fields=("endpoint", "due_at"), condition=Q(status="pending"), name="webhook_due"),
            models.Index(fields=("endpoint", "created_at"), condition=Q(status="dead"), name="webhook_dead"),
        )

    def __str__(self) -> str:
        return f"{self.event_id} to {self.endpoint_id}"
