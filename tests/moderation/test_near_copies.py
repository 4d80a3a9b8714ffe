"""Copy that repeats live copy of another product is found at screening; a look-up that fails lets nothing pass."""

from __future__ import annotations

import pytest
from django.db import connection

from catalog.models import PublishedCopy
from moderation.drafting import near_copies, screening
from moderation.live import publication
from moderation.models.candidates import Candidate, Finding
from moderation.models.signatures import LiveSignature
from tests import factories as make
from tests import people

pytestmark = pytest.mark.django_db
TEXT = (
    "This stoneware mug holds your morning coffee and keeps it warm while you read the paper. The glaze is fired twice, "
    "the handle fits three fingers, and the foot is left bare so that it stands well on wood."
)


def live(text: str = TEXT, **fields: object) -> PublishedCopy:
    copy = make.published_copy(make.candidate(text=text, **fields))
    near_copies.remember(copy)
    return copy


def findings(candidate: Candidate) -> list[Finding]:
    return [f for f in screening.find_problems(screening.draft_of(candidate)) if f.check_name == "near_duplicate"]


def test_a_draft_that_repeats_live_copy_of_another_product_warns() -> None:
    copy = live()
    (finding,) = findings(make.candidate(text=TEXT.replace("three", "four")))
    assert (finding.severity, finding.evidence["like"]) == ("warn", [f"catalog.publishedcopy:{copy.pk}"])
    assert copy.product.sku in finding.message
    assert findings(make.candidate(text="A plain white plate for every day of the week.")) == []


def test_a_products_own_copy_is_no_duplicate() -> None:
    copy = live()
    assert findings(make.candidate(request=make.generation_request(product_=copy.product, round=2), text=TEXT)) == []


def test_retired_copy_is_no_duplicate() -> None:
    copy = live()
    publication.retire(copy, actor=people.people("Senior reviewer"), reason="Out of season.")
    assert not LiveSignature.objects.exists()
    assert findings(make.candidate(text=TEXT)) == []


def test_a_lookup_that_fails_lets_nothing_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    candidate = make.candidate(text=TEXT, status=Candidate.Status.GENERATED)

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no index")

    monkeypatch.setattr(near_copies, "find_alike", fail)
    screening.screen_candidates()
    candidate.refresh_from_db()
    candidate.request.refresh_from_db()
    assert candidate.status == Candidate.Status.GENERATED
    assert "no index" in candidate.request.last_error


def test_the_lookup_uses_its_index() -> None:
    copies = [make.published_copy(make.candidate(text=f"{TEXT} {n}")) for n in range(3)]
    for copy in copies:
        near_copies.remember(copy)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        query = LiveSignature.objects.filter(bands__overlap=[1, 2, 3])
        assert "live_signature_bands" in query.explain()
