"""The roles and what each may do. Kept in code: `migrate` makes the groups and sets their permissions to this table."""

from __future__ import annotations

from typing import Any

READ_ALL = (
    "audit.view_ledgerentry", "catalog.view_product", "catalog.view_productfact", "catalog.view_customerreview",
    "catalog.view_publishedcopy", "catalog.view_importrun", "inference.view_modelversion", "inference.view_modelalias",
    "labeling.view_labelingproject", "labeling.view_labelingtask", "labeling.view_annotation", "labeling.view_consensus",
    "labeling.view_webhookevent", "labeling.view_completenessproof",
    "outbox.view_endpoint", "outbox.view_event", "outbox.view_delivery",
    "moderation.view_generationrequest", "moderation.view_candidate",
    "moderation.view_finding", "moderation.view_score", "moderation.view_sentiment", "moderation.view_reviewitem",
    "moderation.view_decision", "monitoring.view_quarantine",
)  # fmt: skip
READ_WORK = (
    "catalog.view_product", "catalog.view_productfact", "catalog.view_customerreview", "catalog.view_publishedcopy",
    "moderation.view_candidate", "moderation.view_finding", "moderation.view_score", "moderation.view_sentiment",
    "moderation.view_reviewitem", "moderation.view_decision", "moderation.view_generationrequest",
)  # fmt: skip

ROLES: dict[str, tuple[str, ...]] = {
    "Reviewer": (*READ_WORK, "moderation.review_item"),
    "Senior reviewer": (
        *READ_WORK,
        "moderation.review_item",
        "moderation.review_escalated_item",
        "moderation.overrule_block",
        "moderation.request_copy",
        "catalog.publish_copy",
        "catalog.retire_copy",
        "moderation.audit_candidate",
    ),
    "Auditor": (*READ_ALL, "audit.verify_ledger", "moderation.audit_candidate"),
    "ML engineer": (
        *READ_ALL,
        "inference.register_model",
        "inference.promote_model",
        "moderation.request_copy",
        "monitoring.readmit",
    ),
    "Administrator": (
        *READ_ALL,
        "audit.verify_ledger",
        "moderation.audit_candidate",
        "moderation.request_copy",
        "moderation.set_queue_policy",
        "monitoring.readmit",
        "catalog.retire_copy",
        "outbox.manage_endpoint",
        "outbox.replay_delivery",
        "catalog.add_product",
        "catalog.change_product",
        "catalog.add_productfact",
        "catalog.change_productfact",
        "catalog.delete_productfact",
        "auth.view_user",
        "auth.add_user",
        "auth.change_user",
        "auth.view_group",
    ),
}


def sync_roles(**kwargs: Any) -> None:
    """Make the groups of `ROLES` hold exactly their permissions. Connected to `post_migrate`; safe to repeat."""
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Group, Permission

    if sender := kwargs.get("sender"):
        # Our receiver may be called before the one that makes this app's permissions.
        create_permissions(sender, verbosity=0)
    held = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    for name, wanted in ROLES.items():
        if missing := [codename for codename in wanted if codename not in held]:
            # Permissions are made app by app while migrating; the last app's signal finds them all.
            if kwargs.get("sender") is None:
                raise LookupError(f"role {name}: unknown permissions {missing}")
            continue
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set([held[codename] for codename in wanted])
