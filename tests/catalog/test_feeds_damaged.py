"""Feeds damaged at random: read to the end, each row a record or a reason, never an unexpected error."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest

from catalog.demo.loading import PRODUCTS
from catalog.feeds.detection import detect_format, products_of
from core.exceptions import PermanentError
from core.files import open_source

FEEDS = sorted((Path(__file__).parent / "feeds").iterdir())
INSERTED = (b'"', b"\x00", b"\n", b"\r", b"\xff", b"<", b"&", b"\t", b",", b"{")


def _damage(content: bytes, chance: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(data))
        how = chance.randrange(4)
        if how == 0:
            data[at] = chance.randrange(256)
        elif how == 1:
            del data[at : at + chance.randint(1, 40)]
        elif how == 2:
            data[at:at] = chance.choice(INSERTED)
        else:
            data[at:at] = data[: chance.randint(1, 60)]
    return bytes(data)


@pytest.mark.parametrize("feed", [*FEEDS, PRODUCTS], ids=lambda path: path.name)
def test_a_damaged_feed_yields_records_and_reasons_only(feed: Path, tmp_path: Path) -> None:
    chance = random.Random(feed.name)
    content = feed.read_bytes()[:6000]
    n_rows = 0
    for _ in range(150):
        path = tmp_path / feed.name
        path.write_bytes(_damage(content, chance))
        with contextlib.suppress(PermanentError), open_source(path) as source:
            for row in products_of(source, feed_format=detect_format(source), mapping=None):
                assert (row.record is None) == bool(row.error)
                n_rows += 1
    assert n_rows > 100


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("p.csv", b'sku\rtitle\n1,"A\n'),
        ("p.xml", b'<?xml version="1.0" encoding="F-8"?><rss><item/></rss>'),
    ],
)
def test_a_broken_first_line_is_an_error_that_explains_itself(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with contextlib.suppress(PermanentError), open_source(tmp_path / name) as source:
        rows = list(products_of(source, feed_format=detect_format(source), mapping=None))
        assert all(row.error for row in rows)
