"""The files of products and reviews that once broke an import, each with what must become of it."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalog.importing import import_products, import_reviews
from catalog.models import CustomerReview, ImportRun, Product
from core.actors import SystemActor
from core.exceptions import PermanentError

pytestmark = pytest.mark.django_db
ACTOR = SystemActor("tests")
CASES = Path(__file__).parents[1] / "cases" / "feeds"
# What each product of a feed must come to: field → value, `facts` → name → value.
PRODUCTS: dict[str, dict[str, dict[str, Any]]] = {
    "p01_currency_word.jsonl": {
        "HB-01-A": {"price": Decimal(12), "currency": "EUR"},
        "HB-01-C": {"price": Decimal(20)},
    },
    "p03_image_query.csv": {
        "HB-03-A": {"image_url": "https://img.shop.example/l.jpg?width=600&region=eu&section=2"},
        "HB-03-B": {"image_url": "https://img.shop.example/f.jpg?v=3&timestamp=1700000000"},
        "HB-03-C": {"image_url": "https://img.shop.example/w.jpg?w=1&h=2&currency=USD"},
    },
    "p04_decimal_comma.csv": {
        "HB-04-A": {"price": Decimal("2.99"), "facts": {"weight": (Decimal("0.5"), "kg")}},
        "HB-04-B": {"price": Decimal("1.49"), "facts": {"weight": (Decimal("0.75"), "l")}},
        "HB-04-C": {"price": Decimal("0.99"), "facts": {"weight": (Decimal("3.175"), "mm")}},
        "HB-04-D": {"price": Decimal("4.50"), "facts": {"weight": (Decimal("1.8"), "g")}},
        "HB-04-E": {"price": Decimal(1299), "facts": {"weight": (Decimal(1299), "g")}},
        "HB-04-F": {"price": Decimal(1299), "facts": {"weight": (Decimal(1250), "g")}},
    },
    "p05_merchant_prices.tsv": {
        "HB-05-B": {"price": Decimal(1299), "currency": "EUR"},
        "HB-05-C": {"price": Decimal(1299), "currency": "EUR"},
        "HB-05-D": {"price": Decimal(15), "currency": "EUR"},
        "HB-05-F": {"price": Decimal("0.99"), "currency": "EUR"},
        "HB-05-G": {"price": Decimal(129_999), "currency": "INR"},
        "HB-05-H": {"price": Decimal(1299), "currency": "CHF"},
        "HB-05-I": {"price": Decimal(10), "currency": "USD"},
    },
    "p08_phantom.csv": {"HB-08-B": {"title": "Hat"}},
    "p09_sep.csv": {"HB-09-A": {"price": Decimal("3.50"), "currency": "EUR"}},
    "p11_backslash.csv": {
        "HB-11-A": {"title": '24" monitor, black', "description": 'A "sharp" screen'},
        "HB-11-B": {"title": 'A "quoted" name', "description": "plain"},
        "HB-11-C": {"title": "Plain"},
        "HB-11-D": {"title": "Ends in backslash\\", "description": "ok"},
        "HB-11-E": {"title": "Next"},
    },
    "p12_mixed.xml": {
        "HB-12-A": {"title": "Shirt Deluxe XL", "description": "Soft cotton shirt"},
        "HB-12-B": {"description": "First.\n\nSecond."},
        "HB-12-C": {"description": "Soft cotton shirt", "facts": {"material": "Cotton blend"}},
    },
    "p13_blankline.xml": {"HB-13-A": {"title": "A"}},
    "p14_badchar.xml": {"HB-14-A": {}, **{f"HB-14-{n}": {"title": f"Later {n}"} for n in range(30)}},
    "p16_metafields.csv": {
        "HB-16-A": {
            "facts": {
                "size": "M",
                "weight": (Decimal(200), "g"),
                "fabric": "Cotton",
                "care guide": "Wash cold",
                "materials": "Cotton, Linen",
                "volume": (Decimal("1.5"), "l"),
            }
        },
        "HB-16-B": {},
    },
    "p21_guards.csv": {f"HB-21-00{n}": {} for n in range(1, 6)},
    "p22_cr.csv": {"HB-22-A": {"title": "Cup"}, "HB-22-B": {"title": "Plate"}},
    "p23_json.jsonl": {
        "HB-23-A": {"facts": {"size": "M"}},
        "HB-23-B": {"facts": {}},
        "12345": {"title": "HB-23 float sku"},
        "HB-23-D": {"price": Decimal(1000)},
        "HB-23-F": {"facts": {"colors": "red, blue"}},
        "HB-23-G": {"facts": {"capacity": (Decimal(1000), ""), "w": (Decimal("0.1"), "")}},
        "HB-23-H": {"price": Decimal(12), "currency": "EUR"},
        "HB-23-I": {"image_url": "https://s.example/1.jpg"},
        "HB-23-N": {"title": "sur rogate"},
    },
    "p24_table.csv": {
        "HB-24-A": {"description": "Weight 1.2 kg steel"},
        "HB-24-B": {"description": "Top\nBottom\nEnd"},
    },
    "p29.csv": {"HB-29-A": {"title": "Cup"}},
    "p32_case.csv": {"HB-32-A": {"title": "Cup", "price": Decimal(5)}},
    "q02_noprefix.xml": {"HB-42-A": {"title": "A"}},
    "q03_imagefirst.csv": {
        "HB-43-A-S": {"title": "Tee – S"},
        "HB-43-A-M": {"title": "Tee – M"},
        "HB-43-B-M": {"title": "Cap – M"},
        "HB-43-B-S": {"title": "Cap – S"},
    },
    "q09_phantom_sloppy.csv": {"HB-49-B": {"title": "Hat"}},
}
# The line of each row that is not taken → a word of the reason.
NAMED = {
    "p01_currency_word.jsonl": {2: "EURO"},
    "p05_merchant_prices.tsv": {2: "1.299", 6: "12.345", 11: "pcs"},
    "p08_phantom.csv": {2: "UTF-8"},
    "p14_badchar.xml": {4: "not allowed in XML"},
    "p23_json.jsonl": {5: "NaN", 10: "mapping", 11: "locale", 12: "locale", 13: "twice"},
    "q09_phantom_sloppy.csv": {2: ""},
}
MAPPINGS = {
    "p04_decimal_comma.csv": "p04_map.toml",
    "p09_sep.csv": "p09_map.toml",
    "p29.csv": "p29_bom_map.toml",
    "r01_judgeme.csv": "r01_map.toml",
}
REFUSED = {"p19_book.xlsx": "workbook .* cannot be read.*CSV UTF-8"}
# External id or text → rating and whether it has a date.
REVIEWS = {
    "r01_judgeme.csv": {"HB-r01 love it": (Decimal(5), True), "HB-r01 fine": (Decimal(3), True)},
    "r02_rating.csv": {
        "HB-r02 five of five": (Decimal(5), False),
        "HB-r02 four of five": (Decimal(4), False),
        "HB-r02 amazon": (Decimal(5), False),
        "HB-r02 stars": (Decimal(4), False),
        "HB-r02 half": (Decimal("4.5"), False),
        "HB-r02 comma": (Decimal(4), False),
        "HB-r02 word": (Decimal(5), False),
    },
    "r06_mindate.jsonl": {},
    "s05_zerodate.csv": {
        "HB-r05 zero date": (None, False),
        "HB-r05 null word": (None, False),
        "HB-r05 backslash N": (None, False),
        "HB-r05 fine": (None, True),
    },
}
REVIEWS_NAMED = {
    "r02_rating.csv": {4: "another scale", 7: "from 1 to 5", 9: "another scale"},
    "r06_mindate.jsonl": {1: "out of range", 2: "out of range", 3: "out of range"},
}


def _errors(run: ImportRun) -> dict[int, str]:
    if not run.error_file:
        return {}
    with Path(run.error_file).open(newline="", encoding="utf-8") as stream:
        return {int(row["line"]): row["reason"] for row in csv.DictReader(stream)}


def _mapping(name: str) -> Path | None:
    return CASES / MAPPINGS[name] if name in MAPPINGS else None


def _assert_named(errors: dict[int, str], expected: dict[int, str]) -> None:
    assert errors.keys() == expected.keys(), errors
    for line, word in expected.items():
        assert word in errors[line]


@pytest.mark.parametrize("name", PRODUCTS)
def test_of_a_file_that_broke_imports_the_good_products_are_taken_and_the_others_named(name: str) -> None:
    run = import_products(CASES / name, mapping=_mapping(name), actor=ACTOR)
    _assert_named(_errors(run), NAMED.get(name, {}))
    assert set(Product.objects.values_list("sku", flat=True)) == set(PRODUCTS[name])
    for sku, expected in PRODUCTS[name].items():
        product = Product.objects.get(sku=sku)
        facts = {
            fact.name: fact.value if fact.number is None else (fact.number.normalize() + 0, fact.unit)
            for fact in product.facts.all()
        }
        found = {field: facts if field == "facts" else getattr(product, field) for field in expected}
        assert found == expected


@pytest.mark.parametrize("name", REVIEWS)
def test_of_a_file_that_broke_imports_the_good_reviews_are_taken_and_the_others_named(name: str) -> None:
    run = import_reviews(CASES / name, mapping=_mapping(name), actor=ACTOR)
    _assert_named(_errors(run), REVIEWS_NAMED.get(name, {}))
    found = {review.text: (review.rating, review.written_at is not None) for review in CustomerReview.objects.all()}
    assert found == REVIEWS[name]


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_read_is_refused_with_the_way_out(name: str) -> None:
    with pytest.raises(PermanentError, match=REFUSED[name]):
        import_products(CASES / name, actor=ACTOR)
    assert not ImportRun.objects.exists()


def test_a_mapping_whose_currency_is_none_is_refused_by_name() -> None:
    with pytest.raises(PermanentError, match="currency"):
        import_products(CASES / "p29.csv", mapping=CASES / "p29d_map.toml", actor=ACTOR)


def test_each_file_is_in_a_test() -> None:
    from tests.moderation.test_label_cases import LABELS

    named = {*PRODUCTS, *REVIEWS, *REFUSED, *LABELS, *MAPPINGS.values(), "p29d_map.toml"}
    assert {path.name for path in CASES.iterdir()} == named
