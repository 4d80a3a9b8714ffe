"""The quick ways through an import, for what most rows are: they come to what the thorough ways come to."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import cleaning
from catalog.feeds import facts, prices
from catalog.feeds.bad_row import BadRow
from core.csv_records import Line, csv_records
from core.hashing import hash_json, hash_texts

MANY = settings(max_examples=400, deadline=None)
TEXT = st.text(st.sampled_from("aé中 \u00a0\u200b\n\t<&>;b\u0301\ufffd\x00\ud800\u2028\"'"), max_size=12) | st.text(
    max_size=30
)
VALUE = st.one_of(
    TEXT,
    st.builds(
        "{}{}{}".format,
        st.decimals(-9999, 9999, places=2),
        st.sampled_from(["", " "]),
        st.sampled_from(["", "g", "cm", "kg", "x", "in"]),
    ),
    st.sampled_from(
        ["yes", "No", "是", "1,200 mAh", "1,5 kg", "1.299", "1,299", "110/240 V", "½ in", "4E+12", "x" * 200]
    ),
)


@MANY
@given(TEXT)
def test_a_plain_text_is_left_as_cleaning_leaves_it(text: str) -> None:
    quick = cleaning.clean_text(text), cleaning.clean_line(text)
    with patch.object(cleaning, "_is_plain", lambda text: False):
        assert quick == (cleaning.clean_text(text), cleaning.clean_line(text))


def _outcome(work: Any) -> Any:
    try:
        return work()
    except BadRow as exc:
        return str(exc)


@MANY
@given(
    st.builds(
        "{}{}".format,
        st.decimals(0, 10**10, places=2) | st.integers(0, 10**11) | TEXT,
        st.sampled_from(["", " EUR", " EURO", "€"]),
    ),
    st.sampled_from(["", "EUR", "eur", "Euro"]),
)
def test_a_usual_price_is_read_as_any_other(text: str, currency: str) -> None:
    quick = _outcome(lambda: prices.parse_price(text, currency=currency))
    with patch.object(prices, "_USUAL", prices.re.compile(r"(?!)")):
        assert quick == _outcome(lambda: prices.parse_price(text, currency=currency))


@MANY
@given(VALUE, st.sampled_from(["", "g", "cm", "parsec"]), st.sampled_from(["en", "zh-Hans"]))
def test_a_usual_fact_is_read_as_any_other(value: str, unit: str, locale: str) -> None:
    quick = _outcome(lambda: facts.make_fact("x", value, locale=locale, unit=unit))
    with patch.object(facts, "_usual", lambda value, unit: None):
        assert quick == _outcome(lambda: facts.make_fact("x", value, locale=locale, unit=unit))


TEXTS = st.recursive(
    st.text(), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


@MANY
@given(st.dictionaries(st.text(), TEXTS, max_size=5))
def test_texts_hash_alike_in_both_ways(value: dict[str, Any]) -> None:
    assert hash_texts(value) == hash_json(value)


CELL = st.text(st.characters(exclude_characters="\x00\r", exclude_categories=("Cs",)), max_size=8)


@MANY
@given(
    st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=6),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_a_csv_writer_wrote_is_read_as_the_standard_library_does(
    rows: list[list[str]], quoting: Any, end: str
) -> None:
    stream = io.StringIO()
    csv.writer(stream, quoting=quoting, lineterminator=end).writerows([["a", "b", "c"], *rows])
    text = stream.getvalue()
    expected = [row for row in csv.reader(io.StringIO(text, newline="")) if any(cell.strip() for cell in row)]
    lines = (Line(n, line) for n, line in enumerate(io.StringIO(text, newline=""), start=1))
    read = [list(record.cells) for record in csv_records(lines)]
    assert read == expected


def test_a_fact_is_not_remembered_where_the_feed_has_a_say() -> None:
    assert facts._usual("1,299 g", "") is None
    assert facts._usual("0,5 kg", "") is None
    assert facts._usual("240 g", "") == ("quantity", "240 g", Decimal(240), "g")
