"""The training app."""

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    """Offline: learns from decisions, and moves the names that serving follows."""

    name = "training"
    default_auto_field = "django.db.models.BigAutoField"
