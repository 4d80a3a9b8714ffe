"""One process at a time, without waiting."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from core.locks import try_advisory_lock


@pytest.mark.django_db(transaction=True)
def test_the_second_does_not_wait_and_may_come_back_later() -> None:
    def is_alone() -> bool:
        try:
            with try_advisory_lock("tests.work") as alone, try_advisory_lock("tests.other") as alone_elsewhere:
                assert alone_elsewhere
                return alone
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with try_advisory_lock("tests.work") as alone:
            assert alone
            assert pool.submit(is_alone).result(10) is False
        assert pool.submit(is_alone).result(10) is True


@pytest.mark.django_db(transaction=True)
def test_it_ends_with_an_error_and_with_the_connection() -> None:
    with pytest.raises(ZeroDivisionError), try_advisory_lock("tests.work"):
        1 / 0  # noqa: B018
    with try_advisory_lock("tests.work") as alone:
        assert alone
        connection.close()
    with try_advisory_lock("tests.work") as alone:
        assert alone
