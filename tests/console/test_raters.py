"""The pages about raters of imports: how far they agree with our own people, and who answers for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labeling import approvals
from moderation.label_exchange.importing import rater_of, source_of
from moderation.models.reviews import ReviewItem
from tests import people
from tests.moderation.imported_raters import ACTOR, ALL, FLIPPED, answer_ourselves, bring, said, score, truth

pytestmark = pytest.mark.django_db


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_person_sees_the_agreement_before_they_answer_for_anybody(tmp_path: Path) -> None:
    rows = [*said(ALL, "ann"), *said(10, "gpt-4o", says=lambda i: FLIPPED[truth(i)])]
    run = bring(tmp_path / "x.jsonl", rows, actor=ACTOR)
    address, senior = reverse("console:raters_of_import", args=[run.pk]), signed_in(people.senior())
    page = senior.get(address).content.decode()
    for words in (
        "a command that named nobody, so two people answer",
        "nobody can answer for it yet",
        "too few",
        "answered 0 of its texts",
        "Ask our people about so many",
    ):
        assert words in page, words
    back = senior.post(reverse("console:ask_about_import", args=[run.pk]), {"n": "5"}, follow=True)
    assert "asked as they are asked about other reviews" in back.content.decode()
    assert ReviewItem.objects.count() == 5
    answer_ourselves()
    page = senior.get(address, {"name": "gpt-4o"}).content.decode()
    for words in ("79%", "left out", "fewer than half, beyond chance", f"is kept as <code>{rater_of('gpt-4o')}"):
        assert words in page, words
    ticked = {"rater": [rater_of("ann")], "reason": "I know Ann"}
    approve = reverse("console:approve_raters", args=[run.pk])
    assert "1 more person has to answer" in senior.post(approve, ticked, follow=True).content.decode()
    assert "already" in senior.post(approve, ticked, follow=True).content.decode()
    signed_in(people.ml_engineer()).post(approve, ticked)
    assert approvals.approved_raters() == {(source_of(run), rater_of("ann"))}
    page = senior.get(address).content.decode()
    assert "a person</span>" in page
    wrong = {"rater": [rater_of("gpt-4o")], "reason": "mine"}
    assert "nobody can answer for" in senior.post(approve, wrong, follow=True).content.decode()
    assert "Nobody is ticked" in senior.post(approve, {"reason": "x"}, follow=True).content.decode()
    listed = senior.get(reverse("console:raters")).content.decode()
    assert address in listed
    withdraw = reverse("console:withdraw_raters", args=[run.pk])
    for raters, words in (([], "Nobody is ticked"), ([rater_of("bob")], "nobody answers for them")):
        assert words in senior.post(withdraw, {"reason": "no", "rater": raters}, follow=True).content.decode()
        assert approvals.approved_raters() == {(source_of(run), rater_of("ann"))}
    senior.post(withdraw, {"reason": "no", "rater": [rater_of("ann")]})
    assert approvals.approved_raters() == set()


def test_a_file_that_copies_the_champion_is_shown_as_one(tmp_path: Path) -> None:
    told = score(60, right=0.8)
    run = bring(tmp_path / "x.jsonl", said(60, "ann", says=told))
    answer_ourselves(60)
    page = signed_in(people.auditor()).get(reverse("console:raters_of_import", args=[run.pk])).content.decode()
    assert "sides with the model v1 where our people contradict it" in page
    assert "Answer for those ticked" not in page


def test_who_may_not_look_or_answer_does_neither(tmp_path: Path) -> None:
    run = bring(tmp_path / "x.jsonl", said(ALL, "ann"))
    answer_ourselves()
    addresses = [reverse("console:raters"), reverse("console:raters_of_import", args=[run.pk])]
    for address in addresses:
        assert signed_in(people.reviewer()).get(address).status_code == 403
        assert signed_in(people.auditor()).get(address).status_code == 200
    ticked = {"rater": [rater_of("ann")], "reason": "Ann", "n": "5"}
    for name in ("approve_raters", "withdraw_raters", "ask_about_import"):
        address = reverse(f"console:{name}", args=[run.pk])
        assert signed_in(people.auditor()).post(address, ticked).status_code == 403
        assert signed_in(people.senior()).get(address).status_code == 405
    assert approvals.approved_raters() == set()
    senior = signed_in(people.senior())
    assert senior.post(reverse("console:ask_about_import", args=[run.pk]), {"n": "many"}).status_code == 400
    assert senior.get(reverse("console:raters_of_import", args=[10**18])).status_code == 404
    assert (
        senior.get(reverse("console:raters_of_import", args=[run.pk]), {"name": "<b>", "page": "x"}).status_code == 200
    )
