"""Files about pictures and messages with odd names, of other installations, and with words that are not to be kept."""

from __future__ import annotations

import json
import random
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from catalog.importing import import_messages, import_products
from catalog.models import CustomerMessage, Product, ProductPicture
from core.actors import SystemActor
from core.exceptions import PermanentError
from core.refs import ref
from labeling.models import Label
from labeling.question import question
from moderation import message_erasure
from moderation.decisions import settling
from moderation.label_exchange import agreement
from moderation.label_exchange.exporting import export_labels
from moderation.label_exchange.importing import File, import_labels, never_asked
from moderation.label_exchange.preview import preview_labels
from moderation.label_exchange.records import Rules
from moderation.message_erasure import erase_messages
from moderation.models.reviews import ReviewItem
from tests import factories, people
from tests.questions.test_about_messages import intent
from tests.questions.test_about_pictures import image_safety

__all__ = ["image_safety", "intent"]
pytestmark = pytest.mark.django_db
SHOP = SystemActor("tests")


def _lines(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _labels(tmp_path: Path, name: str, *rows: dict[str, Any]) -> File:
    return File(_lines(tmp_path, *rows), Rules(question=name))


def test_a_picture_whose_address_no_index_holds_is_kept_and_comes_back(tmp_path: Path) -> None:
    draw = random.Random(7)
    address = "https://shop.example/" + "".join(chr(draw.randrange(0x4E00, 0x9FFF)) for _ in range(950))
    file = _lines(tmp_path, {"sku": "A", "title": "Pan", "image_url": address}, {"sku": "B", "title": "Pot"})
    run = import_products(file, actor=SHOP)
    assert (run.n_created, run.n_bad) == (2, 0)
    for shown in ("", address):
        Product.objects.filter(sku="A").update(image_url=shown)
    kept = ProductPicture.objects.get()
    assert (kept.address, kept.removed_at) == (address, None)


@pytest.mark.parametrize("name", ["José García", "  Ann  Lee ", "O&#39;Brien", "a\u200bnn@shop.example"])
@pytest.mark.parametrize("by", ["author", "external_id"])
def test_messages_are_erased_by_the_name_that_the_file_says(tmp_path: Path, name: str, by: str) -> None:
    name = unicodedata.normalize("NFD", name)
    import_messages(_lines(tmp_path, {"text": "Where is it?", by: name}), actor=SHOP)
    by_name: dict[str, Any] = {by: name}
    assert erase_messages(**by_name, actor=people.administrator(), reason="they asked").n_messages == 1


def test_a_name_of_nothing_erases_nobody() -> None:
    factories.customer_message(author="")
    with pytest.raises(PermanentError, match="no such message"):
        erase_messages(author="\u200b", actor=people.administrator(), reason="they asked")
    assert CustomerMessage.objects.count() == 1


@pytest.mark.parametrize("key", ["\ud800", "a\x00b", "x" * 100_000])
def test_a_key_that_no_column_holds_is_one_bad_row(tmp_path: Path, key: str) -> None:
    message = factories.customer_message()
    file = _labels(
        tmp_path, "intent", {"external_id": key, "label": "parcel"}, {"subject": ref(message), "label": "money"}
    )
    assert preview_labels(file, actor=people.administrator()).n_bad == 1
    run = import_labels(file, actor=people.administrator())
    assert (run.n_created, run.n_bad) == (1, 1)


@pytest.mark.parametrize("key", ["99999999999999999999999", "-1", "9" * 5000, "\x00", "1.5", "True"])
def test_a_reference_to_no_picture_is_one_bad_row(tmp_path: Path, key: str) -> None:
    picture = factories.product(image_url="pan.png").pictures.get()
    rows = [{"subject": one, "label": "nudity"} for one in (f"catalog.productpicture:{key}", ref(picture))]
    file = _labels(tmp_path, "image_safety", *rows)
    assert preview_labels(file, actor=people.administrator()).n_bad == 1
    run = import_labels(file, actor=people.administrator())
    assert (run.n_created, run.n_bad) == (1, 1)


@pytest.mark.parametrize("key", ["Café  7", "-7", "'7"])
def test_a_message_is_found_by_the_key_that_its_own_file_said(tmp_path: Path, key: str) -> None:
    key = unicodedata.normalize("NFD", key)
    import_messages(_lines(tmp_path, {"text": "Where is it?", "external_id": key}), actor=SHOP)
    file = _labels(tmp_path, "intent", {"external_id": key, "label": "parcel"})
    assert import_labels(file, actor=people.administrator()).n_created == 1


def test_a_picture_of_another_installation_is_not_taken_for_one_of_ours(tmp_path: Path, settings: Any) -> None:
    """Their number is somebody's here, too: what they said of a pan is not said of a kettle."""
    product = factories.product(sku="K-1", image_url="kettle.png")
    picture = product.pictures.get()
    Label.objects.create(
        question="image_safety", subject=ref(picture), label="nudity", method="single", labelled_at=timezone.now()
    )
    target = tmp_path / "out.jsonl"
    export_labels(target, question="image_safety", actor=people.ml_engineer())
    Label.objects.all().delete()
    settings.SITE_URL = "https://moved.example"
    row = json.loads(target.read_text())
    row = {name: row[name] for name in ("subject", "sku", "address", "label")}
    theirs = {**row, "sku": "P-9"}, {**row, "address": "https://shop.example/pan.png"}
    file = _labels(tmp_path, "image_safety", *theirs)
    preview = preview_labels(file, actor=people.administrator())
    assert (preview.n_bad, preview.n_known) == (2, 0)
    assert "is another picture here than the row says" in next(iter(preview.reasons))
    run = import_labels(file, actor=people.administrator())
    assert (run.n_created, run.n_bad) == (0, 2)
    assert import_labels(_labels(tmp_path, "image_safety", row), actor=people.administrator()).n_created == 1


def test_a_picture_that_is_shown_no_more_is_labelled_and_asks_nobody(tmp_path: Path) -> None:
    product = factories.product(image_url="old.png")
    old = product.pictures.get()
    Product.objects.filter(pk=product.pk).update(image_url="new.png")
    new = product.pictures.get(removed_at=None)
    rows = [{"subject": ref(one), "label": "nudity", "rater": "ann"} for one in (old, new)]
    run = import_labels(_labels(tmp_path, "image_safety", *rows), actor=people.administrator())
    assert run.n_created == 2
    assert list(agreement.askable(run)) == [new]
    assert list(never_asked(question("image_safety"), [ref(old), ref(new)])) == [ref(new)]


def test_of_an_erased_message_no_word_is_left_in_any_table_or_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_erasure.erasure, "blank_there", lambda tasks: None)
    written = {"text": "My zyxwick kettle leaks.", "author": "kim.zyxwick@shop.example", "external_id": "M-1"}
    import_messages(_lines(tmp_path, written, {**written, "external_id": "M-2", "channel": "pigeon"}), actor=SHOP)
    message = CustomerMessage.objects.get()
    settling.open_reviews()
    factories.push_tasks()
    item = ReviewItem.objects.get(question="intent", about=ref(message), lead=None)
    factories.answer(item, people.reviewer(), intent="parcel")
    settling.settle_decisions()
    told = {"external_id": "M-1", "text": written["text"], "label": "no such label"}
    run = import_labels(_labels(tmp_path, "intent", told, {**told, "label": "parcel"}), actor=people.administrator())
    assert "zyxwick" not in Path(run.error_file).read_text()
    erase_messages(author=written["author"], actor=people.administrator(), reason="they asked")
    with connection.cursor() as cursor:
        for table in connection.introspection.django_table_names(only_existing=True):
            cursor.execute(f'SELECT count(*) FROM "{table}" AS one WHERE one::text LIKE %s', ["%zyxwick%"])
            assert cursor.fetchone() == (0,), table
