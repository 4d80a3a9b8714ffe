"""The policy as it was at any moment: immutable versions of it, and when which was put in force."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class PolicyVersion(models.Model):
    """The whole policy as data: every rule of every pack, the facts graph, and which checks in which version.

    Append-only by trigger. The same content is the same version, whoever loads it.
    """

    number = models.PositiveIntegerField(unique=True, editable=False)
    content_hash = models.CharField(
        max_length=64, unique=True, editable=False, help_text="SHA-256 of the canonical JSON of the content"
    )
    content = models.JSONField(editable=False, help_text="packs, facts graph, and the versions of the checks")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-number",)
        permissions = (("activate_policy", "Can put a policy version in force"),)

    def __str__(self) -> str:
        return f"policy {self.number}"


class PolicyActivation(models.Model):
    """A version was put in force. It stays so until the next activation: one version at any moment.

    Append-only by trigger.
    """

    version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="activations", editable=False)
    at = models.DateTimeField(editable=False)
    # An account is never deleted; none: the software itself, at first start and after an update.
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    reason = models.CharField(max_length=500, editable=False)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"policy {self.version.number} from {self.at:%Y-%m-%d %H:%M}"
