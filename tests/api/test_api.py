"""The HTTP API, as a shop's developer meets it."""

from __future__ import annotations

import base64
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from defusedxml import ElementTree
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from moderation.live import content_credentials
from moderation.live.marking import is_genuine, mark_for
from moderation.models.candidates import GenerationRequest
from tests import factories as make
from tests import people

pytestmark = pytest.mark.django_db
ORDERS = "/api/v1/requests"


def _basic(user: User, password: str = people.PASSWORD) -> dict[str, str]:
    value = base64.b64encode(f"{user.username}:{password}".encode()).decode()
    return {"HTTP_AUTHORIZATION": f"Basic {value}"}


def _order(client: Client, body: Any, **headers: Any) -> Any:
    return client.post(ORDERS, json.dumps(body), content_type="application/json", **headers)


def test_live_copy_comes_with_its_provenance_and_its_ai_mark() -> None:
    candidate = make.candidate(status="published")
    live = make.published_copy(
        candidate,
        ai_mark=mark_for(candidate),
        provenance={"model": {"name": "m", "version": 1}, "prompt_version": "3", "human_reviewed": True},
    )
    answer = Client().get(f"/api/v1/copy/{candidate.product.sku}")
    assert answer.status_code == 200
    body = answer.json()
    assert body["text"] == live.text
    assert body["provenance"]["human_reviewed"] is True
    assert body["ai_mark"]["label"]
    assert body["ai_mark"]["AIGC"]["Label"] == "1"
    assert answer["AI-Disclosure"] == "mode=ai-originated"
    assert answer["Content-Language"] == "en"


def test_an_unchanged_copy_is_not_sent_again() -> None:
    candidate = make.candidate(status="published")
    make.published_copy(candidate)
    first = Client().get(f"/api/v1/copy/{candidate.product.sku}")
    assert "no-cache" in first["Cache-Control"]
    again = Client().get(f"/api/v1/copy/{candidate.product.sku}", HTTP_IF_NONE_MATCH=first["ETag"])
    assert again.status_code == 304
    assert again.content == b""


def test_retired_copy_is_gone_even_for_who_has_it_cached() -> None:
    candidate = make.candidate(status="published")
    live = make.published_copy(candidate)
    etag = Client().get(f"/api/v1/copy/{candidate.product.sku}")["ETag"]
    type(live).objects.filter(pk=live.pk).update(retired_at=timezone.now())
    answer = Client().get(f"/api/v1/copy/{candidate.product.sku}", HTTP_IF_NONE_MATCH=etag)
    assert answer.status_code == 404
    assert answer.json()["reason"] == "no_live_copy"


def test_drafts_are_never_served() -> None:
    for status in ("generated", "in_review", "approved", "rejected", "blocked"):
        draft = make.candidate(status=status)
        assert Client().get(f"/api/v1/copy/{draft.product.sku}").status_code == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [("?channel=ad_slogan", 404), ("?locale=zh-Hans", 404), ("?channel=nope", 400), ("?locale=xx", 400)],
)
def test_channel_and_locale_are_what_was_asked_for(query: str, status: int) -> None:
    candidate = make.candidate(status="published")
    make.published_copy(candidate)
    answer = Client().get(f"/api/v1/copy/{candidate.product.sku}{query}")
    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_sku_may_hold_a_slash() -> None:
    candidate = make.candidate(request=make.generation_request(product_=make.product(sku="A/B 1"), status="completed"))
    make.published_copy(candidate)
    assert Client().get("/api/v1/copy/A/B%201").status_code == 200


def test_an_unknown_sku_is_named_as_the_reason() -> None:
    assert Client().get("/api/v1/copy/NOPE").json()["reason"] == "unknown_sku"


def test_copy_is_ordered_once() -> None:
    make.model_version()
    product, user = make.product(), people.ml_engineer()
    body = {"skus": [product.sku], "channels": ["description", "ad_slogan"], "locales": ["en"]}
    first = _order(Client(), body, **_basic(user))
    assert first.status_code == 201
    assert len(first.json()["created"]) == 2
    again = _order(Client(), body, **_basic(user))
    assert again.status_code == 200
    assert sorted(again.json()["existing"]) == sorted(first.json()["created"])
    shown = Client().get(f"{ORDERS}/{first.json()['created'][0]}", **_basic(user)).json()
    assert shown["status"] == "queued"
    assert shown["sku"] == product.sku


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"skus": []},
        {"skus": "x"},
        {"skus": ["x"], "n_candidates": 0},
        {"skus": ["x"], "surprise": 1},
        [],
        "x",
        None,
    ],
)
def test_a_body_that_is_no_order_is_refused_with_its_problems(body: Any) -> None:
    answer = _order(Client(), body, **_basic(people.ml_engineer()))
    assert answer.status_code == 422
    assert answer.json()["problems"]


def test_unknown_skus_order_nothing_at_all() -> None:
    make.model_version()
    product = make.product()
    answer = _order(Client(), {"skus": [product.sku, "NOPE"]}, **_basic(people.ml_engineer()))
    assert answer.status_code == 422
    assert answer.json()["unknown_skus"] == ["NOPE"]
    assert not GenerationRequest.objects.exists()


def test_a_locale_that_cannot_be_written_says_which_model_to_register() -> None:
    make.model_version()
    body = {"skus": [make.product().sku], "locales": ["zh-Hans"]}
    answer = _order(Client(), body, **_basic(people.ml_engineer()))
    assert answer.status_code == 422
    assert "register_model" in answer.json()["hint"]


def test_who_is_nobody_is_asked_who_they_are() -> None:
    answer = _order(Client(), {"skus": ["x"]})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Basic")
    wrong = _order(Client(), {"skus": ["x"]}, **_basic(people.ml_engineer(), "wrong"))
    assert wrong.status_code == 401
    for header in ("Basic !!!", "Basic /////w==", "Bearer abc", ""):
        assert _order(Client(), {"skus": ["x"]}, HTTP_AUTHORIZATION=header).status_code == 401, header


def test_an_account_that_was_switched_off_gets_nowhere() -> None:
    user = people.ml_engineer()
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert _order(Client(), {"skus": ["x"]}, **_basic(user)).status_code == 401


def test_a_role_that_may_not_ask_for_copy_is_refused() -> None:
    for user in (people.reviewer(), people.auditor()):
        answer = _order(Client(), {"skus": ["x"]}, **_basic(user))
        assert answer.status_code == 403
        assert "moderation.request_copy" in answer.json()["error"]


def test_a_session_needs_its_csrf_token() -> None:
    make.model_version()
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.ml_engineer())
    body = {"skus": [make.product().sku]}
    assert _order(client, body).status_code == 403
    client.get("/console/request-copy/")
    token = client.cookies["ecomsite_csrf"].value
    assert _order(client, body, HTTP_X_CSRFTOKEN=token).status_code == 201


def test_sentiment_is_the_persons_where_a_person_spoke() -> None:
    review = make.customer_review("Meh.")
    user = people.reviewer()
    address = f"/api/v1/reviews/{review.external_id}/sentiment"
    assert Client().get(address).status_code == 401
    assert Client().get(address, **_basic(user)).json()["reason"] == "not_scored"
    make.sentiment(review, "positive", confidence=0.6)
    assert Client().get(address, **_basic(user)).json()["label"] == "positive"
    make.decision(make.review_item(review), "label", label="negative")
    body = Client().get(address, **_basic(user)).json()
    assert (body["label"], body["human_reviewed"], body["model"]["label"]) == ("negative", True, "positive")


def test_an_unknown_request_is_not_found() -> None:
    assert Client().get(f"{ORDERS}/{uuid.uuid4()}", **_basic(people.auditor())).status_code == 404


def test_the_index_lists_every_address() -> None:
    body = Client().get("/api/v1/").json()
    assert any("/copy/" in address for address in body["endpoints"])


def test_a_picture_is_served_in_a_sandbox(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    (tmp_path / "mug.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    answer = Client().get("/media/mug.svg")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/svg+xml"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Access-Control-Allow-Origin"] == "*"
    again = Client().get("/media/mug.svg", HTTP_IF_MODIFIED_SINCE=answer["Last-Modified"])
    assert again.status_code == 304


def test_only_pictures_under_the_media_root_are_served(settings: Any, tmp_path: Path) -> None:
    root = tmp_path / "media"
    root.mkdir()
    settings.MEDIA_ROOT = root
    (tmp_path / "secret.svg").write_text("secret")
    (root / "page.html").write_text("<h1>no</h1>")
    (root / "link.svg").symlink_to(tmp_path / "secret.svg")
    for path in ("../secret.svg", "%2e%2e/secret.svg", "page.html", "link.svg", "", "missing.png"):
        assert Client().get(f"/media/{path}").status_code == 404, path


def test_what_a_page_needs_for_the_mark_comes_with_the_text_and_the_manifest_when_asked_for() -> None:
    candidate = make.candidate(status="published", text="A mug for two.")
    make.published_copy(candidate, text=candidate.text, ai_mark=mark_for(candidate))
    url = f"/api/v1/copy/{candidate.product.sku}"
    mark = Client().get(url).json()["ai_mark"]
    assert "c2pa" not in mark
    assert json.loads(mark["meta"]["AIGC"])["ProduceID"] == str(candidate.pk)
    assert mark["json_ld"]["digitalSourceType"] == "https://schema.org/TrainedAlgorithmicMediaDigitalSource"
    text = Client().get(url, {"marked": "1"}).json()["marked_text"]
    assert text.startswith(candidate.text)
    assert content_credentials.state_of(text) == "valid"


def test_the_mark_is_made_again_for_the_text_that_a_person_edited() -> None:
    draft = make.candidate(status="superseded")
    fix = make.candidate(request=draft.request, parent=draft, origin="human", text="A better text.", ordinal=9)
    mark = mark_for(fix)
    assert "edited by a person" in mark["label"]
    assert mark["digitalSourceType"].endswith("compositeWithTrainedAlgorithmicMedia")
    assert content_credentials.state_of(content_credentials.marked(fix.text, mark["c2pa"])) == "valid"
    assert is_genuine(mark["AIGC"], fix.text)
    assert not is_genuine(mark["AIGC"], draft.text)


def test_the_feed_has_every_live_text_with_its_mark() -> None:
    for text in ("Fish & chips <plate>\x0b", "A mug for two."):
        candidate = make.candidate(status="published", text=text)
        make.published_copy(candidate, text=text, ai_mark=mark_for(candidate))
    make.published_copy(make.candidate(status="retired"), retired_at=timezone.now())
    lines = b"".join(Client().get("/api/v1/feed").streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert [json.loads(line)["ai_mark"]["AIGC"]["Label"] for line in lines] == ["1", "1"]
    merchant = Client().get("/api/v1/feed", {"format": "merchant"})
    root = ElementTree.fromstring(b"".join(merchant.streaming_content))  # type: ignore[attr-defined]
    g = "{http://base.google.com/ns/1.0}"
    assert [node.text for node in root.iter(f"{g}digital_source_type")] == ["trained_algorithmic_media"] * 2
    assert {node.text for node in root.iter(f"{g}content")} == {"Fish & chips <plate>", "A mug for two."}
    assert Client().get("/api/v1/feed", {"format": "csv"}).status_code == 400
