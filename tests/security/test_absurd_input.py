"""Absurd input at every address of the product: refused, not found or shown, but never a 500."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import UUIDField
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import people
from tests.scenes import busy_desk

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]

NUL, LONG, HUGE = "\0", "9" * 5_000, "9" * 30
ABSURD = (
    "",
    "0",
    "-1",
    "1",
    HUGE,
    LONG,
    "1e999",
    "NaN",
    "-Infinity",
    "²",
    "٣",
    "0x10",
    "true",
    NUL,
    f"a{NUL}b",
    "%00",
    "%",
    "%zz",
    "\ufffd",
    "\u202e",
    "\u0130",
    "😀" * 50,
    "é" * 3_000,
    "a" * 9_000,
    "..",
    "../../etc/passwd",
    "'\";--",
    "${7*7}",
    "{{7*7}}",
    "<script>",
    "[]",
    "{}",
    "null",
    "not-a-uuid",
    str(uuid.UUID(int=0)),
    str(uuid.UUID(int=7)).upper(),
    "2026-13-45",
    "99999-01-01",
    "0001-01-01T00:00",
    "9999-12-31T23:59:59+14:00",
    "user:1",
    f"user:{HUGE}",
    "\n",
    "\r\nX: y",
    "\t",
    " ",
)
FITS = {
    "int": ("0", "1", "2", HUGE, LONG, "-1", "²"),
    "uuid": (str(uuid.UUID(int=0)), str(uuid.UUID(int=7)), "not-a-uuid", NUL),
    "slug": ("a", "a" * 9_000, "copy_verdict", "sentiment", "-", "%00"),
}
ADMIN_PARAMETERS = (
    "q",
    "o",
    "p",
    "e",
    "all",
    "_facets",
    "_popup",
    "_to_field",
    "id__exact",
    "id__in",
    "pk__gt",
    "status",
    "status__exact",
    "created_at__gte",
    "created_at__year",
    "product__id__exact",
    "password__startswith",
)


# Of rows that there are, so that what looks behind them is reached too.
KEYS: dict[str, list[str]] = {}


def _addresses(patterns: Any, before: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _addresses(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield re.sub(r"^\^|\(\?P<\w+>\.\*\)\$$|\\Z$|\$$", "", route)


ADDRESSES = sorted({route for route in _addresses(get_resolver().url_patterns) if "logout" not in route})


def _parameters() -> list[str]:
    """Every name that our own code looks up in a query or a form, and those of Django's lists."""
    found = set(ADMIN_PARAMETERS) | {
        "_selected_action",
        "action",
        "index",
        "select_across",
        "next",
        "username",
        "password",
    }
    for folder in ("ecomsite", "moderation", "monitoring", "labeling", "catalog", "storefront", "core"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text()
            found |= set(re.findall(r"(?:GET|POST|FILES)(?:\.get|\.getlist)?[(\[]\"(\w+)\"", text))
            if "forms." in text:
                found |= set(re.findall(r"^    (\w+) = forms\.", text, re.MULTILINE))
    return sorted(found)


PARAMETERS = _parameters()
values = st.sampled_from(ABSURD)
pairs = st.dictionaries(st.sampled_from(PARAMETERS), values, max_size=5)


def fill_in(route: str, choose: Any) -> str:
    """Return `route` with something absurd in each of its places, quoted as a client would, or not."""

    def one(match: re.Match[str]) -> str:
        kind = match[1] or "str"
        value = choose((*FITS.get(kind, ABSURD), *KEYS.get(kind, ())))
        return value if value == "%00" else quote(value, safe="")

    return "/" + re.sub(r"<(?:(\w+):)?\w+>", one, route)


@pytest.fixture
def everybody(settings: Any, tmp_path: Path) -> list[Client]:
    """Who is nobody, who reviews, and who may do everything, on a desk in the middle of a working day."""
    settings.MEDIA_ROOT = tmp_path
    busy_desk()
    KEYS.clear()
    for model in (model for model in apps.get_models() if model._meta.managed):
        kind = "uuid" if isinstance(model._meta.pk, UUIDField) else "int"
        KEYS.setdefault(kind, []).extend(
            str(pk) for pk in model._default_manager.order_by("pk").values_list("pk", flat=True)[:3]
        )
    root = User.objects.create_superuser("root@example.com", "root@example.com", people.PASSWORD)
    clients = [Client(raise_request_exception=False) for _ in range(3)]
    clients[1].force_login(people.reviewer())
    clients[2].force_login(root)
    return clients


def check(answer: Any, asked: str) -> None:
    """No 500, and a refusal in the form that who asked can read."""
    assert answer.status_code < 500 or answer.status_code == 503, f"{answer.status_code}: {asked[:500]}"
    if answer.streaming:
        b"".join(answer.streaming_content)
    elif answer.status_code in (400, 404) and asked.split()[1].startswith("/api/"):
        assert answer.json()["error"], asked[:500]


def test_the_addresses_were_found() -> None:
    assert len(ADDRESSES) > 150
    assert "api/v1/copy/<path:sku>" in ADDRESSES
    assert any("reviewitem" in route for route in ADDRESSES)
    assert {"locale", "reason", "proposal", "skus"} <= set(PARAMETERS)


@pytest.mark.parametrize("value", [NUL, LONG, "%FF", "not-a-uuid"], ids=["NUL", "long", "no UTF-8", "no UUID"])
def test_every_address_with_one_absurd_value_everywhere(everybody: list[Client], value: str) -> None:
    failed = []
    for route in ADDRESSES:
        if "<" not in route and value != NUL:
            continue  # it has no place for it
        written = value if value.startswith("%") else quote(value)
        path = "/" + re.sub(r"<(?:\w+:)?\w+>", written, route)
        failed += [path[:300] for client in everybody if client.get(path).status_code == 500]
    assert not failed


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_reading_with_absurd_values(everybody: list[Client], data: Any) -> None:
    path = fill_in(data.draw(st.sampled_from(ADDRESSES)), lambda choice: data.draw(st.sampled_from(choice)))
    client, query = data.draw(st.sampled_from(everybody[1:])), data.draw(pairs)
    check(client.get(path, query), f"GET {path} {query}")


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_sending_absurd_values(everybody: list[Client], data: Any) -> None:
    path = fill_in(data.draw(st.sampled_from(ADDRESSES)), lambda choice: data.draw(st.sampled_from(choice)))
    client, form = data.draw(st.sampled_from(everybody)), data.draw(pairs)
    check(client.post(path, form), f"POST {path} {form}")


KINDS = st.sampled_from(
    [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "text/plain; charset=nonsense",
        "application/x-www-form-urlencoded; charset=utf-7",
        "",
    ]
)
BODIES = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(
        [
            b"",
            b"\0",
            b"{",
            b"[" * 5_000,
            b'{"skus": ["\\u0000"]}',
            b'{"skus": ["\\ud800"]}',
            b'{"skus": [' + b"9" * 5_000 + b"]}",
            b'{"proposal": ' + b"9" * 30 + b', "note": "\\u0000"}',
            b'{"statement": "ecomsite-\\u0000", "reason": "x"}',
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="\0"\r\n\r\n\xff\r\n--x--\r\n',
            b"a=%00&b=%FF&" * 2_000,
        ]
    ),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_bodies_that_are_no_form_and_no_json(everybody: list[Client], data: Any) -> None:
    ours = [route for route in ADDRESSES if route.startswith(("api/", "webhooks/", "console/")) and "<" not in route]
    path = "/" + data.draw(st.sampled_from(ours))
    answer = data.draw(st.sampled_from(everybody)).generic(
        data.draw(st.sampled_from(["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "X"])),
        path,
        data.draw(BODIES),
        content_type=data.draw(KINDS),
    )
    check(answer, f"POST {path}")


ABSURD_HEADERS: tuple[dict[str, str], ...] = (
    {"HTTP_AUTHORIZATION": "Basic AGE6Yg=="},  # a NUL in the name
    {"HTTP_AUTHORIZATION": "Basic YToAYg=="},  # and in the password
    {"HTTP_AUTHORIZATION": "Basic " + "A" * 100_000},
    {"HTTP_AUTHORIZATION": "Bearer \xff"},
    {"HTTP_COOKIE": 'ecomsite_session="abcdefgh\\000ijklmnop"'},
    {"HTTP_COOKIE": f"ecomsite_session={'a' * 9_000}; ecomsite_csrf=\xff"},
    {"HTTP_HOST": "evil.example"},
    {"HTTP_HOST": "127.0.0.1:99999999"},
    {"HTTP_HOST": "\xff"},
    {"HTTP_IF_NONE_MATCH": '"' * 5_000},
    {"HTTP_IF_MODIFIED_SINCE": "never"},
    {"HTTP_RANGE": "bytes=9-1"},
    {"HTTP_ACCEPT_LANGUAGE": "\xff" * 500},
    {"CONTENT_LENGTH": "x"},
)


def test_absurd_headers(everybody: list[Client]) -> None:
    client = Client(raise_request_exception=False)
    for headers in ABSURD_HEADERS:
        for path in (
            "/api/v1/copy/HOME-005",
            "/api/v1/reviews/x/sentiment",
            "/api/v1/requests",
            "/console/my-work/",
            "/console/login/",
            "/healthz",
            "/media/demo/mug.svg",
        ):
            check(client.get(path, **headers), f"GET {path} {headers}")
            check(client.post(path, {"a": "b"}, **headers), f"POST {path} {headers}")


def test_every_list_with_every_absurd_filter(everybody: list[Client]) -> None:
    client = everybody[2]
    for n, model in enumerate(sorted(admin.site._registry, key=lambda model: model._meta.label)):
        path = f"/console/{model._meta.app_label}/{model._meta.model_name}/"
        # Each list with some of them, each of them on some lists: a page takes a while.
        for k, parameter in list(enumerate(ADMIN_PARAMETERS))[n % 4 :: 4]:
            query = {parameter: ABSURD[(7 * n + 11 * k) % len(ABSURD)]}
            check(client.get(path, query), f"GET {path} {query}")
