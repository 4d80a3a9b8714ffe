"""What the shop reads: rendered once, looked at each time, and gone for every process in the moment it is taken down."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Product, PublishedCopy
from catalog.selectors import LiveCopy, find_live_copy, live_copy_for
from ecomsite import shop
from tests import factories as make
from tests.web_server import Web


def _live(**more: Any) -> PublishedCopy:
    candidate = make.candidate(status="published")
    return make.published_copy(candidate, **more)


@pytest.mark.django_db
def test_the_look_finds_what_the_selector_finds() -> None:
    live = _live()
    make.published_copy(
        make.candidate(
            status="retired", request=make.generation_request(product_=live.product, round=2, status="completed")
        ),
        retired_at=timezone.now(),
    )
    sku = live.product.sku
    for channel in ("description", "ad_slogan"):
        for locale in (None, "en", "zh-Hans"):
            expected = live_copy_for(live.product, channel=channel, locale=locale or live.product.locale).first()
            wanted = LiveCopy(locale or live.product.locale, expected.pk if expected else None)
            assert find_live_copy(sku, channel=channel, locale=locale) == wanted, (channel, locale)
    assert find_live_copy("NOPE", channel="description") is None


@pytest.mark.django_db
def test_the_language_is_that_of_the_title_unless_one_is_asked_for() -> None:
    live = _live()
    Product.objects.filter(pk=live.product_id).update(locale="zh-Hans")
    found = find_live_copy(live.product.sku, channel="description")
    assert found == LiveCopy("zh-Hans", None)
    answer = Client().get(f"/api/v1/copy/{live.product.sku}")
    assert answer.json()["error"] == "No description is live for this product in zh-Hans."
    assert Client().get(f"/api/v1/copy/{live.product.sku}?locale=en").status_code == 200


@pytest.mark.django_db
def test_it_is_found_by_two_indexes_however_much_there_was() -> None:
    live = _live()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO catalog_product (sku, title, localized_titles, locale, brand, category, description, currency, image_url,"
            " facts_hash, source, created_at, updated_at) SELECT 'OTHER-' || n, 't', '{}', 'en', '', '', '', '', '', '', '', now(), now()"
            " FROM generate_series(1, 5000) AS n"
        )
        cursor.execute(
            "INSERT INTO catalog_publishedcopy (id, product_id, channel, locale, text, candidate_ref, provenance, ai_mark, published_at,"
            " retired_at, retired_reason) SELECT gen_random_uuid(), p.id, 'description', 'en', 't', 'c' || p.id || ':' || k, '{}', '{}',"
            " now(), CASE WHEN k > 0 THEN now() END, '' FROM catalog_product AS p, generate_series(0, 3) AS k WHERE p.sku LIKE 'OTHER-%'"
        )
        cursor.execute("ANALYZE catalog_product, catalog_publishedcopy")
        from catalog.selectors import _FIND_LIVE_COPY

        cursor.execute(f"EXPLAIN {_FIND_LIVE_COPY}", [None, live.product.sku, "description", "", "control"])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan" not in plan, plan
    assert "one_live_copy" in plan, plan


@pytest.mark.django_db
def test_a_text_is_rendered_once_and_looked_for_each_time() -> None:
    live = _live()
    path = f"/api/v1/copy/{live.product.sku}"
    first = Client().get(path)
    with CaptureQueriesContext(connection) as queries:
        again = Client().get(path)
        unchanged = Client().get(path, HTTP_IF_NONE_MATCH=first["ETag"])
    # The look goes past Django's cursor, and there is no session, no user and no second query.
    assert len(queries) == 0, queries.captured_queries
    assert again.content == first.content
    assert unchanged.status_code == 304
    live.refresh_from_db()
    assert again.json()["text"] == live.text


@pytest.mark.django_db
@pytest.mark.parametrize("asked", ["{}", "W/{}", '"x", {}', '"x", W/{}', "*"])
def test_every_form_of_if_none_match(asked: str) -> None:
    path = f"/api/v1/copy/{_live().product.sku}"
    etag = Client().get(path)["ETag"]
    answer = Client().get(path, HTTP_IF_NONE_MATCH=asked.format(etag))
    assert answer.status_code == 304
    assert answer["ETag"] == etag
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert Client().get(path, HTTP_IF_NONE_MATCH='"another"').status_code == 200


@pytest.mark.django_db
def test_a_new_text_in_the_same_place_is_another_answer() -> None:
    live = _live()
    path = f"/api/v1/copy/{live.product.sku}"
    first = Client().get(path)
    PublishedCopy.objects.filter(pk=live.pk).update(retired_at=timezone.now())
    newer = make.candidate(
        "Newer.",
        status="published",
        request=make.generation_request(product_=live.product, round=2, status="completed"),
    )
    make.published_copy(newer, text="Newer.")
    again = Client().get(path, HTTP_IF_NONE_MATCH=first["ETag"])
    assert again.status_code == 200
    assert again.json()["text"] == "Newer."


@pytest.mark.django_db
def test_what_is_marked_and_what_is_not_are_two_answers() -> None:
    path = f"/api/v1/copy/{_live().product.sku}"
    assert "marked_text" not in Client().get(path).json()
    assert "marked_text" in Client().get(path, {"marked": "1"}).json()
    assert "marked_text" not in Client().get(path).json()


@pytest.mark.django_db
def test_it_sets_no_cookie_and_answers_to_our_names_alone(settings: Any) -> None:
    path = f"/api/v1/copy/{_live().product.sku}"
    answer = Client().get(path)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Length"] == str(len(answer.content))
    assert not answer.cookies
    refused = Client().get(path, HTTP_HOST="evil.example")
    assert refused.status_code == 400
    assert refused.json()["error"]
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get(path).status_code == 301
    assert Client().get(path, secure=True).status_code == 200


@pytest.mark.django_db
def test_it_is_read_and_nothing_else() -> None:
    path = f"/api/v1/copy/{_live().product.sku}"
    assert Client().head(path).status_code == 200
    for method in ("post", "put", "delete", "patch"):
        refused = getattr(Client(), method)(path)
        assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD")
        assert refused.json() == {"error": "This address answers GET, HEAD alone."}
    assert Client().get(shop.PREFIX).status_code == 404


def test_a_text_that_is_taken_down_is_gone_at_once_in_every_process(web: Web) -> None:
    """Two processes, each with what it rendered: none of them serves it once."""
    for n in range(10):
        live = _live(text=f"Text {n}.")
        path = f"/api/v1/copy/{live.product.sku}"
        assert {web.get(path).json()["text"] for _ in range(8)} == {f"Text {n}."}
        PublishedCopy.objects.filter(pk=live.pk).update(retired_at=timezone.now())
        assert {web.get(path).status for _ in range(8)} == {404}


def test_a_look_on_a_connection_that_the_server_ended_is_made_again(transactional_db: None) -> None:
    live = _live()
    assert find_live_copy(live.product.sku, channel="description") is not None
    end_own_connection()
    assert find_live_copy(live.product.sku, channel="description") is not None


def end_own_connection() -> None:
    """Have the server end the connection of this thread, as a restart does."""
    import psycopg

    from tests.servers import url_of

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    with psycopg.connect(url_of("postgres"), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
