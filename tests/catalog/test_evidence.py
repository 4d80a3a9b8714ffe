"""Proofs of facts: who may attach what, that they follow the statement, and what screening sees of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from audit.models import LedgerEntry
from catalog.evidence import attach_evidence, path_of, proven_facts, read_evidence, withdraw_evidence
from catalog.models import FactEvidence, Product, ProductFact
from catalog.slots import Slot
from core.exceptions import PermanentError
from moderation.drafting import generation, screening
from tests import factories as make
from tests import people

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\nTest report 4711"
FIRST = "The first mug in the world with a folding handle"


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.FACT_EVIDENCE = replace(settings.FACT_EVIDENCE, folder=tmp_path / "evidence", max_bytes=1000)
    return tmp_path / "evidence"


@pytest.fixture
def product() -> Product:
    return make.product(facts={"material": "stoneware", "award": FIRST})


def attached(product: Product, *, fact: str = "award", content: bytes = PDF, **fields: Any) -> FactEvidence:
    values = {"file_name": "report.pdf", "note": "TÜV, 2026", "actor": people.people("Administrator"), **fields}
    return attach_evidence(product, fact_id=product.facts.get(name=fact).pk, content=content, **values)


def test_a_proof_is_kept_under_the_hash_of_its_content_and_noted_in_the_ledger(product: Product, folder: Path) -> None:
    proof = attached(product)
    assert path_of(proof.sha256).is_relative_to(folder)
    assert read_evidence(proof) == PDF
    assert proven_facts(product) == {("award", FIRST)}
    line = LedgerEntry.objects.get(action="catalog.fact.evidence_attached")
    assert line.payload["sha256"] == proof.sha256
    # What a file is called may name a person.
    assert "report.pdf" not in str(line.payload)


@pytest.mark.parametrize("role", ["Reviewer", "Senior reviewer", "Auditor", "ML engineer"])
def test_only_who_may_edit_facts_attaches_a_proof(product: Product, role: str) -> None:
    with pytest.raises(PermissionDenied):
        attached(product, actor=people.people(role))


@pytest.mark.parametrize(
    "content", [b"", b"<script>alert(1)</script>", b"MZ\x90\x00", b"GIF89a", b"<svg onload=x>", PDF + b"x" * 1000]
)
def test_a_file_that_is_no_proof_or_too_big_is_refused(product: Product, content: bytes) -> None:
    with pytest.raises(PermanentError):
        attached(product, content=content)
    assert not FactEvidence.objects.exists()


def test_a_fact_of_another_product_takes_no_proof(product: Product) -> None:
    other = make.product(facts={"award": "Best in show"})
    with pytest.raises(PermanentError, match="no such fact"):
        attach_evidence(
            product,
            fact_id=other.facts.get().pk,
            content=PDF,
            file_name="x.pdf",
            note="",
            actor=people.people("Administrator"),
        )


def test_a_proof_stays_with_the_statement_and_not_with_the_row(product: Product) -> None:
    attached(product)
    ProductFact.objects.filter(product=product).delete()  # as an import does that changes another fact
    make.fact(product, "award", FIRST)
    assert proven_facts(product) == {("award", FIRST)}
    assert generation.brief_for(Slot(product, "description", "en")).facts[0].has_evidence
    product.facts.update(value="The first mug with a folding handle and a lid")
    product = Product.objects.get(pk=product.pk)
    assert not generation.brief_for(Slot(product, "description", "en")).facts[0].has_evidence


def test_a_withdrawn_proof_counts_no_more_and_stays_on_record(product: Product) -> None:
    proof, actor = attached(product), people.people("Administrator")
    with pytest.raises(PermanentError, match="reason"):
        withdraw_evidence(proof, actor=actor, reason=" ")
    withdraw_evidence(proof, actor=actor, reason="The report was recalled.")
    assert proven_facts(product) == set()
    assert read_evidence(proof) == PDF
    with pytest.raises(PermanentError, match="before"):
        withdraw_evidence(proof, actor=actor, reason="Again.")


def test_a_file_that_was_changed_is_not_handed_out(product: Product) -> None:
    proof = attached(product)
    path_of(proof.sha256).write_bytes(PDF + b"!")
    with pytest.raises(PermanentError, match="changed"):
        read_evidence(proof)
    path_of(proof.sha256).unlink()
    with pytest.raises(PermanentError, match="missing"):
        read_evidence(proof)


def test_a_first_passes_screening_once_it_is_proven(product: Product) -> None:
    candidate = make.candidate(
        request=make.generation_request(product_=product), text=f"{FIRST}, for the table by the window."
    )

    def codes() -> set[tuple[str, str]]:
        return {
            (f.code, f.severity)
            for f in screening.find_problems(screening.draft_of(candidate))
            if "claim" in f.evidence
        }

    assert ("unproven_claim", "warn") in codes()
    attached(product)
    assert ("proven_claim", "info") in codes()
    assert ("unproven_claim", "warn") not in codes()
