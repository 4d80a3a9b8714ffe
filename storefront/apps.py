"""The storefront app."""

from django.apps import AppConfig


class StorefrontConfig(AppConfig):
    """Events of shoppers, experiments, recommendations, audiences, outcomes."""

    name = "storefront"
    default_auto_field = "django.db.models.BigAutoField"
