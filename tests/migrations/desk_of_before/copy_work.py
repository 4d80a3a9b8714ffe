"""Products, and copy: ordered, written, screened, decided, live, taken down."""

from __future__ import annotations

import json
from typing import Any

from desk_of_before import ROOT
from desk_of_before.people import Desk, People, push, rules, sign


def shop(who: People) -> None:
    """The demo shop; a product edited, a fact with a proof, a proof withdrawn, an import that met bad rows."""
    from catalog.demo.loading import load_demo
    from catalog.editing import record_edit
    from catalog.evidence import attach_evidence, withdraw_evidence
    from catalog.importing import import_reviews
    from catalog.models import CustomerReview, Product

    load_demo(actor=who.admin)
    # A small shop: what stays has everything, and a dump of all of it would be big.
    kept = set(Product.objects.order_by("sku").values_list("pk", flat=True)[:15])
    CustomerReview.objects.exclude(product__in=kept).delete()
    Product.objects.exclude(pk__in=kept).delete()
    product = Product.objects.order_by("sku").first()
    product.title += " II"
    product.save()
    record_edit(product, actor=who.admin)
    fact = product.facts.first()
    proof = {
        "content": b"%PDF-1.7\nTest report 4711",
        "file_name": "report.pdf",
        "note": "laboratory",
        "actor": who.admin,
    }
    attach_evidence(product, fact_id=fact.pk, **proof)
    second = attach_evidence(product, fact_id=product.facts.last().pk, **{**proof, "content": b"%PDF-1.7\nAnother"})
    withdraw_evidence(second, actor=who.admin, reason="of another batch")
    bad = ROOT / "reviews_of_another_shop.jsonl"
    rows = [{"id": f"other-{n}", "sku": product.sku, "text": f"good mug, number {n}", "rating": 4} for n in range(6)]
    bad.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"id": "other-7"}\n')
    run = import_reviews(bad, actor=who.admin)
    type(run).objects.create(
        kind="reviews",
        file_name="broken.jsonl",
        file_hash="b" * 64,
        feed_format="jsonl",
        status="interrupted",
        n_rows=3,
    )


def drafts(who: People) -> list[Any]:
    """Copy ordered, written, screened; orders that failed, were cancelled, wait and are being written."""
    from django.conf import settings

    from catalog.models import Product
    from core import leases
    from inference import loader
    from moderation import generation, requests, screening
    from moderation.models.candidates import Candidate
    from tests import factories
    from tests.moderation.conftest import GOOD, REFUSAL, WRONG

    loader.forget()
    factories.model_version("validity", backend="acceptable", artifact_hash="", name="welcome-for-tests")
    factories.model_version("encoder", backend="word_vectors", artifact_hash="", name="words-for-tests")
    texts = [GOOD, REFUSAL, WRONG, GOOD.replace("tea or coffee", "tea, and you are welcome to it")]
    factories.model_version(
        "copywriter",
        backend="scripted",
        artifact_hash="",
        name="script-for-tests",
        options={"texts": texts, "poison": "Cursed"},
    )
    mugs = [factories.product(title="Harbour mug 1", sku=f"MUG-{n:02}") for n in range(24)]
    cursed = [factories.product(title="Cursed mug", sku=f"CURSED-{n}") for n in range(2)]
    order = {"channels": ["description"], "locales": ["en"], "actor": who.admin}
    generation.request_copy([*mugs, *cursed], n_candidates=4, **order)
    generation.request_copy(mugs[:6], **{**order, "channels": ["ad_slogan", "recommendation"]}, n_candidates=2)
    generation.request_copy(mugs[:3], **order, n_candidates=1, round=2)
    while generation.drain_generation():
        pass
    while screening.screen_candidates():
        pass
    shop_products = list(Product.objects.exclude(sku__startswith="MUG").order_by("sku")[:6])
    waiting = generation.request_copy(shop_products, **order, n_candidates=1).created
    requests.cancel_request(waiting[0], actor=who.admin)
    held = leases.claim(generation.QUEUED, n=1, duration=settings.LEASES["WORK"])
    type(held[0]).objects.filter(pk=held[0].pk).update(status="generating")
    # One draft of each status that the flow has already left behind when it is looked at.
    factories.candidate(GOOD, status="generated")
    for status in sorted(set(Candidate.Status.values) - set(Candidate.objects.values_list("status", flat=True))):
        if status not in ("published", "approved", "rejected"):
            factories.candidate(f"{GOOD} ({status})", status=status)
    return mugs


def copy_decided(who: People) -> None:
    """Drafts approved, fixed, rejected, confirmed by two, overruled, escalated, returned; items on their way."""
    from moderation import confirmations, queue, review, screening
    from moderation.models.candidates import Candidate
    from moderation.models.reviews import ReviewItem
    from tests import factories
    from tests.moderation.conftest import GOOD

    desk, kind = Desk(), "copy_review"
    review.open_reviews()
    push()
    one, two, three, four, five = who.reviewers
    fixed = "Harbour mug by Tideway: a sea green stoneware mug that holds 350 ml."
    for n in range(5):
        desk.answers(one, kind, verdict="accept")
        desk.answers(
            two, kind, verdict="fix", fixed_text=f"{fixed} Batch {n}.", reason_codes=["tone"], comment="shorter"
        )
        desk.answers(
            three, kind, verdict="reject", reason_codes=["wrong_fact"], comment="Not the mug I know, says Ruth."
        )
    desk.answers(who.leaver, kind, verdict="accept", comment="Fine, says Lou.")
    desk.answers(who.leaver, kind, escalate=True, comment="I know the maker, says Lou.")
    escalated = desk.answers(four, kind, escalate=True, comment="Is this a claim? Ask the maker.")
    assert escalated is not None
    for text, upto in (("claims health, one", "confirm"), ("claims health, two", "return"), ("claims, three", "wait")):
        draft = factories.candidate(f"{GOOD} It {text}.", status="in_review", rank=1)
        factories.finding(draft, "sea green", code="health_claim")
        item = factories.review_item(draft)
        factories.answer(item, who.seniors[0], verdict="accept", comment="the certificate is on file")
        desk.settle()
        item.refresh_from_db()
        assert item.status == "confirming", item.status
        if upto == "confirm":
            confirmations.confirm(item, proposal=item.proposal_id, actor=who.seniors[1], note="seen it")
        elif upto == "return":
            confirmations.return_(item, proposal=item.proposal_id, actor=who.seniors[1], reason="of another mug")
    blocked = Candidate.objects.filter(status="blocked", findings__severity="block").first()
    screening.overrule_block(blocked, actor=who.seniors[2], reason="an award was won")
    # A panel of two about a draft, one of whom has answered.
    rules(num_reviewers_per_item=2)
    factories.candidate(f"{GOOD} For two.", status="in_review", rank=1)
    factories.candidate(f"{GOOD} For two, too.", status="in_review", rank=1)
    review.open_reviews()
    push()
    rules(num_reviewers_per_item=1)
    lead = ReviewItem.objects.filter(kind=kind, seats__isnull=False).order_by("created_at").first()
    for item, user in ((lead, one), (lead.seats.get(), two)):
        factories.lease(item, user)
        factories.answer(item, user, verdict="accept")
        desk.settle()
    other = ReviewItem.objects.filter(kind=kind, seats__isnull=False).exclude(pk=lead.pk).first()
    factories.lease(other, three)
    factories.answer(other, three, verdict="accept")
    desk.settle()
    # With people now, under leases that run; and one that was let go of.
    for user in (four, five):
        push()
        assert queue.next_item(user, kind=kind) is not None
    queue.release_item(queue.held_by(five), actor=five)
    senior = ReviewItem.objects.filter(status="escalated", assignee=None).first()
    assert senior is not None
    sign()


def live_copy(who: People, mugs: list[Any]) -> None:
    """Copy taken down, appeals of each outcome, policies, retro-scans that recall and put back, marks looked at."""
    from catalog.models import PublishedCopy
    from moderation import appeals, policies, publication, retro_scan
    from moderation.models.reviews import Decision
    from monitoring.models import MarkCheck
    from tests import factories
    from tests.moderation.test_policies import changed

    live = list(PublishedCopy.objects.filter(retired_at=None).order_by("published_at"))
    publication.retire(live[0], actor=who.seniors[0], reason="A complaint of Mr Moor.", reason_codes=["legal_risk"])
    publication.retire(live[1], actor=who.seniors[0], reason="out of season")
    rejected = list(Decision.objects.filter(outcome="reject").order_by("created_at")[:4])
    filed = [appeals.appeal(one, actor=who.merchant, reason="It says what the facts say.") for one in rejected[:3]]
    appeals.judge(filed[0], actor=who.seniors[1], overturn=False, answer="The mug is blue.")
    appeals.judge(filed[1], actor=who.seniors[1], overturn=True, answer="It does.")
    retired = Decision.objects.filter(outcome="retire").order_by("created_at").first()
    again = appeals.appeal(retired, actor=who.merchant, reason="The complaint was about another shop.")
    appeals.judge(again, actor=who.seniors[1], overturn=True, answer="So it was.")
    stricter, _ = policies.store_version(changed(terms=["sea green"], bad=["sea green"]), actor=who.admin)
    for n, severity in enumerate(("warn", "block", "warn")):
        scan = retro_scan.start(stricter, actor=who.admin, reason="A word nobody likes.", severity=severity)
        if n == 2:
            continue  # it waits for its turn
        _work(scan)
        if n == 0 and scan.hits.exists():
            retro_scan.recall(scan, actor=who.seniors[2], reason="none of it")
            _work(scan)
            retro_scan.undo(scan, actor=who.seniors[2], reason="we like it after all")
            _work(scan)
    policies.activate(stricter, actor=who.admin, reason="for the new season")
    policies.activate(stricter.__class__.objects.get(number=1), actor=who.admin, reason="and back")
    for n, copy in enumerate(PublishedCopy.objects.filter(retired_at=None)[:4]):
        MarkCheck.objects.create(
            copy=copy,
            at=factories.timezone.now(),
            url=f"https://shop.example.com/{copy.product.sku}",
            outcome=MarkCheck.Outcome.values[n],
            details={"json_ld": n == 0},
        )
    sign()


def _work(scan: Any) -> None:
    from moderation import retro_scan

    while retro_scan.run_next(scan):
        pass
    scan.refresh_from_db()
