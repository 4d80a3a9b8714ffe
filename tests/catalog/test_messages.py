"""Messages of customers come in as feeds do: by key, by name, and without who wrote them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from catalog.importing import import_messages
from catalog.message_writes import pseudonym_of
from catalog.models import CustomerMessage, ImportRun
from core.actors import SystemActor
from tests import factories, people

pytestmark = pytest.mark.django_db
SHOP = SystemActor("tests")
WRITTEN = {
    "external_id": "M-1",
    "text": "Where is my kettle?\nOrdered on Monday.",
    "channel": "Email",
    "author": "kim@shop.example",
    "sku": "K-100",
    "received_at": "2026-03-01T09:30:00Z",
}


def _file(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    path = tmp_path / "messages.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _counts(run: ImportRun) -> tuple[int, int, int, int]:
    return run.n_created, run.n_updated, run.n_unchanged, run.n_bad


def test_a_message_is_kept_with_its_product_and_without_who_wrote_it(tmp_path: Path) -> None:
    product = factories.product(sku="K-100")
    call_command("import_messages", str(_file(tmp_path, WRITTEN)))
    kept = CustomerMessage.objects.get()
    assert (kept.product, kept.channel, kept.locale) == (product, "email", "en")
    assert kept.text == WRITTEN["text"]
    assert kept.received_at is not None
    assert kept.received_at.isoformat() == "2026-03-01T09:30:00+00:00"
    assert kept.author == pseudonym_of("kim@shop.example")
    assert len(kept.author) == 16
    assert "kim" not in kept.author
    client = Client()
    client.force_login(people.administrator())
    for name, args in (("changelist", []), ("change", [kept.pk])):
        page = client.get(reverse(f"admin:catalog_customermessage_{name}", args=args)).content
        assert b"Where is my kettle?" in page
        assert b"kim@shop" not in page


def test_a_file_brought_again_changes_what_differs_alone(tmp_path: Path) -> None:
    factories.product(sku="K-100")
    other = {"text": "电水壶什么时候到？", "channel": "chat"}
    assert _counts(import_messages(_file(tmp_path, WRITTEN, other), actor=SHOP)) == (2, 0, 0, 0)
    keys = set(CustomerMessage.objects.values_list("pk", flat=True))
    again = _file(tmp_path, {**WRITTEN, "text": "Where is it?"}, other)
    assert _counts(import_messages(again, actor=SHOP)) == (0, 1, 1, 0)
    assert set(CustomerMessage.objects.values_list("pk", flat=True)) == keys
    assert set(CustomerMessage.objects.values_list("text", "locale", "author")) == {
        ("Where is it?", "en", pseudonym_of("kim@shop.example")),
        ("电水壶什么时候到？", "zh-Hans", ""),
    }


def test_a_bad_row_is_named_by_its_line_and_not_by_its_words(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        {**WRITTEN, "channel": "pigeon"},
        {"text": "", "author": "kim@shop.example"},
        {**WRITTEN, "name": "Kim"},
        {**WRITTEN, "received_at": "yesterday"},
        {**WRITTEN, "external_id": "M-2", "sku": "NOWHERE"},
    )
    run = import_messages(path, actor=SHOP)
    assert _counts(run) == (1, 0, 0, 4)
    assert run.counts == {"messages about a product that is not there": 1}
    rows = list(csv.DictReader(Path(run.error_file).read_text(encoding="utf-8").splitlines()))
    assert [row["line"] for row in rows] == ["1", "2", "3", "4"]
    assert "none of email, chat, form, social, other" in rows[0]["reason"]
    assert "kim@shop" not in Path(run.error_file).read_text(encoding="utf-8")


def test_a_table_is_read_with_a_mapping(tmp_path: Path) -> None:
    table, rules = tmp_path / "desk.csv", tmp_path / "desk.toml"
    table.write_text("Ticket;Body;From;When\n7;Ist noch Garantie drauf? Is it under warranty?;ann;03/02/2026\n")
    rules.write_text(
        'delimiter = ";"\nlocale = "en"\n[fields]\nexternal_id = "Ticket"\ntext = "Body"\nauthor = "From"\n'
        'channel = { value = "form" }\nreceived_at = { column = "When", format = "%d/%m/%Y" }\n'
    )
    import_messages(table, mapping=rules, actor=SHOP)
    kept = CustomerMessage.objects.get()
    assert (kept.external_id, kept.channel, kept.author) == ("7", "form", pseudonym_of("ann"))
    assert kept.received_at is not None
    assert (kept.received_at.month, kept.received_at.day) == (2, 3)


def test_it_takes_the_permission_that_other_imports_take(tmp_path: Path) -> None:
    with pytest.raises(PermissionDenied):
        import_messages(_file(tmp_path, WRITTEN), actor=people.reviewer())
