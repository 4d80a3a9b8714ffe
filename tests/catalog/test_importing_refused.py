"""Imports of what cannot be taken: named and survived, told by the exit status, with nothing else changed."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog import importing
from catalog.cleaning import clean_line
from catalog.feeds.base import FeedRow, ProductRecord
from catalog.import_writes import write_products
from catalog.importing import import_products, import_reviews
from catalog.models import CustomerReview, ImportRun, Product
from core.actors import SystemActor
from core.exceptions import PermanentError
from tests.feed_files import file_of

pytestmark = pytest.mark.django_db

ACTOR = SystemActor("tests")


def _errors(run: ImportRun) -> dict[int, str]:
    if not run.error_file:
        return {}
    with Path(run.error_file).open(newline="") as stream:
        return {int(row["line"]): row["reason"] for row in csv.DictReader(stream)}


def _skus() -> set[str]:
    return set(Product.objects.values_list("sku", flat=True))


def test_a_currency_that_no_column_holds_costs_its_row_alone(tmp_path: Path) -> None:
    lines = [
        {"sku": "A", "title": "Linen towel", "price": 12, "currency": "EUR"},
        {"sku": "B", "title": "Cotton towel", "price": 9.5, "currency": "EURO"},
        {"sku": "C", "title": "Cloth", "price": 9.5, "currency": "E\x00R"},
        {"sku": "D", "title": "Bath mat", "price": 20, "currency": "EUR"},
    ]
    run = import_products(file_of(tmp_path, "p.jsonl", "".join(json.dumps(line) + "\n" for line in lines)), actor=ACTOR)
    assert (run.status, set(_errors(run)), _skus()) == (ImportRun.Status.COMPLETED, {2, 3}, {"A", "D"})


def test_a_row_that_the_database_refuses_is_named_and_the_others_go_in(tmp_path: Path) -> None:
    def writes(rows: Sequence[FeedRow[ProductRecord]], run: ImportRun) -> Any:
        # Past every check.
        odd = {"A-7": "EURO", "A-311": "E\x00R"}
        return write_products(
            [
                row._replace(record=row.record._replace(currency=odd.get(row.record.sku, "EUR")))
                for row in rows
                if row.record
            ],
            run,
        )

    lines = "".join(f"A-{n},The cup {n}\n" for n in range(500))
    path = file_of(tmp_path, "p.csv", f"sku,title\n{lines}")
    with patch.object(importing, "write_products", writes):
        run = import_products(path, actor=ACTOR)
    assert (run.status, run.n_created, run.n_bad) == (ImportRun.Status.COMPLETED, 498, 2)
    errors = _errors(run)
    assert set(errors) == {9, 313}
    assert all("the database does not take it" in reason for reason in errors.values())
    assert not _skus() & {"A-7", "A-311"}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"n\xe9me.csv", "n?me.csv"),
        (b"[bold] [x].csv", "[bold] [x].csv"),
        (b"a\nb.csv", "a?b.csv"),
        (b"=c.csv", "=c.csv"),
    ],
)
def test_a_file_of_any_name_is_imported(name: bytes, shown: str, tmp_path: Path, capsys: Any) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.write_text("sku,title\nA,Cup\n")
    call_command("import_products", str(path))
    assert f"products from {shown}" in capsys.readouterr().out
    assert ImportRun.objects.get().file_name == shown


def test_a_feed_that_breaks_off_fails_each_time_and_keeps_what_came_before(tmp_path: Path) -> None:
    items = "".join(f"<item><g:id>{n}</g:id><title>Cup {n}</title></item>" for n in range(250))
    path = file_of(tmp_path, "p.xml", f'<rss xmlns:g="http://base.google.com/ns/1.0">{items}<item></oops>')
    for n in (1, 2):
        with pytest.raises(PermanentError, match="could not be read to its end: line 1"):
            import_products(path, actor=ACTOR)
        assert ImportRun.objects.count() == n
        run = ImportRun.objects.latest("started_at")
        assert (run.status, run.n_bad) == (ImportRun.Status.FAILED, 1)
        assert (run.n_created, run.n_unchanged) == ((250, 0) if n == 1 else (0, 250))


def test_an_import_of_which_nothing_was_taken_fails(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="not one row was taken"):
        call_command("import_products", str(file_of(tmp_path, "p.csv", "sku,title\nA,\nB,\n")))


def test_reviews_of_products_that_are_not_there_are_counted(tmp_path: Path, capsys: Any) -> None:
    path = file_of(tmp_path, "r.jsonl", '{"text": "This is good", "sku": "NOT-THERE"}\n{"text": "It is fine"}\n')
    assert import_reviews(path, actor=ACTOR).counts == {"reviews of a product that is not there": 1}
    call_command("import_reviews", str(path))
    assert "reviews of a product that is not there: 1" in capsys.readouterr().out


def test_a_decimal_comma_is_said_of_a_fact_of_any_name(tmp_path: Path) -> None:
    line = '{"sku": "A", "title": "The cup", "facts": {"w\\u0000\\ud800": "0,5 kg"}}\n'
    assert import_products(file_of(tmp_path, "p.jsonl", line), actor=ACTOR).counts == {
        "rows read with a decimal comma in w": 1
    }


def test_a_mapping_is_refused_by_a_format_that_takes_none(tmp_path: Path) -> None:
    mapping = file_of(tmp_path, "m.toml", '[fields]\nsku = "a"\ntitle = "b"\n')
    with pytest.raises(PermanentError, match="takes no mapping of columns"):
        import_products(file_of(tmp_path, "p.xml", "<rss/>"), mapping=mapping, feed_format="merchant_xml", actor=ACTOR)


ODD = st.sampled_from(
    [
        "",
        "\x00",
        "\ud800",
        "EURO",
        "1,299",
        "0,5 kg",
        "5/5",
        "99999999999999.9999999",
        "0001-01-01T00:00:00+02:00",
        "x" * 600,
        "a\nb",
        '"',
        "=1+1",
        "1e400",
        "9999-12-31T23:59:59-05:00",
        "110/240 V",
        "de",
        "zh",
        "&region=",
        "<M",
        "4.01E+12",
        "\\N",
    ]
)
VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    ODD,
    st.text(max_size=40),
    st.lists(ODD, max_size=3),
    st.dictionaries(st.sampled_from(["en", "zh-Hans", "de", "x", "amount", "w\x00", "\ud800"]), ODD, max_size=2),
)
NAMES = ["title", "locale", "brand", "category", "description", "price", "currency", "image_url", "facts"]
LINES = st.lists(
    st.fixed_dictionaries({"sku": st.sampled_from(["A", "B", "C"]) | VALUE}, optional=dict.fromkeys(NAMES, VALUE)),
    min_size=1,
    max_size=6,
)
REVIEWS = st.lists(
    st.fixed_dictionaries(
        {"text": st.just("Good") | VALUE},
        optional=dict.fromkeys(("external_id", "sku", "locale", "title", "rating", "written_at"), VALUE),
    ),
    min_size=1,
    max_size=6,
)
AT_RANDOM = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def _state() -> dict[str, Any]:
    fields = [field.name for field in Product._meta.concrete_fields]
    return {
        product.sku: ([getattr(product, name) for name in fields], sorted(product.facts.values_list("name", "value")))
        for product in Product.objects.all()
    }


@AT_RANDOM
@given(LINES)
def test_an_import_never_ends_in_a_traceback_and_changes_what_it_took_alone(tmp_path: Path, lines: list[Any]) -> None:
    Product.objects.all().delete()
    import_products(file_of(tmp_path, "before.csv", "sku,title\nA,Cup\nB,Plate\nZ,Kept\n"), actor=ACTOR)
    before = _state()
    path = file_of(tmp_path, "p.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    run = import_products(path, actor=ACTOR)
    assert run.status == ImportRun.Status.COMPLETED
    assert run.n_rows == len(lines) == run.n_created + run.n_updated + run.n_unchanged + run.n_duplicates + run.n_bad
    named = _errors(run)
    assert len(named) == run.n_bad
    taken = {clean_line(str(line["sku"])) for n, line in enumerate(lines, start=1) if n not in named}
    after = _state()
    assert {sku: state for sku, state in before.items() if sku not in taken} == {
        sku: state for sku, state in after.items() if sku in before and sku not in taken
    }


@AT_RANDOM
@given(REVIEWS)
def test_reviews_that_were_taken_can_be_read_back(tmp_path: Path, lines: list[Any]) -> None:
    run = import_reviews(file_of(tmp_path, "r.jsonl", "".join(json.dumps(line) + "\n" for line in lines)), actor=ACTOR)
    assert run.status == ImportRun.Status.COMPLETED
    assert run.n_rows == run.n_created + run.n_updated + run.n_unchanged + run.n_duplicates + run.n_bad
    assert all(review.text for review in CustomerReview.objects.all())


@AT_RANDOM
@given(
    st.lists(
        st.sampled_from(['"', ",", "\n", "\r\n", "A", "sku", "x y", "\\", "é", "\x00", ";", "\t", "'", "=", "B,Cup\n"]),
        max_size=60,
    )
)
def test_csv_at_random_yields_records_and_reasons_alone(tmp_path: Path, pieces: list[str]) -> None:
    Product.objects.all().delete()
    run = import_products(file_of(tmp_path, "p.csv", "sku,title\nZ,Lamp\n" + "".join(pieces)), actor=ACTOR)
    assert run.status == ImportRun.Status.COMPLETED
    assert Product.objects.count() == run.n_created
