"""Live copy: one for each slot and variant; retired copy never comes back."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from catalog import selectors
from catalog.models import Channel, Locale, Product, ProductFact, PublishedCopy
from catalog.publishing import put_live, take_down
from catalog.slots import Slot
from core.exceptions import PermanentError, StaleState

pytestmark = pytest.mark.django_db


def _product(sku: str = "K-1", **values: Any) -> Product:
    return Product.objects.create(**{"sku": sku, "title": "Kettle", **values})


def _put(product: Product, text: str, **values: Any) -> PublishedCopy:
    slot = Slot(product, values.pop("channel", Channel.DESCRIPTION), Locale.EN, values.pop("audience", ""))
    defaults: dict[str, Any] = {
        "candidate_ref": f"moderation.candidate:{text}",
        "provenance": {"model": "m"},
        "ai_mark": {"label": "AI"},
        "now": timezone.now(),
    }
    return put_live(slot, text=text, **{**defaults, **values})


def test_newer_copy_retires_the_one_before_it_in_the_same_place_only() -> None:
    product = _product()
    first, other = _put(product, "one"), _put(product, "other", channel=Channel.AD_SLOGAN)
    second = _put(product, "two")
    assert set(selectors.live_copy_for(product)) == {second, other}
    first.refresh_from_db()
    assert first.retired_at is not None
    assert first.retired_reason


def test_publishing_the_same_candidate_twice_gives_the_copy_it_already_has() -> None:
    product = _product()
    assert _put(product, "one") == _put(product, "one")
    assert PublishedCopy.objects.count() == 1


def test_retired_copy_never_comes_back() -> None:
    product = _product()
    copy = _put(product, "one")
    take_down(copy, reason="recall", now=timezone.now())
    assert not selectors.live_copy_for(product).exists()
    with pytest.raises(PermanentError, match="retired"):
        _put(product, "one")
    with pytest.raises(StaleState):
        take_down(copy, reason="again", now=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_two_publications_at_once_leave_exactly_one_live() -> None:
    product = _product()
    errors: list[BaseException] = []

    def publish(n: int) -> None:
        try:
            _put(product, f"copy {n}")
        except BaseException as exc:
            errors.append(exc)
        finally:
            connection.close()

    threads = [threading.Thread(target=publish, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert selectors.live_copy_for(product).count() == 1
    assert PublishedCopy.objects.count() == 6


def test_products_are_found_by_every_word_in_either_language() -> None:
    kettle = _product("K-1", title="Copper Kettle", localized_titles={"zh-Hans": "铜制水壶"}, brand="Fenwick & Moor")
    _product("K-2", title="Steel Kettle", brand="Other")
    assert list(selectors.search_products("copper kettle")) == [kettle]
    assert list(selectors.search_products("水壶")) == [kettle]
    assert selectors.search_products("kettle").count() == 2
    assert list(selectors.search_products("kettle", brand="other").values_list("sku", flat=True)) == ["K-2"]


def test_facts_fall_back_to_the_language_of_the_title() -> None:
    product = _product()
    ProductFact.objects.create(product=product, locale="en", name="weight", value="1 kg")
    assert [fact.name for fact in selectors.facts_for(product, locale="zh-Hans")] == ["weight"]
    ProductFact.objects.create(product=product, locale="zh-Hans", name="重量", value="1 千克")
    product = Product.objects.get()
    assert [fact.name for fact in selectors.facts_for(product, locale="zh-Hans")] == ["重量"]
