"""The training app."""

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    """Offline: learns from decisions, and moves the names that serving follows."""

    name = "training"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the receivers of what the ledger announces."""
        from training import receivers  # noqa: F401  (models must be loaded first)
