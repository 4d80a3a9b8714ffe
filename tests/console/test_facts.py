"""The page of facts and proofs: who sees it, who may attach, and how a file is handed out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from catalog.models import FactEvidence, Product
from moderation.drafting import screening
from tests import factories as make
from tests import people

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\nTest report 4711"


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> None:
    settings.FACT_EVIDENCE = replace(settings.FACT_EVIDENCE, folder=tmp_path / "evidence", max_bytes=1000)


def signed_in(role: str | None) -> Client:
    client = Client()
    client.force_login(people.people(role))
    return client


def attach(client: Client, product: Product, *, content: bytes = PDF, name: str = "report.pdf") -> Any:
    fields = {
        "fact": product.facts.get(name="material").pk,
        "note": "<b>TÜV</b>",
        "file": SimpleUploadedFile(name, content),
    }
    return client.post(reverse("console:attach_proof", args=[product.pk]), fields, follow=True)


def test_an_administrator_attaches_a_proof_and_everybody_at_work_sees_it() -> None:
    product = make.product()
    assert "The proof is attached" in attach(signed_in("Administrator"), product, name="<i>.pdf").content.decode()
    html = signed_in("Reviewer").get(reverse("console:facts", args=[product.pk])).content.decode()
    assert "&lt;i&gt;.pdf" in html
    assert "&lt;b&gt;TÜV&lt;/b&gt;" in html
    assert "Attach a proof" not in html


def test_who_may_not_edit_facts_attaches_nothing() -> None:
    product = make.product()
    for role in ("Reviewer", "Auditor", None):
        assert attach(signed_in(role), product).status_code == 403
    assert not FactEvidence.objects.exists()


def test_a_bad_file_is_told_and_not_kept() -> None:
    product = make.product()
    assert "neither PDF" in attach(signed_in("Administrator"), product, content=b"<html>").content.decode()
    assert "At most" in attach(signed_in("Administrator"), product, content=PDF + b"x" * 2000).content.decode()


def test_a_file_comes_as_a_download_to_who_may_see_it() -> None:
    product = make.product()
    attach(signed_in("Administrator"), product)
    address = reverse("console:proof", args=[FactEvidence.objects.get().pk])
    answer = signed_in("Auditor").get(address)
    assert answer.content == PDF
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert signed_in(None).get(address).status_code == 403
    assert Client().get(address).status_code == 302


def test_a_proof_is_withdrawn_with_a_reason() -> None:
    product, client = make.product(), signed_in("Administrator")
    attach(client, product)
    proof = FactEvidence.objects.get()
    answer = client.post(reverse("console:withdraw_proof", args=[proof.pk]), {"reason": "Recalled."}, follow=True)
    assert "Proofs that do not count now" in answer.content.decode()


def test_the_candidate_page_shows_each_claim_with_its_fact_or_without() -> None:
    product = make.product(facts={"material": "stoneware", "colour": "navy"})
    candidate = make.candidate(
        request=make.generation_request(product_=product), text="A stoneware mug in red, 28 cm tall."
    )
    screening.save_findings(candidate, screening.find_problems(screening.draft_of(candidate)))
    html = signed_in("Reviewer").get(reverse("console:candidate", args=[candidate.pk])).content.decode()
    claims = html[html.index('data-part="claims"') :]
    assert "1 of 3 backed" in claims
    assert "✓ <bdi>material</bdi>" in claims
    assert "nearest: <bdi>colour: navy</bdi>" in claims
    assert "proposed: <bdi>navy</bdi> in the place of <bdi>red</bdi>" in html
    assert "proposed: cut <bdi>, 28 cm tall</bdi>" in html
