"""The moderation app."""

from typing import Any

from django.apps import AppConfig
from django.db import connection
from django.db.models.signals import post_migrate


class ModerationConfig(AppConfig):
    """The desk: drafts, checks, reviews, decisions, publication."""

    name = "moderation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the receivers of what labelling announces, and see to it that a policy is in force."""
        from moderation import receivers  # noqa: F401  (models must be loaded first)

        post_migrate.connect(_have_a_policy, sender=self, dispatch_uid="moderation.have_a_policy")


def _have_a_policy(**kwargs: Any) -> None:
    """Put the first policy in force at first start, and note new versions of checks after an update."""
    from moderation.policy_versions import policy_in_force

    # A migration that stops half way has no tables for it yet; whoever screens first does it then.
    if {"moderation_policyactivation", "audit_ledgerentry"} <= set(connection.introspection.table_names()):
        policy_in_force()
