"""The project itself as an app: roles, system checks, the local stack's commands."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class EcomsiteConfig(AppConfig):
    """Wires everything; nobody imports it."""

    name = "ecomsite"

    def ready(self) -> None:
        """Register the system checks and keep the roles in step with the code."""
        from ecomsite import system_checks  # noqa: F401  (registers on import)
        from ecomsite.roles import sync_roles

        post_migrate.connect(sync_roles, dispatch_uid="ecomsite.sync_roles")
