"""References across layers: written of a row and read back, whatever wraps the row."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils.functional import SimpleLazyObject

from core.refs import pk_of, ref, ref_to


def test_a_reference_names_model_and_key() -> None:
    assert ref(User(pk=7)) == ref_to(User, 7) == "auth.user:7"
    assert pk_of("auth.user:7", User) == "7"


def test_the_user_of_a_request_is_named_like_the_user() -> None:
    # `request.user` is a lazy wrapper, and its class is no model.
    assert ref(SimpleLazyObject(lambda: User(pk=7))) == "auth.user:7"  # type: ignore[arg-type]


def test_a_reference_to_another_model_is_refused() -> None:
    with pytest.raises(ValueError, match="does not point at"):
        pk_of("catalog.product:7", User)
