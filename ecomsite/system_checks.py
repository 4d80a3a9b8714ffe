"""System checks of the project: combinations of settings that must not go to production."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connection

from accounts.provider import is_safe
from ecomsite import table_rights
from ecomsite.roles import ROLES
from labeling import side_door
from labeling.question import answered_by_models
from training.trainers import trackers


@register(Tags.security, deploy=True)
def secret_key_is_set(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E001: a key made up at start would end every session with the process."""
    if settings.SECRET_KEY_IS_TEMPORARY:
        return [Error("SECRET_KEY is not set.", hint="Set SECRET_KEY or SECRET_KEY_FILE.", id="ecomsite.E001")]
    return []


@register(Tags.security, deploy=True)
def webhook_secret_is_set(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E002: without a secret no webhook of Label Studio can be told from a forged one."""
    if not settings.LABELING.webhook_secret:
        return [
            Error("LABEL_STUDIO_WEBHOOK_SECRET is not set.", hint="Set it to a long random value.", id="ecomsite.E002")
        ]
    return []


@register(Tags.security, deploy=True)
def tables_belong_to_somebody_else(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """W001: whoever owns the ledger's table can drop its triggers.

    Asks the database; says nothing while that is away.
    """
    try:
        is_owner = table_rights.desk_owns_the_ledger(connection)
    except DatabaseError:
        return []
    if not is_owner:
        return []
    return [
        Warning(
            "Web and workers connect as the owner of the tables, who can switch off what keeps the ledger append-only.",
            hint="Set DATABASE_OWNER_URL and another role in DATABASE_URL: the runbook, “Roles of the database”.",
            id="ecomsite.W001",
        )
    ]


@register(Tags.security, deploy=True)
def door_key_is_set(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E004: without its key the door lets nobody in, and no answer can be shown to be anybody's."""
    if not settings.LABELING.door_key:
        return [Error("LABEL_STUDIO_DOOR_KEY is not set.", hint="Set it to a long random value.", id="ecomsite.E004")]
    return []


@register(Tags.security, deploy=True)
def no_way_leads_around_the_door(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """W002: Label Studio answers people who did not come through the door.

    One that does not answer at all is no way.
    """
    found = side_door.look()
    return [Warning(found.around, hint=found.hint, id="ecomsite.W002")] if found.around else []


@register(Tags.compatibility)
def trackers_are_installed(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E003: a run of training would find out only after its snapshot is frozen. Not asked of machines without torch."""
    if find_spec("torch") is None:
        return []
    hint = "Install it where the training worker runs, or correct TRAINING_TRACKERS."
    problems = trackers.problems(settings.TRAINING.trackers)
    return [Error(f"TRAINING_TRACKERS: {words}.", hint=hint, id="ecomsite.E003") for words in problems]


@register(Tags.security)
def second_factor_roles_exist(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E006: a role that is misspelt there would be asked for nothing."""
    unknown = [name for name in settings.ACCOUNTS.second_factor_roles if name not in ROLES]
    hint = f"Choose from {', '.join(ROLES)}."
    return [Error(f"SECOND_FACTOR_ROLES: there is no role {name}.", hint=hint, id="ecomsite.E006") for name in unknown]


@register(Tags.compatibility)
def labels_of_the_gate_exist(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E007: a label that is misspelt there would be judged by the margin of all the others."""
    known = {label for one in answered_by_models() for label in one.labels}
    named = {"GATE_LABEL_MARGINS": "label_margins", "GATE_LABEL_COSTS": "label_costs"}
    hint = f"Choose from {', '.join(sorted(known))}."
    return [
        Error(f"{variable}: no question has the label {label}.", hint=hint, id="ecomsite.E007")
        for variable, key in named.items()
        for label in settings.TRAINING.gate[key]
        if label not in known
    ]


@register(Tags.security)
def provider_is_safe(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E005: half a single sign-on, or one whose secrets would pass the network in the clear."""
    oidc = settings.ACCOUNTS.oidc
    hint = "Set OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET, or none of them (docs/settings.md)."
    needed = (oidc.issuer, oidc.client_id, oidc.client_secret)
    if any(needed) and not all(needed):
        return [Error("Single sign-on is set in part.", hint=hint, id="ecomsite.E005")]
    if oidc.issuer and not is_safe(oidc.issuer):
        return [
            Error("OIDC_ISSUER is no https:// address.", hint="Plain HTTP is for this machine.", id="ecomsite.E005")
        ]
    return []


@register(Tags.security, deploy=True)
def clients_can_be_told_apart(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """W003: behind a proxy everybody has its address, and a few wrong passwords lock everybody out."""
    if settings.SECURE_PROXY_SSL_HEADER and not settings.ACCOUNTS.proxies:
        hint = "Set CLIENT_ADDRESS_PROXIES to the number of proxies of yours that append to X-Forwarded-For."
        return [Warning("All clients have the address of the proxy.", hint=hint, id="ecomsite.W003")]
    return []
