"""A declared question about pictures: kept by triggers, drawn by lot, shown, answered by several people, taken out."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.models import Product, ProductPicture
from core.exceptions import PermanentError
from core.refs import ref
from labeling.label_config import check_task, validate
from labeling.models import Label
from labeling.question import answered_by_models, question
from moderation.decisions import settling
from moderation.label_exchange.exporting import export_labels
from moderation.models.predictions import Scoring
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out, languages
from monitoring.auditor import people as auditor
from monitoring.auditor.asking import Asked
from tests import factories, people
from training import label_checks, runs

pytestmark = pytest.mark.django_db
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "questions.md").read_text(encoding="utf-8")
IMAGE_SAFETY = PAGE.split("# /etc/ecomsite/questions/image_safety.yaml\n")[1].split("```")[0]


@pytest.fixture(autouse=True)
def image_safety(tmp_path: Path, settings: Any) -> Path:
    """One question more, about pictures: the one file of docs/questions.md, and its name in the settings."""
    path = tmp_path / "image_safety.yaml"
    path.write_text(IMAGE_SAFETY)
    settings.QUESTIONS_DIR = str(tmp_path)
    settings.QUESTIONS = {**settings.QUESTIONS, "image_safety": "questions.declared.image_safety"}
    return path


def _asked(picture: ProductPicture) -> ReviewItem:
    settling.open_reviews()
    factories.push_tasks()
    return ReviewItem.objects.get(question="image_safety", about=ref(picture), lead=None)


def _pictures(product: Product) -> dict[str, bool]:
    """Return the pictures of `product`, and whether it has each now."""
    return {one.address: one.removed_at is None for one in ProductPicture.objects.filter(product=product)}


def test_a_picture_has_a_row_however_its_product_was_written() -> None:
    product = factories.product(image_url="a.png")
    assert _pictures(product) == {"a.png": True}
    first = product.pictures.get()
    Product.objects.filter(pk=product.pk).update(title="Another")
    assert product.pictures.get() == first
    Product.objects.filter(pk=product.pk).update(image_url="https://shop.example/b.png")
    assert _pictures(product) == {"a.png": False, "https://shop.example/b.png": True}
    product.refresh_from_db()
    product.image_url = "a.png"
    product.save()
    assert _pictures(product) == {"a.png": True, "https://shop.example/b.png": False}
    assert product.pictures.get(address="a.png") == first
    product.image_url = ""
    product.save()
    assert _pictures(product) == {"a.png": False, "https://shop.example/b.png": False}
    assert not factories.product(image_url="").pictures.exists()
    product.delete()
    assert ProductPicture.objects.count() == 0


def test_its_page_shows_it_and_what_strangers_wrote_is_escaped() -> None:
    product = factories.product(title="Pan <script>alert(1)</script>", image_url="pan.png")
    asked = question("image_safety")
    validate(asked)
    data = asked.task_data(product.pictures.get())
    check_task(asked, data, asked.suggestions(product, label="nudity", model_version="m", score=0.6))
    assert '/media/pan.png" alt="The picture" referrerpolicy="no-referrer"' in data["picture_html"]
    assert "<script>" not in data["picture_html"]
    assert "&lt;script&gt;" in data["picture_html"]


@pytest.mark.parametrize("address", ["http://[half", "javascript:alert(1)//://", "data:text/html,x://"])
def test_one_that_nobody_can_look_at_is_shown_as_none(address: str) -> None:
    product = factories.product(image_url=address)
    shown = question("image_safety").task_data(product.pictures.get())["picture_html"]
    assert "No picture that can be shown" in shown
    assert "<img" not in shown


def test_it_is_drawn_answered_decided_shown_and_taken_out(tmp_path: Path) -> None:
    product = factories.product(sku="P-1", title="Iron pan", price="99.00", image_url="pan.png")
    gone = factories.product(image_url="old.png")
    Product.objects.filter(pk=gone.pk).update(image_url="")
    item = _asked(product.pictures.get())
    assert ReviewItem.objects.filter(question="image_safety").count() == 1  # what is shown no more is not asked about
    assert (item.strategy, item.locale, item.value) == ("random", "", 2)
    factories.answer(item, people.reviewer(), image_safety=["nudity", "violence"])
    assert settling.settle_decisions() == 1
    assert Label.objects.get().label == "nudity+violence"

    client = Client()
    client.force_login(people.senior())
    for name, key in (("panel", item.pk), ("adjudicate", item.pk), ("contested", None), ("my_work", None)):
        page = client.get(reverse(f"console:{name}", args=[key] if key else []))
        assert page.status_code == 200
        if key:
            assert b'src="/media/pan.png"' in page.content
            assert b"Picture of Iron pan (P-1)" in page.content
    client.force_login(people.administrator())
    for name in ("moderation_reviewitem_changelist", "moderation_decision_changelist"):
        assert b"Picture of Iron pan" in client.get(reverse(f"admin:{name}")).content, name
    assert b"pan.png" in client.get(reverse("admin:catalog_productpicture_changelist")).content
    row = reverse("admin:catalog_productpicture_change", args=[product.pictures.get().pk])
    assert client.get(row).headers["Location"] == reverse("admin:catalog_product_change", args=[product.pk])
    assert client.get(reverse("console:label_quality", args=["image_safety"])).status_code == 200
    target = tmp_path / "image_safety.jsonl"
    assert export_labels(target, question="image_safety", actor=people.ml_engineer()).n_rows == 1
    row = json.loads(target.read_text())
    assert (row["sku"], row["label"]) == ("P-1", "nudity+violence")
    assert row["address"].endswith("/media/pan.png")
    tables = {one.title: one for one in auditor.agreement(Asked()).tables}
    assert [row[0] for row in tables["Image safety: answers that were the label in the end"].rows] == ["–"]


def test_a_picture_elsewhere_is_not_loaded_by_the_console() -> None:
    product = factories.product(image_url="https://shop.example/pan.png")
    item = _asked(product.pictures.get())
    client = Client()
    client.force_login(people.senior())
    for name in ("panel", "adjudicate"):
        page = client.get(reverse(f"console:{name}", args=[item.pk])).content
        assert b'<img class="es-picture"' not in page
        assert b'href="https://shop.example/pan.png"' in page


def test_a_picture_that_is_gone_with_its_product_breaks_no_page() -> None:
    product = factories.product(image_url="pan.png")
    item = _asked(product.pictures.get())
    factories.answer(item, people.reviewer(), image_safety=["nudity"])
    product.delete()
    settling.settle_decisions()
    client = Client()
    client.force_login(people.administrator())
    assert client.get(reverse("admin:moderation_reviewitem_changelist")).status_code == 200
    for name in ("panel", "adjudicate"):
        assert b"not there any more" in client.get(reverse(f"console:{name}", args=[item.pk])).content


def test_several_people_agree_or_a_senior_looks(image_safety: Path) -> None:
    image_safety.write_text(IMAGE_SAFETY + "overlap: 2\n")
    pictures = [factories.product(image_url=f"{n}.png").pictures.get() for n in range(2)]
    for picture, said in zip(pictures, (["nudity"], ["violence"]), strict=True):
        lead = _asked(picture)
        seats = [lead, ReviewItem.objects.get(lead=lead)]
        for seat, answer in zip(seats, (["nudity"], said), strict=True):
            factories.answer(seat, people.reviewer(), image_safety=answer)
    settling.settle_decisions()
    assert Label.objects.get().subject == ref(pictures[0])
    assert ReviewItem.objects.get(purpose="adjudication").leading.about == ref(pictures[1])


def test_who_reads_one_language_is_offered_pictures_of_products_in_any() -> None:
    item = _asked(factories.product(title="平底锅", locale="zh-Hans", image_url="pan.png").pictures.get())
    reader = people.reviewer()
    languages.set_languages(reader, locales=["en"], actor=people.administrator())
    assert [one.pk for one in handing_out.waiting_for(reader)] == [item.pk]


def test_no_model_answers_learns_or_searches_for_wrong_labels() -> None:
    asked = question("image_safety")
    assert (asked.backend, asked.is_readable) == ("", False)
    assert asked not in answered_by_models()
    picture = factories.product(image_url="pan.png").pictures.get()
    assert not Scoring.objects.filter(question="image_safety").exists()
    assert asked.texts([ref(picture)]) == [""]
    with pytest.raises(PermanentError, match="No model reads a picture: people alone answer image_safety"):
        runs.plan("image_safety", reason="a test", actor=people.ml_engineer())
    made = [factories.product(image_url=f"{n}.png").pictures.get() for n in range(label_checks.FEWEST_LABELS)]
    Label.objects.bulk_create(
        Label(question="image_safety", subject=ref(one), label="none", method="single", labelled_at=timezone.now())
        for one in made
    )
    with pytest.raises(PermanentError, match="No model reads a picture"):
        label_checks.plan("image_safety", reason="a test", actor=people.ml_engineer())
    assert label_checks.plan_due() == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("recipe: {epochs: 3}", "recipe"),
        ("gate: {gain_points: 1}", "gate"),
        ("ask_below: 0.7", "ask_below"),
        ("daily_lot: 5", "daily_lot"),
        ("consensus: crowdlab", "consensus: crowdlab"),
    ],
)
def test_the_file_is_told_what_no_model_does(image_safety: Path, line: str, said: str) -> None:
    image_safety.write_text(f"{IMAGE_SAFETY}{line}\n")
    with pytest.raises(CommandError, match=f"{said}: no model reads a picture, people alone answer"):
        call_command("questions", "check", str(image_safety))


def test_the_command_and_the_page_say_that_people_alone_answer(image_safety: Path) -> None:
    out = StringIO()
    call_command("questions", "check", str(image_safety), stdout=out)
    assert "about a picture" in out.getvalue()
    assert "answered by people only, no model reads it" in out.getvalue()
    client = Client()
    client.force_login(people.administrator())
    page = client.get(reverse("console:questions")).content.decode()
    assert "about a picture · 0 labels · answered by people only" in page
    tried = client.post(reverse("console:questions"), {"text": IMAGE_SAFETY}).content.decode()
    assert "Answered by people only: no model reads one." in tried
