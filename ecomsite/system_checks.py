"""System checks of the project: combinations of settings that must not go to production."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

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
    if not settings.LABELING["WEBHOOK_SECRET"]:
        return [
            Error("LABEL_STUDIO_WEBHOOK_SECRET is not set.", hint="Set it to a long random value.", id="ecomsite.E002")
        ]
    return []


@register(Tags.security, deploy=True)
def door_key_is_set(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E004: without a key no answer can be told from a forged one, and none counts."""
    if not settings.LABELING["DOOR_KEY"]:
        hint = "Set it to a long random value, the same for the desk and for the door in front of Label Studio."
        return [Error("LABEL_STUDIO_DOOR_KEY is not set.", hint=hint, id="ecomsite.E004")]
    return []


@register(Tags.compatibility)
def trackers_are_installed(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E003: a run of training would find out only after its snapshot is frozen. Not asked of machines without torch."""
    if find_spec("torch") is None:
        return []
    hint = "Install it where the training worker runs, or correct TRAINING_TRACKERS."
    problems = trackers.problems(settings.TRAINING["TRACKERS"])
    return [Error(f"TRAINING_TRACKERS: {words}.", hint=hint, id="ecomsite.E003") for words in problems]
