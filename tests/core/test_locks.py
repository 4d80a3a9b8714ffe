"""One process at a time, without waiting."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from core.locks import only_one


@pytest.mark.django_db(transaction=True)
def test_the_second_does_not_wait_and_may_come_back_later() -> None:
    def is_alone() -> bool:
        try:
            with only_one("tests.work") as alone, only_one("tests.other") as alone_elsewhere:
                assert alone_elsewhere
                return alone
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with only_one("tests.work") as alone:
            assert alone
            assert pool.submit(is_alone).result(10) is False
        assert pool.submit(is_alone).result(10) is True


@pytest.mark.django_db(transaction=True)
def test_it_ends_with_an_error_and_with_the_connection() -> None:
    with pytest.raises(ZeroDivisionError), only_one("tests.work"):
        1 / 0  # noqa: B018
    with only_one("tests.work") as alone:
        assert alone
        connection.close()
    with only_one("tests.work") as alone:
        assert alone
