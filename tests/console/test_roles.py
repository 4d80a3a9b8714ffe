"""Every page of the console, asked for by every role: who may look, who may act, and that nothing passes the functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import models
from django.test import Client
from django.urls import reverse

from audit.models import LedgerEntry
from catalog.models import Product, PublishedCopy
from ecomsite.roles import ROLES
from moderation.models.candidates import Candidate
from moderation.models.reviews import Decision, ReviewItem
from monitoring.models import Refusal
from tests import factories as make
from tests import people
from tests.scenes import Scene, busy_desk

pytestmark = pytest.mark.django_db
EVERYBODY = (*ROLES, None)
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
MAY_ADD = {("Administrator", "catalog.product"), ("Administrator", "auth.user")}
MAY_CHANGE = MAY_ADD
# Pages that lead on to the console's own.
LEADS_ON = {
    "moderation.candidate",
    "moderation.generationrequest",
    "catalog.productpicture",
    "catalog.publishedcopy",
    "moderation.reviewitem",
    "outbox.endpoint",
    "outbox.delivery",
}


def _address(model: type[models.Model], view: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)


def _signed_in(role: str | None) -> Client:
    client = Client()
    client.force_login(people.people(role))
    return client


def _rows(*but_for: str) -> dict[str, tuple[str, int]]:
    """A fingerprint of every table that the console shows, but for sessions, sign-ins and the count of refusals."""
    found = {}
    for model in (model for model in MODELS if model is not Refusal):
        if model._meta.label_lower in but_for:
            continue
        rows = model._default_manager.order_by("pk")
        fields = [f.attname for f in model._meta.concrete_fields if f.name != "last_login"]
        found[model._meta.label] = (str(list(rows.values_list(*fields))), rows.count())
    return found


@pytest.fixture
def scene(settings: Any, tmp_path: Any) -> Iterator[Scene]:
    settings.MEDIA_ROOT = tmp_path
    return busy_desk()


@pytest.mark.parametrize("role", EVERYBODY)
def test_lists_and_rows_open_for_exactly_the_roles_that_may_view_them(role: str | None, scene: Scene) -> None:
    client = _signed_in(role)
    user = User.objects.latest("pk")
    for model in MODELS:
        may = user.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}")
        assert client.get(_address(model, "changelist")).status_code == (200 if may else 403), model
        row = model._default_manager.first()
        if row is None:
            continue
        label = model._meta.label_lower
        answer = client.get(_address(model, "change", row.pk))
        if label in LEADS_ON and (may or answer.status_code == 302):
            page = client.get(answer["Location"], follow=True) if answer.status_code == 302 else answer
            assert page.status_code == (200 if may else 403), model
        else:
            assert answer.status_code == (200 if may else 403), model


@pytest.mark.parametrize("role", EVERYBODY)
def test_nobody_adds_changes_or_deletes_rows_past_the_functions(role: str | None, scene: Scene) -> None:
    client = _signed_in(role)
    before = _rows()
    for model in MODELS:
        key = (role, model._meta.label_lower)
        row = model._default_manager.first()
        assert client.get(_address(model, "add")).status_code == (200 if key in MAY_ADD else 403), model
        if key not in MAY_ADD:
            assert client.post(_address(model, "add"), {"title": "x"}).status_code == 403, model
        if row is None:
            continue
        assert client.get(_address(model, "delete", row.pk)).status_code == 403, model
        assert client.post(_address(model, "delete", row.pk), {"post": "yes"}).status_code == 403, model
        if key not in MAY_CHANGE:
            changed = client.post(_address(model, "change", row.pk), {"text": "x", "title": "x", "status": "published"})
            # The pages that lead on take no form: they send back to the page that shows.
            assert changed.status_code in ((302, 403) if model._meta.label_lower in LEADS_ON else (403,)), model
        for action in ("delete_selected", "request_copy", "no_such_action"):
            client.post(_address(model, "changelist"), {"action": action, "_selected_action": [row.pk], "post": "yes"})
    assert _rows() == before


@pytest.mark.parametrize("role", EVERYBODY)
def test_actions_are_refused_to_who_may_not_act(role: str | None, scene: Scene) -> None:
    client = _signed_in(role)
    user = User.objects.latest("pk")
    live = PublishedCopy.objects.get(retired_at=None)
    queued = scene.in_review.product.generation_requests.get(status="queued")
    held = ReviewItem.objects.filter(status="waiting").first()
    assert held is not None
    decision = Decision.objects.latest("created_at")
    actions = {
        reverse("console:overrule", args=[scene.blocked.pk]): "moderation.overrule_block",
        reverse("console:retire", args=[live.pk]): "catalog.retire_copy",
        reverse("console:request_again", args=[scene.in_review.pk]): "moderation.request_copy",
        reverse("console:cancel_request", args=[queued.pk]): "moderation.request_copy",
        reverse("console:retry_request", args=[queued.pk]): "moderation.request_copy",
        reverse("console:request_copy"): "moderation.request_copy",
        reverse("console:release", args=[held.pk]): "moderation.review_item",
        reverse("console:correct", args=[held.pk]): "moderation.review_item",
        reverse("console:verify_ledger"): "audit.verify_ledger",
        reverse("console:queue_policy", args=["copy_verdict"]): "moderation.set_queue_policy",
        reverse("console:readmit", args=["generationrequest"]): "monitoring.readmit",
        reverse("console:confirm", args=[held.pk]): "moderation.check_decision",
        reverse("console:return_to_maker", args=[held.pk]): "moderation.check_decision",
        reverse("console:take_escalated", args=[held.pk]): "moderation.review_escalated_item",
        reverse("console:appeal", args=[decision.pk]): "moderation.appeal_decision",
        reverse("console:judge_appeal", args=[make.appeal(decision).pk]): "moderation.judge_appeal",
    }
    before = _rows()
    for address, permission in actions.items():
        if user.has_perm(permission):
            continue
        assert client.post(address, {"reason": "because"}).status_code == 403, address
    pages = {
        f"{reverse('console:next')}?question=copy_verdict": "moderation.review_item",
        reverse("console:nothing"): "moderation.review_item",
        reverse("console:review", args=["copy_verdict"]): "moderation.review_item",
        reverse("console:review_last_ten", args=["copy_verdict"]): "moderation.review_item",
        reverse("console:open_task", args=[scene.in_review.pk]): "moderation.review_item",
        reverse("console:request_copy"): "moderation.request_copy",
        reverse("console:verify_ledger"): "audit.verify_ledger",
        reverse("console:system"): "moderation.view_reviewitem",
        reverse("console:system_now"): "moderation.view_reviewitem",
        reverse("console:queue_policy", args=["copy_verdict"]): "moderation.set_queue_policy",
        reverse("console:quarantine"): "monitoring.view_quarantine",
        reverse("console:candidate", args=[scene.in_review.pk]): "moderation.view_candidate",
        reverse("console:request", args=[scene.in_review.request_id]): "moderation.view_generationrequest",
        reverse("console:contested"): "moderation.view_appeal",
        reverse("console:adjudicate", args=[held.pk]): "labeling.view_label",
    }
    for address, permission in pages.items():
        if not user.has_perm(permission):
            assert client.get(address).status_code == 403, address
        elif "/next" not in address and "label-studio" not in address:  # these lead on
            assert client.get(address).status_code == 200, address
    assert _rows() == before


def test_a_stranger_is_sent_to_the_login_page_from_everywhere(scene: Scene) -> None:
    client = Client()
    addresses = [_address(model, "changelist") for model in MODELS]
    addresses += [reverse("admin:index"), reverse("console:desk"), reverse("console:next")]
    addresses += [reverse("console:candidate", args=[scene.in_review.pk])]
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 302, address
        assert answer["Location"].startswith(reverse("admin:login")), address


def test_an_auditor_reads_everything_and_changes_nothing(scene: Scene) -> None:
    client = _signed_in("Auditor")
    before = _rows("audit.ledgercheck")  # that somebody verified is recorded
    for model in MODELS:
        if model._meta.app_label != "auth":
            assert client.get(_address(model, "changelist")).status_code == 200, model
    assert client.get(reverse("console:candidate", args=[scene.published.pk])).status_code == 200
    assert client.post(reverse("console:verify_ledger")).status_code == 200
    assert _rows("audit.ledgercheck") == before


def test_an_administrator_cannot_become_a_superuser_or_touch_one() -> None:
    root = User.objects.create_superuser("root@example.com", "root@example.com", people.PASSWORD)
    client = _signed_in("Administrator")
    me = User.objects.latest("pk")
    client.post(
        _address(User, "change", me.pk),
        {
            "username": me.username,
            "email": me.email,
            "is_active": "on",
            "is_staff": "on",
            "is_superuser": "on",
            "user_permissions": ["1"],
            "groups": list(me.groups.values_list("pk", flat=True)),
        },
    )
    me.refresh_from_db()
    assert not me.is_superuser
    assert not me.user_permissions.exists()
    assert client.get(_address(User, "change", root.pk)).status_code == 302  # as if it did not exist
    assert client.get(reverse("admin:auth_user_password_change", args=[root.pk])).status_code in (302, 404)


def test_an_account_given_a_role_leaves_a_line_without_a_name() -> None:
    client = _signed_in("Administrator")
    person = people.outsider()
    group = people.reviewer().groups.get()
    answer = client.post(
        _address(User, "change", person.pk),
        {"username": person.username, "email": person.email, "is_active": "on", "is_staff": "on", "groups": [group.pk]},
    )
    assert answer.status_code == 302
    line = LedgerEntry.objects.get(action="accounts.user.changed")
    assert line.payload["roles"] == ["Reviewer"]
    assert "@" not in str(line.payload) + line.subject + line.actor


def test_an_edited_fact_changes_the_hash_and_leaves_a_line() -> None:
    client = _signed_in("Administrator")
    product = make.product(facts={"capacity": "350 ml"})
    fact = product.facts.get()
    form = {
        "sku": product.sku,
        "title": product.title,
        "localized_titles": "{}",
        "locale": "en",
        "brand": product.brand,
        "category": product.category,
        "price": "18.50",
        "currency": "EUR",
        "facts-TOTAL_FORMS": 1,
        "facts-INITIAL_FORMS": 1,
        "facts-0-id": fact.pk,
        "facts-0-product": product.pk,
        "facts-0-locale": "en",
        "facts-0-name": "capacity",
        "facts-0-value": "400 ml",
        "facts-0-kind": "quantity",
        "facts-0-number": "400",
        "facts-0-unit": "ml",
        "facts-0-position": 0,
    }
    answer = client.post(_address(Product, "change", product.pk), form)
    assert answer.status_code == 302
    edited = Product.objects.get(pk=product.pk)
    assert edited.facts_hash != product.facts_hash
    assert LedgerEntry.objects.get(action="catalog.product.edited").payload["facts_after"] == edited.facts_hash


def test_no_candidate_was_touched_by_looking(scene: Scene) -> None:
    before = list(Candidate.objects.order_by("pk").values_list("pk", "status"))
    client = _signed_in("Senior reviewer")
    client.get(reverse("admin:index"))
    client.get(reverse("console:candidate", args=[scene.blocked.pk]))
    assert list(Candidate.objects.order_by("pk").values_list("pk", "status")) == before
