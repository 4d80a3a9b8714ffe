"""From where somebody comes: the right address behind proxies of one's own, and never one that a client made up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import RequestFactory

from accounts.addresses import client_address
from ecomsite.system_checks import clients_can_be_told_apart


def seen(settings: Any, *, proxies: int, direct: str = "10.0.0.1", forwarded: str | None = None) -> str:
    settings.ACCOUNTS = replace(settings.ACCOUNTS, proxies=proxies)
    headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=direct, **headers))


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, None, "10.0.0.1"),
        (0, "203.0.113.5", "10.0.0.1"),  # no proxy of ours wrote that
        (1, "203.0.113.5", "203.0.113.5"),
        (1, "6.6.6.6, 203.0.113.5", "203.0.113.5"),  # what the client sent stands to the left
        (2, "6.6.6.6, 203.0.113.5, 10.0.0.2", "203.0.113.5"),
        (2, "203.0.113.5", "10.0.0.1"),  # past one of the two: believe what is seen
        (1, None, "10.0.0.1"),
        (1, "", "10.0.0.1"),
        (1, "made up", "10.0.0.1"),
        (1, "203.0.113.5:51234", "203.0.113.5"),
        (1, "[2001:db8:1:2:3::4]:443", "2001:db8:1:2::/64"),
        (1, "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),  # a customer has them all
        (1, "::ffff:203.0.113.5", "203.0.113.5"),
        (1, "fe80::1%eth0", "fe80::/64"),
        (1, "203.0.113.5\0", "10.0.0.1"),
    ],
)
def test_the_address_is_the_one_that_a_proxy_of_ours_heard(
    settings: Any, proxies: int, forwarded: str | None, address: str
) -> None:
    assert seen(settings, proxies=proxies, forwarded=forwarded) == address


def test_a_socket_file_has_no_address(settings: Any) -> None:
    assert seen(settings, proxies=0, direct="") == ""


def test_production_is_told_when_everybody_would_have_the_address_of_the_proxy(settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert [found.id for found in clients_can_be_told_apart(None)] == ["ecomsite.W003"]
    settings.ACCOUNTS = replace(settings.ACCOUNTS, proxies=1)
    assert clients_can_be_told_apart(None) == []
