"""Accounts: sign-in, second factors, sessions, and in whose hands an account is."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Knows people as Django's users; what they may do is said by their roles."""

    name = "accounts"

    def ready(self) -> None:
        """Erase here what is erased there."""
        from accounts import receivers  # noqa: F401  (connects on import)
