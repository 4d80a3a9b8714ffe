"""What is made in a thread, a little in advance: in order, errors in their place, and no thread left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from core.ahead import made_ahead


def test_items_come_in_order_and_not_more_than_asked_for_are_made() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    with made_ahead(items(), most=2) as ready:
        assert next(ready) == 0
        time.sleep(0.2)
        assert len(made) <= 5
        assert list(ready) == list(range(1, 100))


def test_an_error_is_raised_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("two")

    with made_ahead(items(), most=2) as ready:
        assert next(ready) == 1
        with pytest.raises(ValueError, match="two"):
            next(ready)


def test_no_thread_is_left_where_the_block_is_left_early() -> None:
    def forever() -> Iterator[int]:
        number = 0
        while True:
            yield (number := number + 1)

    def stopped() -> None:
        with made_ahead(forever(), most=2) as ready:
            next(ready)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert "made ahead" not in {thread.name for thread in threading.enumerate()}
