"""The outbox app."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    """Webhooks that go out: what happened is told to whoever subscribed, as often as it takes."""

    name = "outbox"
    default_auto_field = "django.db.models.BigAutoField"
