"""The demo shop: complete, in two languages, and loaded only once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring
from django.core.management import call_command

from catalog.cleaning import language_of
from catalog.demo import pictures
from catalog.demo.loading import load_demo
from catalog.models import CustomerReview, ImportRun, Product, ProductFact
from core.actors import SystemActor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def test_the_demo_shop_is_complete_in_both_languages(tmp_path: Path) -> None:
    runs = load_demo(actor=SystemActor("tests"))
    assert [run.n_bad + run.n_duplicates for run in runs] == [0, 0]
    products = list(Product.objects.prefetch_related("facts"))
    assert len(products) >= 44
    assert len({product.category.split(" > ")[0] for product in products}) >= 7
    for product in products:
        english = [fact for fact in product.facts.all() if fact.locale == "en"]
        chinese = [fact for fact in product.facts.all() if fact.locale == "zh-Hans"]
        assert 5 <= len(english) == len(chinese) <= 8, product.sku
        for ours, theirs in zip(english, chinese, strict=True):
            assert (ours.kind, ours.number) == (theirs.kind, theirs.number), (product.sku, ours, theirs)
            assert ours.unit == theirs.unit, (product.sku, ours, theirs)
        assert product.category.split(" > ")[1] in pictures.SHAPES
        assert language_of(product.title_for("zh-Hans")) == "zh-Hans"
        assert product.brand
        assert product.price
        svg = (tmp_path / product.image_url).read_text()
        assert fromstring(svg).tag.endswith("svg")
    assert ProductFact.objects.filter(kind="quantity").count() > 200


def test_the_reviews_are_many_linked_and_of_every_mood() -> None:
    load_demo(actor=SystemActor("tests"))
    reviews = CustomerReview.objects.all()
    assert reviews.count() >= 220
    assert reviews.filter(locale="zh-Hans").count() >= 60
    assert not reviews.filter(product=None).exists()
    assert set(reviews.exclude(rating=None).values_list("rating", flat=True).distinct()) == {1, 2, 3, 4, 5}


def test_loading_twice_changes_nothing_and_keeps_what_people_changed(capsys: Any) -> None:
    call_command("load_demo")
    Product.objects.filter(sku="KIT-101").update(title="Changed by hand")
    n_runs, n_facts = ImportRun.objects.count(), ProductFact.objects.count()
    call_command("load_demo")
    assert "there already" in capsys.readouterr().out
    assert (ImportRun.objects.count(), ProductFact.objects.count()) == (n_runs, n_facts)
    assert Product.objects.get(sku="KIT-101").title == "Changed by hand"


def test_each_kind_of_product_has_a_shape_of_its_own() -> None:
    assert len(set(pictures.SHAPES.values())) == len(pictures.SHAPES)
    red = pictures.draw(title="A & B <x>", category="Kitchen > Mugs", colour="red")
    assert "A &amp; B &lt;x&gt;" in red
    assert red != pictures.draw(title="A & B <x>", category="Kitchen > Mugs", colour="navy")
