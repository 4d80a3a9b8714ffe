"""The ledger app."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Append-only, hash-chained ledger of every move."""

    name = "audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system check."""
        from audit import system_checks  # noqa: F401  (registers on import)
