"""The pages about labels and about who gives them."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.refs import ref
from labeling import labels, raters
from labeling.models import Label, LabelCheck, LabelingProject, LabelIssue, Vote
from moderation.decisions import sending_back, settling
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out, seats
from tests import factories, people
from tests.moderation.test_panels import push
from tests.scenes import HOSTILE

pytestmark = pytest.mark.django_db
KIND, NAMES = "sentiment", ("positive", "negative", "neutral")


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def labelled_queue(n: int = 260) -> list[Any]:
    """A queue that four people have worked on for weeks: votes, labels, flags that were judged and some that wait."""
    rng, now = random.Random(2), timezone.now()
    raters = [people.reviewer() for _ in range(4)]
    for person, name in zip(raters, ("ada", "ben", "carla", "dmitri"), strict=True):
        type(person).objects.filter(pk=person.pk).update(username=name)
    product = factories.product()
    for number in range(n):
        text = HOSTILE if not number else f"It keeps tea hot, mostly ({number})."
        subject, truth = ref(factories.customer_review(text, product=product)), rng.choice(NAMES)
        at = now - timezone.timedelta(days=rng.randrange(60))
        for person, right in rng.sample(list(zip(raters, (0.95, 0.9, 0.85, 0.6), strict=True)), 3):
            said = truth if rng.random() < right else rng.choice(NAMES)
            labels.record_vote(
                KIND,
                subject,
                rater=labels.rater_of(person),
                label=said,
                purpose="label",
                at=at,
                suggestion=truth,
                is_assisted=rng.random() < 0.6,
                seconds=rng.uniform(4, 20),
            )
        labels.record_label(KIND, subject, label=truth, method="majority", quality=0.8, n_votes=3, at=at)
        if number % 3 == 0:
            LabelIssue.objects.create(
                question=KIND,
                subject=subject,
                given=truth,
                suggested=rng.choice(NAMES),
                score=number / n,
                methods=["cleanlab", "loss"],
                status="open" if number < 60 else rng.choice(["confirmed", "dismissed"]),
                judged_at=None if number < 60 else at,
            )
    LabelCheck.objects.create(
        question=KIND,
        reason="the first search",
        status="completed",
        n_labels=n,
        n_issues=40,
        report={"n_new": 40},
        started_at=now,
        finished_at=now,
    )
    return raters


def test_the_page_shows_agreement_confusion_anchoring_flags_and_people() -> None:
    labelled_queue()
    answer = signed_in(people.administrator()).get(reverse("console:label_quality", args=[KIND]))
    words = answer.content.decode()
    assert answer.status_code == 200
    for expected in (
        "Krippendorff",
        "Gwet",
        "Who agrees with whom",
        "ada",
        "What the suggestion does to answers",
        "How often a flag was right",
        "In doubt now",
        "right on known answers",
        "α by week",
    ):
        assert expected in words
    assert "<script>alert" not in words, "customers' texts are escaped"


def test_the_page_says_what_the_quality_of_a_consensus_rests_on() -> None:
    labelled_queue(40)

    def words() -> str:
        return signed_in(people.auditor()).get(reverse("console:label_quality", args=[KIND])).content.decode()

    assert "is told from crowds elsewhere: nothing is known here yet" in words()
    for number in range(20):
        labels.record_vote(
            KIND,
            f"known:{number}",
            rater="user:1",
            label="neutral",
            purpose="gold",
            at=timezone.now(),
            expected="neutral",
        )
    raters.fit(KIND)
    assert "was measured on 20 known answers and verdicts of seniors here" in words()
    assert "Of what people are asked 20 % are drawn by lot" in words()


def test_labels_that_a_file_leaves_open_are_named() -> None:
    subject = ref(factories.customer_review("Even", product=factories.product()))
    LabelIssue.objects.create(question=KIND, subject=subject, given="", score=0, methods=["tie"])
    words = signed_in(people.auditor()).get(reverse("console:label_quality", args=[KIND])).content.decode()
    assert "none: the votes of a file are tied" in words


def test_an_empty_queue_says_what_is_missing() -> None:
    words = signed_in(people.auditor()).get(reverse("console:label_quality", args=["copy_verdict"])).content.decode()
    assert "No item was answered by two people yet" in words
    assert "No search was made yet" in words
    assert "Search for wrong labels now" not in words, "an auditor starts nothing"


def test_who_may_not_see_labels_does_not_see_the_page() -> None:
    for who in (people.reviewer(), people.outsider()):
        assert signed_in(who).get(reverse("console:label_quality", args=[KIND])).status_code == 403
        assert signed_in(who).post(reverse("console:check_labels", args=[KIND])).status_code == 403
    assert signed_in(people.senior()).get(reverse("console:label_quality", args=[KIND])).status_code == 200
    assert signed_in(people.administrator()).get("/console/label-quality/nothing/").status_code == 404


def test_a_search_is_started_by_a_button_and_its_progress_is_shown() -> None:
    client = signed_in(people.ml_engineer())
    few = client.post(reverse("console:check_labels", args=[KIND]), follow=True).content.decode()
    assert "too few to find wrong ones" in few
    labelled_queue()
    client.post(reverse("console:check_labels", args=[KIND]))
    check = LabelCheck.objects.get(status="planned")
    LabelCheck.objects.filter(pk=check.pk).update(status="running", stage="Embedding texts", n_done=30, n_total=120)
    words = client.get(reverse("console:label_checks", args=[KIND])).content.decode()
    assert "Embedding texts" in words
    assert 'aria-valuenow="25"' in words


def test_a_reviewer_sees_their_own_work_and_nobody_elses() -> None:
    ada, *_ = labelled_queue()
    words = signed_in(ada).get(reverse("console:my_work")).content.decode()
    assert "at one with the others" in words
    assert str(Vote.objects.filter(rater=f"user:{ada.pk}").count()) in words
    assert "ben" not in words.replace("between", "")
    assert signed_in(people.auditor()).get(reverse("console:my_work")).status_code == 403


@pytest.fixture
def panel(settings: Any) -> ReviewItem:
    """An item that three people are asked about, of whom one has answered."""
    rules = settings.MODERATION.queue | {"num_reviewers_per_item": 3, "rereview_percent": 0}
    settings.MODERATION = replace(settings.MODERATION, queue=rules)
    factories.candidate(status="in_review", rank=1)
    settling.open_reviews()
    LabelingProject.objects.update(ls_project_id=7)
    push()
    return ReviewItem.objects.get(lead=None)


def test_the_page_of_a_panel_hides_answers_from_who_may_be_asked_next(panel: ReviewItem) -> None:
    one, other, senior = people.reviewer(), people.reviewer(), people.senior()
    item = handing_out.next_item(one)
    factories.answer(item, one, verdict="reject", reason_codes=["tone"])
    settling.settle_decisions()
    page = reverse("console:panel", args=[panel.pk])
    assert "hidden until it is decided" in signed_in(other).get(page).content.decode()
    assert "reject</span>" not in signed_in(other).get(page).content.decode()
    assert "reject</span>" in signed_in(senior).get(page).content.decode()
    assert "reject</span>" in signed_in(one).get(page).content.decode(), "their own"


def test_a_senior_sends_back_asks_more_people_and_sets_a_known_answer(panel: ReviewItem) -> None:
    one, senior = people.reviewer(), signed_in(people.senior())
    item = handing_out.next_item(one)
    factories.answer(item, one, verdict="reject", reason_codes=["tone"])
    settling.settle_decisions()
    senior.post(reverse("console:send_back", args=[item.pk]), {"reason": "Look at the material.", "to": "same"})
    item.refresh_from_db()
    assert (item.status, item.returned_reason) == ("dispatched", "Look at the material.")
    assert "Look at the material." in signed_in(one).get(reverse("console:my_work")).content.decode()
    senior.post(reverse("console:ask_more", args=[panel.pk]), {"n": "5"})
    assert ReviewItem.objects.filter(lead=panel, purpose="label").count() == 4
    words = senior.post(reverse("console:set_gold", args=[panel.pk]), {"label": "reject"}, follow=True).content.decode()
    assert "Only what is decided has a known answer" in words
    ReviewItem.objects.filter(pk=panel.pk).update(status="decided")
    Label.objects.create(
        question=panel.question,
        subject=ref(panel.subject),
        label="reject",
        method="majority",
        labelled_at=timezone.now(),
    )
    senior.post(reverse("console:set_gold", args=[panel.pk]), {"label": "reject"})
    panel.refresh_from_db()
    assert panel.gold_label == "reject"


def test_a_reviewer_can_do_none_of_that(panel: ReviewItem) -> None:
    client = signed_in(people.reviewer())
    for name in ("send_back", "ask_more", "set_gold"):
        assert client.post(reverse(f"console:{name}", args=[panel.pk]), {"n": "5", "reason": "x"}).status_code == 403


def test_who_works_the_queue_is_not_told_what_tests_them_or_what_others_said(panel: ReviewItem) -> None:
    one, other = people.reviewer(), people.reviewer()
    factories.answer(handing_out.next_item(one), one, verdict="reject", reason_codes=["tone"])
    settling.settle_decisions()
    ReviewItem.objects.filter(pk=panel.pk).update(status="decided", gold_label="reject", suggestion="accept")
    Label.objects.create(
        question=panel.question,
        subject=ref(panel.subject),
        label="reject",
        method="majority",
        labelled_at=timezone.now(),
    )
    panel.refresh_from_db()
    test = seats.add_seat(panel, purpose="gold")
    listing, page = reverse("admin:moderation_reviewitem_changelist"), reverse("console:panel", args=[panel.pk])
    for who, may in ((other, False), (people.senior(), True), (people.auditor(), True)):
        client = signed_in(who)
        listed, words = client.get(listing).content.decode(), client.get(page).content.decode()
        assert (str(test.pk) in listed, "Known answer" in listed, "Known answer" in words) == (may, may, may)
        assert ("the model suggests" in words, "reject</span>" in words, "reject · majority" in words) == (
            may,
            may,
            may,
        )
        assert client.get(reverse("console:panel", args=[test.pk])).status_code == (200 if may else 404)


def test_the_candidates_page_opens_ones_own_task_and_nobody_elses(panel: ReviewItem) -> None:
    one, other = people.reviewer(), people.reviewer()
    factories.lease(panel, one)
    seat = panel.seats.first()
    address = reverse("console:open_task", args=[panel.candidate_id])
    assert signed_in(one).get(address).url.endswith(f"?item={panel.pk}")
    assert signed_in(other).get(address).status_code == 404
    factories.lease(seat, other)
    assert signed_in(other).get(address).url.endswith(f"?item={seat.pk}")


def test_next_says_that_what_was_sent_back_is_on_its_way(panel: ReviewItem) -> None:
    one = people.reviewer()
    factories.answer(handing_out.next_item(one), one, verdict="reject", reason_codes=["tone"])
    settling.settle_decisions()
    item = ReviewItem.objects.get(assignee=one)
    sending_back.send_back(item, actor=people.senior(), reason="Look again.", to_same_person=True)
    client = signed_in(one)
    assert "on the way to Label Studio" in client.get(reverse("console:nothing")).content.decode()
    push()
    assert "ready for you" in client.get(reverse("console:nothing")).content.decode()
    found = client.post(reverse("console:review_state", args=[item.question])).json()
    assert found["current"]["item"] == str(item.pk)


def test_more_people_in_a_number_that_is_none_asks_nobody(panel: ReviewItem) -> None:
    senior = signed_in(people.senior())
    assert senior.post(reverse("console:ask_more", args=[panel.pk]), {"n": "²"}).status_code == 400
    assert ReviewItem.objects.count() == 3
