"""The address of a picture that cannot be read stops no sweep and breaks no page; the console refuses it."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from catalog.models import Product
from core.refs import ref
from moderation.decisions import settling
from moderation.models.reviews import ReviewItem
from tests import factories, people

pytestmark = pytest.mark.django_db
UNREADABLE = ["http://[half", "//[x", "https://ex\u2100ample.com/a.png", "https://[::1"]


@pytest.fixture
def administrator() -> Client:
    """Somebody who may edit products."""
    client = Client()
    client.force_login(people.administrator())
    return client


@pytest.mark.parametrize("address", UNREADABLE)
def test_the_draft_is_asked_about_and_shown_without_it(administrator: Client, address: str) -> None:
    draft = factories.candidate("A mug.", status="in_review", rank=1)
    Product.objects.filter(pk=draft.product_id).update(image_url=address)
    assert settling.open_reviews() >= 1
    item = ReviewItem.objects.get(about=ref(draft))
    assert item.labeling_task is not None
    assert item.labeling_task.payload["image"].startswith(("data:image/svg", settings.SITE_URL))
    page = reverse("admin:moderation_candidate_change", args=[draft.pk])
    assert administrator.get(page, follow=True).status_code == 200


@pytest.mark.parametrize(
    "address", [*UNREADABLE, "javascript:alert(1)", "data:text/html,x", "../../etc/passwd", "ftp://x/y"]
)
def test_the_console_refuses_what_a_feed_may_not_say(administrator: Client, address: str) -> None:
    product = factories.product(image_url="before.png")
    page = reverse("admin:catalog_product_change", args=[product.pk])
    form = administrator.get(page).context["adminform"].form
    data: dict[str, Any] = {name: form.initial.get(name) or "" for name in form.fields}
    data |= {"localized_titles": "{}", "image_url": address}
    data |= {f"facts-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")}
    shown = administrator.post(page, data)
    assert shown.status_code == 200
    assert list(shown.context["adminform"].form.errors) == ["image_url"]
    product.refresh_from_db()
    assert product.image_url == "before.png"
