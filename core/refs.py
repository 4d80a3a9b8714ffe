"""Opaque references across layers: `app.model:<pk>`, a string where a foreign key would point upward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models import Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Concat


def ref(obj: models.Model) -> str:
    """Return the reference of a saved row, e.g. `moderation.candidate:5f0c…`."""
    # Asked of the row, not of its class: `request.user` is a wrapper whose class is no model.
    return ref_to(obj._meta.model, obj.pk)


def ref_to(model: type[models.Model], pk: object) -> str:
    """Return the reference of the row of `model` whose key is `pk`."""
    return f"{model._meta.label_lower}:{pk}"


def ref_in_sql(model: type[models.Model], key: Combinable) -> Concat:
    """Return the reference of the row of `model` whose key is `key`, to compare with in a query."""
    return Concat(Value(ref_to(model, "")), Cast(key, models.CharField()))


def keys_of(references: Sequence[str], model: type[models.Model]) -> list[Any]:
    """Return the keys inside those of `references` that point at `model`, as its primary key holds them.

    Raises `ValidationError` for one that can be no key of it.
    """
    prefix, key = f"{model._meta.label_lower}:", model._meta.pk
    return [key.to_python(one.removeprefix(prefix)) for one in references if one.startswith(prefix)]


def pk_of(reference: str, model: type[models.Model]) -> str:
    """Return the primary key inside `reference`. Raises `ValueError` when it points at another model."""
    label, _, pk = reference.partition(":")
    if label != model._meta.label_lower or not pk:
        raise ValueError(f"{reference!r} does not point at {model._meta.label_lower}")
    return pk
