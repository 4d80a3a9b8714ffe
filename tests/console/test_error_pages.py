"""Errors as people and programs see them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import path

from ecomsite import errors
from ecomsite import urls as product
from tests import people
from tests.chromium import CHROMIUM, FLAGS, needs_chromium


def _mistake(request: HttpRequest) -> Any:
    raise RuntimeError("a mistake of ours")


urlpatterns = [path("mistake", _mistake), path("api/v1/mistake", _mistake), *product.urlpatterns]
handler400, handler403, handler404, handler500 = (
    product.handler400,
    product.handler403,
    product.handler404,
    product.handler500,
)


def _client(user: User | None = None, **more: Any) -> Client:
    client = Client(raise_request_exception=False, **more)
    if user is not None:
        client.force_login(user)
    return client


@pytest.mark.django_db
def test_a_page_that_is_not_there_says_so_in_the_look_of_the_desk() -> None:
    for address in ("/nothing-here", "/console/nothing-here/", "/media/none.png"):
        answer = _client(people.administrator()).get(address)
        assert answer.status_code == 404
        text = answer.content.decode()
        assert "Nothing here" in text
        assert 'name="viewport"' in text
        assert "/console/" in text


@pytest.mark.django_db
def test_a_page_that_one_may_not_see_says_who_can_help() -> None:
    answer = _client(people.outsider()).get("/console/training/")
    assert answer.status_code == 403
    assert "An administrator can give you a role" in answer.content.decode()


@pytest.mark.django_db
def test_a_form_that_is_out_of_date_says_what_to_do() -> None:
    answer = _client(enforce_csrf_checks=True).post("/console/login/", {"username": "x", "password": "y"})
    assert answer.status_code == 403
    assert "load the page again" in answer.content.decode()


@pytest.mark.urls(__name__)
def test_a_mistake_of_ours_tells_nothing_of_it() -> None:
    page, said = _client().get("/mistake"), _client().get("/api/v1/mistake")
    assert (page.status_code, said.status_code) == (500, 500)
    assert "Our mistake" in page.content.decode()
    assert said.json()["error"]
    assert b"RuntimeError" not in page.content + said.content


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/api/v1/copy/a%00b", "/api/v1/copy/a?locale=%00", "/api/v1/requests/%00"])
def test_a_nul_is_a_400_in_json_below_the_api(address: str) -> None:
    answer = _client().get(address)
    assert answer.status_code == 400
    assert answer.json()["error"]


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["requests/{}", "items/{}/confirm", "items/{}/return", "appeals/{}"])
@pytest.mark.parametrize("key", ["not-a-uuid", "9" * 5_000, "0000"])
def test_a_bad_uuid_is_a_400_in_json_for_who_may_ask(address: str, key: str) -> None:
    user = people.senior()
    for permission in ("appeal_decision", "check_decision", "view_generationrequest"):
        user.user_permissions.add(Permission.objects.get(codename=permission))
    client, where = _client(user), f"/api/v1/{address.format(key)}"
    asked = {"proposal": 1, "reason": "x"} if "return" in address else {"proposal": 1}
    post = "items" in address
    answer = client.post(where, asked, content_type="application/json") if post else client.get(where)
    assert answer.status_code == 400
    assert answer.json()["error"] == "The id in the address is no UUID."
    nobody = _client().post(where) if post else _client().get(where)
    assert nobody.status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["/console/catalog/product/?q=%00", "/console/items/%00/", "/console/policies/%00/"]
)
def test_a_nul_is_a_styled_400_in_the_console(address: str) -> None:
    answer = _client(people.administrator()).get(address)
    assert answer.status_code == 400
    assert "This cannot be read" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/api/v1/requests/a/b", "/api/v1/nothing", "/api/v2/"])
def test_what_is_not_there_below_the_api_is_said_in_json(address: str) -> None:
    answer = _client().get(address)
    assert answer.status_code == 404
    assert answer.json()["error"]


@pytest.mark.parametrize("status", sorted(errors.WORDS))
def test_every_status_has_its_words_in_both_forms(status: int) -> None:
    said, page = errors.answer("/api/v1/x", status), errors.answer("/console/", status)
    assert said.headers["Content-Type"] == "application/json"
    assert errors.WORDS[status].title in page.content.decode()
    assert ("Retry-After" in page.headers) == ("Retry-After" in said.headers) == (status in (429, 503))


def test_the_words_are_escaped() -> None:
    page = errors.answer("/console/", 400, errors.Words("<b>", "<script>alert(1)</script>"))
    assert b"<script>" not in page.content
    assert b"<b>" not in page.content


def test_a_mistake_in_a_middleware_while_the_database_is_away_is_a_503() -> None:
    from django.db import OperationalError

    try:
        raise OperationalError("gone")
    except OperationalError:
        answer = errors.server_error(RequestFactory().get("/console/"))
    assert answer.status_code == 503
    assert errors.server_error(RequestFactory().get("/console/")).status_code == 500


@pytest.mark.browser
@needs_chromium
@pytest.mark.parametrize("width", [390, 1280])
def test_the_pages_fit_a_phone(width: int, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_context(viewport={"width": width, "height": 700}).new_page()
        for status in errors.WORDS:
            tab.set_content(errors.answer("/console/", status).content.decode())
            assert tab.evaluate("document.documentElement.scrollWidth") <= width, status
            box = tab.locator("a").bounding_box()
            assert box is not None
            assert box["height"] >= 24, status
        tab.screenshot(path=str(tmp_path / f"error-{width}.png"))
        browser.close()
