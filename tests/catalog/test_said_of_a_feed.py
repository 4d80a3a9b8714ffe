"""What a merchant says of a whole feed: decimal sign, language and currency, of every format, by option or mapping."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.importing import import_products
from catalog.models import ImportRun, Product
from core.actors import SystemActor
from core.exceptions import PermanentError
from tests.feed_files import bad, file_of, good, products_in

pytestmark = pytest.mark.django_db
ACTOR = SystemActor("tests")
FEEDS = {
    "shopify.csv": 'Handle,Title,Variant SKU,Variant Price\na,The sofa,A,"1,299"\n',
    "merchant.tsv": "id\ttitle\tlink\tprice\nA\tThe sofa\thttps://s.example/a\t1,299\n",
    "merchant.xml": '<rss xmlns:g="http://base.google.com/ns/1.0"><item><g:id>A</g:id><title>The sofa</title>'
    "<g:price>1,299</g:price></item></rss>",
    "plain.csv": 'sku,title,price\nA,The sofa,"1,299"\n',
    "plain.jsonl": '{"sku": "A", "title": "The sofa", "price": "1,299"}\n',
}


@pytest.mark.parametrize("name", FEEDS)
def test_the_decimal_sign_of_any_feed_can_be_said(name: str, tmp_path: Path) -> None:
    path = file_of(tmp_path, name, FEEDS[name])
    assert good(products_in(path, 'decimal = "."\n'))["A"].price == Decimal(1299)
    reason = bad(products_in(path, 'decimal = ","\n'))
    assert "more than the two decimals" in next(iter(reason.values()))


def test_a_price_with_two_readings_says_how_to_settle_it(tmp_path: Path, capsys: Any) -> None:
    path = file_of(
        tmp_path,
        "s.csv",
        'Handle,Title,Variant SKU,Variant Price\na,The sofa,A,"1,299"\nb,The bed,B,"12,50"\nc,The rug,C,9.50\n',
    )
    import_products(path, actor=ACTOR)
    run = ImportRun.objects.get()
    assert "--decimal" in Path(run.error_file).read_text()
    call_command("import_products", str(path), "--decimal", ",", "--currency", "EUR")
    assert "more than the two decimals" in Path(ImportRun.objects.latest("started_at").error_file).read_text()
    call_command("import_products", str(path), "--decimal", ".", "--currency", "EUR")
    assert Product.objects.get(sku="A").price == Decimal(1299)
    assert set(Product.objects.values_list("currency", flat=True)) == {"EUR"}


def test_an_option_stands_above_the_mapping(tmp_path: Path) -> None:
    mapping = file_of(
        tmp_path, "m.toml", 'decimal = ","\nlocale = "en"\n[fields]\nsku = "A"\ntitle = "B"\nprice = "C"\n'
    )
    path = file_of(tmp_path, "p.csv", 'A,B,C\nX,The sofa,"1,299"\n')
    import_products(path, mapping=mapping, said={"decimal": "."}, actor=ACTOR)
    assert Product.objects.get().price == Decimal(1299)


@pytest.mark.parametrize(("option", "value"), [("--locale", "de"), ("--currency", "Euro")])
def test_what_cannot_be_said_is_refused_by_name(option: str, value: str, tmp_path: Path) -> None:
    path = file_of(tmp_path, "p.csv", FEEDS["plain.csv"])
    with pytest.raises(CommandError, match=option.removeprefix("--")):
        call_command("import_products", str(path), option, value)


def test_a_feed_that_names_its_columns_takes_no_other_names_for_them(tmp_path: Path) -> None:
    mapping = file_of(tmp_path, "m.toml", '[fields]\nsku = "a"\ntitle = "b"\n')
    with pytest.raises(PermanentError, match="takes no mapping of columns"):
        import_products(
            file_of(tmp_path, "p.xml", FEEDS["merchant.xml"]), mapping=mapping, feed_format="merchant_xml", actor=ACTOR
        )
