"""The moderation app."""

from django.apps import AppConfig


class ModerationConfig(AppConfig):
    """The desk: drafts, checks, reviews, decisions, publication."""

    name = "moderation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the receivers of what labelling announces."""
        from moderation import receivers  # noqa: F401  (models must be loaded first)
