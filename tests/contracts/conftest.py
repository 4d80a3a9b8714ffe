"""Fixtures of the contract suites."""

from tests.model_store import prepared_models

__all__ = ["prepared_models"]
