"""Load a class named by a dotted path in the settings, on first use, and check that it is what it claims to be."""

from __future__ import annotations

from typing import Any, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

T = TypeVar("T")


def load_class(path: str, base: type[T]) -> type[T]:
    """Import `path` and return it. Raises `ImproperlyConfigured` if it is absent or no subclass of `base`."""
    try:
        loaded: Any = import_string(path)
    except ImportError as exc:
        raise ImproperlyConfigured(f"cannot import {path!r}: {exc}") from exc
    if not (isinstance(loaded, type) and issubclass(loaded, base)):
        raise ImproperlyConfigured(f"{path!r} is not a {base.__module__}.{base.__qualname__}")
    return loaded
