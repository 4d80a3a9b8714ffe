"""A slot: where a text stands, what is no slot, and which texts may be live in one at once."""

from __future__ import annotations

import dataclasses

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog import selectors
from catalog.models import PublishedCopy
from catalog.publishing import put_back, put_live, take_down
from catalog.slots import CONTROL, Slot, across, require_known
from core.exceptions import PermanentError, StaleState
from tests import factories as make
from tests.at_once import at_once

pytestmark = pytest.mark.django_db


def _put(slot: Slot, text: str, *, variant: str = CONTROL) -> PublishedCopy:
    return put_live(
        slot,
        variant=variant,
        text=text,
        candidate_ref=f"moderation.candidate:{text}",
        provenance={"model": "m"},
        ai_mark={"label": "AI"},
        now=timezone.now(),
    )


def test_a_slot_says_where_it_is_to_a_query_to_others_and_to_a_reader() -> None:
    product = make.product(sku="MUG-1")
    slot = Slot(product, "ad_slogan", "en", "members")
    assert slot.where() == {"product": product, "channel": "ad_slogan", "locale": "en", "audience": "members"}
    assert slot.as_event() == {"sku": "MUG-1", "channel": "ad_slogan", "locale": "en", "audience": "members"}
    assert str(slot) == "MUG-1 ad_slogan en for members"
    assert str(Slot(product, "ad_slogan", "en")) == "MUG-1 ad_slogan en"
    assert Slot.of(_put(slot, "One.")) == slot
    with pytest.raises(dataclasses.FrozenInstanceError):
        slot.channel = "description"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (("billboard", "en"), "Unknown channel: billboard. Choose from description, recommendation, ad_slogan."),
        (("description", "tlh"), "Unknown locale: tlh. Choose from en, zh-Hans."),
        (("description", "en", "New Members"), "“New Members” is no name of an audience. Use up to 40 small letters"),
        (("description", "en", "a" * 41), "is no name of an audience"),
        (("description", "en", "members\n"), "is no name of an audience"),
    ],
)
def test_what_is_no_slot_is_refused_with_the_way_out(place: tuple[str, ...], message: str) -> None:
    with pytest.raises(PermanentError) as refused:
        Slot(make.product(), *place)
    assert message in str(refused.value)


@pytest.mark.parametrize("name", ["", "Control", "-a", "a-", "b c", "x\x00", "é"])
def test_a_variant_has_a_name(name: str) -> None:
    with pytest.raises(PermanentError, match="is no name of a variant"):
        require_known(variant=name)


def test_slots_are_made_across_products_channels_and_locales() -> None:
    products = [make.product(), make.product()]
    slots = across(products, channels=["description", "ad_slogan"], locales=["en"], audience="members")
    assert [(slot.product, slot.channel) for slot in slots] == [
        (product, channel) for product in products for channel in ("description", "ad_slogan")
    ]
    assert {slot.audience for slot in slots} == {"members"}
    with pytest.raises(PermanentError, match="Unknown locale: none"):
        across(products, channels=["description"], locales=[])


def test_newer_copy_replaces_its_own_variant_for_its_own_audience_alone() -> None:
    product = make.product()
    everybody, members = Slot(product, "description", "en"), Slot(product, "description", "en", "members")
    first, bold = _put(everybody, "One."), _put(everybody, "Bold.", variant="bold")
    for_members = _put(members, "For members.")
    second = _put(everybody, "Two.")
    assert set(selectors.live_copy_for(product)) == {second, bold, for_members}
    first.refresh_from_db()
    assert first.retired_at is not None


def test_the_database_itself_allows_one_live_text_for_each_slot_and_variant() -> None:
    live = make.published_copy()
    other = make.candidate(request=make.generation_request(product_=live.product, round=2))
    with pytest.raises(IntegrityError, match="one_live_copy"), transaction.atomic():
        make.published_copy(other)
    make.published_copy(other, variant="bold")
    assert selectors.live_copy_for(live.product).count() == 2


@pytest.mark.django_db(transaction=True)
def test_publications_at_once_leave_one_live_in_each_variant() -> None:
    slot = Slot(make.product(), "description", "en")
    at_once(
        *[
            lambda n=n, variant=variant: _put(slot, f"{variant} {n}", variant=variant)
            for n in range(4)
            for variant in (CONTROL, "bold")
        ]
    )
    assert PublishedCopy.objects.count() == 8
    assert sorted(selectors.live_copy_for(slot.product).values_list("variant", flat=True)) == ["bold", CONTROL]


def test_what_is_put_back_comes_into_its_own_variant() -> None:
    slot = Slot(make.product(), "description", "en")
    bold = _put(slot, "Bold.", variant="bold")
    take_down(bold, reason="recall", now=timezone.now())
    control = _put(slot, "One.")
    again = put_back(bold, provenance={}, now=timezone.now())
    assert (again.variant, set(selectors.live_copy_for(slot.product))) == ("bold", {control, again})
    with pytest.raises(StaleState):
        put_back(bold, provenance={}, now=timezone.now())
