"""The roles and what each may do. Kept in code: `migrate` makes the groups and sets their permissions to this table."""

from __future__ import annotations

from typing import Any

READ_ALL = (
    "audit.view_ledgerentry",
    "audit.view_treehead",
    "audit.view_timestamp",
    "audit.view_ledgerkey",
    "audit.view_ledgercheck",
    "catalog.view_product",
    "catalog.view_productfact",
    "catalog.view_productpicture",
    "catalog.view_factevidence",
    "catalog.view_customerreview",
    "catalog.view_customermessage",
    "catalog.view_hiddenreview",
    "catalog.view_publishedcopy",
    "catalog.view_importrun",
    "inference.view_modelversion",
    "inference.view_modelalias",
    "labeling.view_labelingproject",
    "labeling.view_labelingtask",
    "labeling.view_annotation",
    "labeling.view_consensus",
    "labeling.view_webhookevent",
    "labeling.view_completenessproof",
    "labeling.view_vote",
    "labeling.view_label",
    "labeling.view_labelcheck",
    "labeling.view_labelissue",
    "labeling.view_drift",
    "labeling.view_tasklease",
    "outbox.view_endpoint",
    "outbox.view_event",
    "outbox.view_delivery",
    "moderation.view_generationrequest",
    "moderation.view_candidate",
    "moderation.view_finding",
    "moderation.view_prediction",
    "moderation.view_reviewitem",
    "moderation.view_decision",
    "moderation.view_policyversion",
    "moderation.view_retroscan",
    "moderation.view_appeal",
    "monitoring.view_quarantine",
    "monitoring.view_alert",
    "monitoring.view_refusal",
    "monitoring.view_markcheck",
    "questions.view_questionversion",
    "storefront.view_experiment",
    "training.view_trainingrun",
    "training.view_datasetsnapshot",
    "training.view_evaluationreport",
)
READ_WORK = (
    "catalog.view_product",
    "catalog.view_productfact",
    "catalog.view_productpicture",
    "catalog.view_factevidence",
    "catalog.view_customerreview",
    "catalog.view_customermessage",
    "catalog.view_hiddenreview",
    "catalog.view_publishedcopy",
    "moderation.view_candidate",
    "moderation.view_finding",
    "moderation.view_prediction",
    "moderation.view_reviewitem",
    "moderation.view_decision",
    "moderation.view_generationrequest",
    "moderation.view_policyversion",
    "moderation.view_appeal",
)

ROLES: dict[str, tuple[str, ...]] = {
    "Reviewer": (*READ_WORK, "moderation.review_item", "moderation.appeal_decision"),
    "Senior reviewer": (
        *READ_WORK,
        "labeling.view_label",
        "labeling.view_labelissue",
        "moderation.review_item",
        "moderation.review_escalated_item",
        "moderation.check_decision",
        "moderation.appeal_decision",
        "moderation.judge_appeal",
        "moderation.overrule_block",
        "moderation.set_gold",
        "moderation.request_copy",
        "catalog.publish_copy",
        "catalog.retire_copy",
        "storefront.view_experiment",
        # What wins goes out to everybody: decided by who may let copy out, not by who ran it.
        "storefront.decide_experiment",
        "catalog.show_review",
        "moderation.view_retroscan",
        "moderation.audit_candidate",
        "audit.read_sealed",
    ),
    # Whose text it was, or whose shop: learns what is hidden, appeals through the API, and sees nothing of the desk.
    "Merchant": ("catalog.view_hiddenreview", "moderation.appeal_decision"),
    "Auditor": (*READ_ALL, "audit.verify_ledger", "audit.read_sealed", "moderation.audit_candidate"),
    "ML engineer": (
        *READ_ALL,
        "inference.register_model",
        "inference.promote_model",
        "training.train_model",
        "storefront.run_experiment",
        "moderation.request_copy",
        "moderation.set_gold",
        "labeling.check_labels",
        "labeling.import_labels",
        "labeling.export_labels",
        "monitoring.readmit",
        "monitoring.acknowledge_alert",
    ),
    "Administrator": (
        *READ_ALL,
        "audit.verify_ledger",
        "audit.read_sealed",
        "audit.rotate_ledger_key",
        "audit.erase_person",
        "moderation.audit_candidate",
        "moderation.request_copy",
        "moderation.set_queue_policy",
        "storefront.run_experiment",
        "moderation.activate_policy",
        "questions.load_question",
        "moderation.run_retroscan",
        "moderation.set_gold",
        "labeling.check_labels",
        "labeling.import_labels",
        "labeling.export_labels",
        "monitoring.readmit",
        "monitoring.acknowledge_alert",
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
