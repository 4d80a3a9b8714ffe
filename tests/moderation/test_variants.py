"""Several approved texts in one slot: asked for, let out, told, served, taken down and accounted for, each by itself."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from audit.models import LedgerEntry
from catalog.models import Product, PublishedCopy
from catalog.slots import Slot
from core.exceptions import PermanentError
from core.refs import ref
from moderation.decisions import settling
from moderation.drafting import generation, ordering
from moderation.live import publication
from moderation.models.candidates import Candidate, GenerationRequest
from moderation.models.reviews import ReviewItem
from monitoring import mark_checks
from monitoring.evidence import pack
from outbox.models import Event
from tests import factories, people
from tests.moderation.conftest import GOOD
from tests.moderation.test_generation import order

pytestmark = pytest.mark.django_db
FIXED = "Harbour mug 1 by Tideway: a sea green stoneware mug that holds 350 ml."


def published(
    product: Product, *, variant: str = "control", audience: str = "", as_: str | None = None
) -> PublishedCopy:
    """A text that a decision let out, in the variant that it was asked for or `as_` another."""
    request = factories.generation_request(
        product_=product,
        variant=variant,
        audience=audience,
        status="completed",
        round=GenerationRequest.objects.count() + 1,
    )
    candidate = factories.candidate(f"{variant} {request.round}.", status="approved", request=request)
    decision = factories.decision(factories.review_item(candidate), result=candidate)
    return publication.publish(candidate, decision=decision, actor=people.reviewer(), variant=as_)


def live(product: Product) -> list[str]:
    """The variants that are live."""
    return sorted(PublishedCopy.objects.filter(product=product, retired_at=None).values_list("variant", flat=True))


def test_copy_asked_for_in_another_variant_goes_live_beside_what_is_live(script: Any, answer: Any) -> None:
    factories.webhook_endpoint("copy.published")
    script(GOOD)
    control = published(factories.product(title="Harbour mug 1"))
    product = control.product
    wanted = {"n_candidates": 1, "variant": "bold", "audience": "members"}
    created = order(product, **wanted).created[0]
    assert order(product, **wanted).existing == [created]
    assert generation.drain_generation() == 1
    draft = Candidate.objects.get(request=created)
    Candidate.objects.filter(pk=draft.pk).update(status="in_review", rank=1)
    answer(factories.review_item(draft), people.reviewer(), verdict="fix", fixed_text=FIXED, reason_codes=["tone"])
    assert settling.settle_decisions() == 1
    bold = PublishedCopy.objects.get(variant="bold")
    assert Slot.of(bold) == Slot(product, "description", "en", "members")
    control.refresh_from_db()
    assert control.retired_at is None
    told = Event.objects.filter(type="copy.published").latest("created_at").data
    assert (told["copy"], told["variant"], told["audience"], told["replaces"]) == (ref(bold), "bold", "members", None)
    line = LedgerEntry.objects.get(action="moderation.copy.published", subject=ref(bold))
    assert line.payload.items() >= {"channel": "description", "locale": "en", "variant": "bold"}.items()


def test_rounds_are_counted_by_slot_and_variant(script: Any) -> None:
    script()
    product = factories.product()
    first = order(product).created[0]
    bold = order(product, variant="bold").created[0]
    again = order(product, variant="bold", round=ordering.next_round(bold)).created[0]
    assert (bold.round, again.round, ordering.next_round(first)) == (1, 2, 2)


def test_a_decision_may_let_a_text_out_as_another_variant() -> None:
    product = factories.product()
    control, bold = published(product), published(product, variant="bold")
    calm = published(product, as_="calm")
    assert (calm.variant, live(product)) == ("calm", ["bold", "calm", "control"])
    newer = published(product, as_="bold")
    bold.refresh_from_db()
    control.refresh_from_db()
    assert (bold.retired_at is None, control.retired_at is None, newer.variant) == (False, True, "bold")
    with pytest.raises(PermanentError, match="is no name of a variant"):
        published(product, as_="Very Bold")
    assert live(product) == ["bold", "calm", "control"]


def test_taking_one_down_leaves_the_others_and_it_comes_back_as_itself() -> None:
    product = factories.product()
    control, bold = published(product), published(product, variant="bold")
    publication.retire(bold, actor=people.senior(), reason="recall")
    assert live(product) == ["control"]
    assert Candidate.objects.get(pk=control.candidate_ref.partition(":")[2]).status == "published"
    back = publication.put_back(bold, actor=people.senior(), reason="It was good.", by="test")
    assert (back.variant, live(product)) == ("bold", ["bold", "control"])


def test_the_api_serves_control_unless_another_is_asked_for() -> None:
    product = factories.product()
    control, bold = published(product), published(product, variant="bold")
    members = published(product, audience="members")
    path = f"/api/v1/copy/{product.sku}"
    for query, text in (
        ({}, control.text),
        ({"variant": "control"}, control.text),
        ({"variant": "bold"}, bold.text),
        ({"audience": "members"}, members.text),
    ):
        answer = Client().get(path, query)
        assert answer.json()["text"] == text, query
    assert (answer.json()["variant"], answer.json()["audience"]) == ("control", "members")
    missing = Client().get(path, {"variant": "calm"})
    assert missing.status_code == 404
    assert missing.json()["error"] == "No description is live for this product in en, as calm."
    for query in ({"variant": "Very Bold"}, {"audience": "a b"}, {"variant": ""}):
        refused = Client().get(path, query)
        assert refused.status_code == 400, query
        assert refused.json()["hint"].startswith("Use up to 40")


def test_the_feed_holds_one_text_for_each_product() -> None:
    product = factories.product()
    control, bold = published(product), published(product, variant="bold")
    for query, text in (({}, control.text), ({"variant": "bold"}, bold.text)):
        body = b"".join(Client().get("/api/v1/feed", query).streaming_content)  # type: ignore[attr-defined]
        assert [json.loads(line)["text"] for line in body.splitlines()] == [text]
    assert Client().get("/api/v1/feed", {"variant": "Very Bold"}).status_code == 400


def test_it_is_asked_for_by_command_api_and_form(script: Any, client: Client) -> None:
    script()
    product = factories.product()
    call_command("request_copy", sku=[product.sku], variant="bold", audience="members", stdout=io.StringIO())
    with pytest.raises(CommandError, match="is no name of a variant"):
        call_command("request_copy", sku=[product.sku], variant="Very Bold")
    client.force_login(people.senior())
    body = {"skus": [product.sku], "variant": "calm", "audience": "new"}
    made = client.post("/api/v1/requests", json.dumps(body), content_type="application/json")
    assert made.status_code == 201
    shown = client.get(f"/api/v1/requests/{made.json()['created'][0]}").json()
    assert (shown["variant"], shown["audience"]) == ("calm", "new")
    body["variant"] = "Very Bold"
    refused = client.post("/api/v1/requests", json.dumps(body), content_type="application/json")
    assert refused.status_code == 422
    form = {"skus": product.sku, "channels": ["description"], "locales": ["en"], "n_candidates": 1}
    client.post(reverse("console:request_copy"), {**form, "variant": "", "audience": ""})
    client.post(reverse("console:request_copy"), {**form, "variant": "loud"})
    assert set(GenerationRequest.objects.values_list("variant", "audience")) == {
        ("bold", "members"),
        ("calm", "new"),
        ("control", ""),
        ("loud", ""),
    }


def test_an_evidence_pack_tells_of_every_variant() -> None:
    product = factories.product()
    published(product), published(product, variant="bold")
    content = pack.collect(product.sku, actor=people.auditor()).content
    assert [(story["variant"], story["audience"]) for story in content["texts"]] == [("bold", ""), ("control", "")]


def test_pages_are_checked_for_the_variants_that_they_show(settings: Any) -> None:
    product = factories.product()
    control, bold = published(product), published(product, variant="bold")
    page = "https://shop.example/p/{sku}"
    settings.AI_MARK = replace(settings.AI_MARK, page_url=page)
    assert list(mark_checks.on_pages()) == [control]
    settings.AI_MARK = replace(settings.AI_MARK, page_url=page + "?v={variant}")
    assert set(mark_checks.on_pages()) == {control, bold}
    assert mark_checks.page_of(bold) == f"https://shop.example/p/{product.sku}?v=bold"


def test_a_draft_beside_live_copy_of_its_own_product_ends_no_work_on_it() -> None:
    product = factories.product()
    published(product)
    request = factories.generation_request(product_=product, variant="bold", status="completed", round=9)
    waiting = factories.review_item(factories.candidate(request=request, status="in_review"))
    published(product)
    assert ReviewItem.objects.get(pk=waiting.pk).status == "waiting"
