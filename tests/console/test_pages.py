"""What the pages of the console show and do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import PublishedCopy
from labeling.question import queue_names
from moderation.models.candidates import Candidate, GenerationRequest
from moderation.models.reviews import ReviewItem
from tests import factories as make
from tests import people
from tests.scenes import HOSTILE, Scene, busy_desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(settings: Any, tmp_path: Any) -> Scene:
    settings.MEDIA_ROOT = tmp_path
    return busy_desk()


def _signed_in(role: str) -> Client:
    client = Client()
    client.force_login(people.people(role))
    return client


def _words(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_front_door_leads_to_the_desk() -> None:
    assert Client().get("/")["Location"] == "/console/"


def test_the_login_page_names_the_product_and_loads_nothing_from_elsewhere() -> None:
    answer = Client().get(reverse("admin:login"))
    assert "ecomsite" in _words(answer)
    assert 'src="http' not in _words(answer)
    assert 'href="http' not in _words(answer)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"


def test_the_desk_shows_every_stage_with_its_count(scene: Scene) -> None:
    html = _words(_signed_in("Reviewer").get(reverse("admin:index")))
    assert 'data-stage="queued">3<' in html
    assert 'data-stage="generating">1<' in html
    assert 'data-stage="published">1<' in html
    assert html.count(">Next <") == len(queue_names())


def test_an_empty_table_says_what_would_fill_it_and_a_filtered_one_how_to_see_all() -> None:
    client = _signed_in("Administrator")
    for model in ("monitoring_alert", "monitoring_refusal", "catalog_publishedcopy", "outbox_delivery"):
        html = _words(client.get(reverse(f"admin:{model}_changelist")))
        assert "Create a new item" not in html
        assert "Nothing matches" not in html
    assert "goes live by itself" in _words(client.get(reverse("admin:catalog_publishedcopy_changelist")))
    filtered = _words(client.get(reverse("admin:catalog_publishedcopy_changelist"), {"channel__exact": "ad_slogan"}))
    assert "Nothing matches" in filtered
    assert "Show everything" in filtered


def test_a_count_beside_a_link_is_drawn_only_where_there_is_something_to_count() -> None:
    client, badge = _signed_in("Reviewer"), "min-w-[18px] bg-red-100"
    assert badge not in _words(client.get(reverse("admin:index")))
    make.review_item()
    assert f'{badge} text-red-700 dark:bg-red-500/20 dark:text-red-400">1</span>' in _words(
        client.get(reverse("admin:index"))
    )


def test_the_desk_says_what_is_down_and_what_to_do(scene: Scene, settings: Any) -> None:
    settings.LABELING = replace(settings.LABELING, url="http://127.0.0.1:9")
    from monitoring import health

    health._latest = None
    html = _words(_signed_in("Auditor").get(reverse("console:desk")))
    assert 'data-part="label_studio"' in html
    assert "LABEL_STUDIO_URL" in html


def test_an_auditor_sees_the_desk_but_no_next_button(scene: Scene) -> None:
    html = _words(_signed_in("Auditor").get(reverse("console:desk")))
    assert ">Next <" not in html


def test_hostile_text_is_shown_and_never_run(scene: Scene) -> None:
    client = _signed_in("Administrator")
    pages = [
        reverse("console:candidate", args=[scene.hostile.pk]),
        reverse("console:request", args=[scene.hostile.request_id]),
        reverse("admin:moderation_candidate_changelist"),
    ]
    for page in pages:
        html = _words(client.get(page))
        assert "<script>alert" not in html, page
        assert "&lt;script&gt;alert" in html, page
    shown = _words(client.get(pages[0]))
    assert "U+202E" in shown
    assert "\u202e" not in shown
    assert "\u202e" not in _words(client.get(pages[2]))
    assert len(HOSTILE) > 20


def test_hostile_product_titles_and_reviews_are_escaped(scene: Scene) -> None:
    client = _signed_in("Administrator")
    product = make.product(title=HOSTILE, brand="<img src=x onerror=alert(1)>", image_url="javascript:alert(1)")
    candidate = make.candidate("Fine.", request=make.generation_request(product_=product, status="completed"))
    make.customer_review(HOSTILE)
    for page in (
        reverse("console:candidate", args=[candidate.pk]),
        reverse("admin:catalog_product_changelist"),
        reverse("admin:catalog_customerreview_changelist"),
    ):
        html = _words(client.get(page))
        assert "<script>alert" not in html, page
        assert "<img src=x" not in html, page
        assert 'src="javascript' not in html, page


def test_findings_are_marked_in_place_with_their_severity(scene: Scene) -> None:
    html = _words(_signed_in("Reviewer").get(reverse("console:candidate", args=[scene.in_review.pk])))
    assert '<mark class="es-mark es-mark--warn" title="no fact backs “6 hours”">6 hours</mark>' in html
    assert 'es-mark--block" title="“guaranteed”' in html


def test_a_fix_shows_what_the_person_changed(scene: Scene) -> None:
    html = _words(_signed_in("Auditor").get(reverse("console:candidate", args=[scene.published.pk])))
    assert "<del> The best mug in the world.</del>" in html
    assert "<ins>stoneware that holds</ins>" in html


def test_the_history_is_for_who_may_audit(scene: Scene) -> None:
    page = reverse("console:candidate", args=[scene.published.pk])
    assert "ledger line" in _words(_signed_in("Auditor").get(page))
    assert "Robin Reviewer" in _words(_signed_in("Auditor").get(page))
    assert "ledger line" not in _words(_signed_in("Reviewer").get(page))


def test_a_picture_on_another_server_is_never_loaded() -> None:
    product = make.product(image_url="https://tracker.example/p.png")
    candidate = make.candidate(request=make.generation_request(product_=product, status="completed"))
    html = _words(_signed_in("Reviewer").get(reverse("console:candidate", args=[candidate.pk])))
    assert "tracker.example" not in html


def test_overruling_a_block_needs_a_reason_and_then_sends_it_to_review(scene: Scene) -> None:
    client = _signed_in("Senior reviewer")
    address = reverse("console:overrule", args=[scene.blocked.pk])
    refused = client.post(address, {"reason": " "}, follow=True)
    assert "needs a reason" in _words(refused)
    assert Candidate.objects.get(pk=scene.blocked.pk).status == "blocked"
    client.post(address, {"reason": "a false alarm"})
    assert Candidate.objects.get(pk=scene.blocked.pk).status == "in_review"
    again = client.post(address, {"reason": "a false alarm"}, follow=True)
    assert "no longer blocked" in _words(again)


def test_retired_copy_leaves_the_shelf_and_says_why(scene: Scene) -> None:
    client = _signed_in("Senior reviewer")
    live = PublishedCopy.objects.get(retired_at=None)
    client.post(reverse("console:retire", args=[live.pk]), {"reason": "out of season"})
    live.refresh_from_db()
    assert live.retired_at
    assert live.retired_reason == "out of season"


def test_selected_products_are_carried_into_the_form_and_ordered(scene: Scene) -> None:
    client = _signed_in("ML engineer")
    products = [make.product(), make.product()]
    chosen = client.post(
        reverse("admin:catalog_product_changelist"),
        {"action": "request_copy", "_selected_action": [p.pk for p in products]},
    )
    assert chosen["Location"] == reverse("console:request_copy")
    form = _words(client.get(chosen["Location"]))
    assert all(p.sku in form for p in products)
    ordered = client.post(
        chosen["Location"],
        {"skus": "\n".join(p.sku for p in products), "channels": ["ad_slogan"], "locales": ["en"], "n_candidates": 2},
    )
    assert ordered.status_code == 302
    assert GenerationRequest.objects.filter(product__in=products, channel="ad_slogan", n_candidates=2).count() == 2


def test_a_locale_the_champion_cannot_write_is_refused_with_the_way_out(scene: Scene) -> None:
    answer = _signed_in("ML engineer").post(
        reverse("console:request_copy"),
        {"skus": "HOME-000", "channels": ["description"], "locales": ["zh-Hans"], "n_candidates": 2},
    )
    assert answer.status_code == 422
    assert "cannot write zh-Hans" in _words(answer)
    assert "register_model" in _words(answer)


def test_unknown_skus_are_named(scene: Scene) -> None:
    answer = _signed_in("ML engineer").post(
        reverse("console:request_copy"),
        {"skus": "HOME-000\nNOPE-1", "channels": ["description"], "locales": ["en"], "n_candidates": 2},
    )
    assert "No such product: NOPE-1" in _words(answer)


def test_next_says_why_nothing_waits() -> None:
    make.review_item(pushed=False)
    make.generation_request()
    html = _words(_signed_in("Reviewer").get(reverse("console:nothing"), {"question": "copy_verdict"}))
    assert "Nothing waits for you" in html
    assert "1 item is on the way to Label Studio" in html
    assert "1 request is on order" in html


def test_waiting_for_work_leases_nothing(scene: Scene) -> None:
    html = _words(_signed_in("Reviewer").get(reverse("console:nothing"), {"question": "copy_verdict"}))
    assert "ready for you" in html
    assert not ReviewItem.objects.filter(status="dispatched").exists()


def test_verifying_says_whether_the_chain_holds(scene: Scene) -> None:
    client = _signed_in("Auditor")
    assert "The chain holds" in _words(client.post(reverse("console:verify_ledger")))
    cut = client.post(reverse("console:verify_ledger"), {"expected_head": "0" * 63 + "1"})
    assert "The chain breaks" in _words(cut)


def test_acting_without_a_csrf_token_is_refused(scene: Scene) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.senior())
    assert client.post(reverse("console:overrule", args=[scene.blocked.pk]), {"reason": "x"}).status_code == 403
