"""Answers that nobody gave, against a real Label Studio in which every account may do everything: none decides anything."""

from __future__ import annotations

import datetime as dt
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from audit.models import LedgerEntry
from catalog.models import PublishedCopy
from core.exceptions import StaleState
from labeling import accounts, drift, sync
from labeling.door import stamps
from labeling.models import (
    Annotation,
    Annotator,
    Consensus,
    Drift,
    LabelingProject,
    LabelingTask,
    LabelIssue,
    TaskLease,
)
from moderation.decisions import confirmations, second_reviews, settling
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out
from monitoring import alerts
from monitoring.models import Alert
from tests import factories, people
from tests.label_studio_server import REVIEWER, SENIOR, Desk, as_person
from tests.labeling.conftest import choice, typed
from tests.moderation.conftest import GOOD
from tests.stamped import change, give, lease_of, stamp_for, stamped

pytestmark = [pytest.mark.label_studio, pytest.mark.django_db(transaction=True)]
ACCEPT = [
    choice("verdict", "accept"),
    choice("confirmed", "confirmed"),
    typed("comment", "the certificate is on file"),
]
REJECT = [choice("verdict", "reject"), choice("reasons", "tone"), typed("comment", "the certificate has run out")]


@pytest.fixture(autouse=True)
def nobody_is_asked_again(settings: Any) -> None:
    """No lots in these tests: who is asked a second time is asked for a reason."""
    rules = settings.MODERATION.queue | {"rereview_percent": 0, "blind_percent": 0}
    settings.MODERATION = replace(settings.MODERATION, queue=rules)


@pytest.fixture
def maker(label_studio: Desk) -> User:
    """The reviewer."""
    return people.people("Reviewer", email=REVIEWER.email)


@pytest.fixture
def senior(label_studio: Desk) -> User:
    """The senior, who attacks."""
    return people.people("Senior reviewer", email=SENIOR.email)


def opened(*, claim: str = "") -> ReviewItem:
    """A draft that waits in Label Studio; with a `claim` it takes two people."""
    draft = factories.candidate(GOOD, status="in_review", rank=1)
    if claim:
        factories.finding(draft, claim, code="health_claim")
    settling.open_reviews()
    sync.push_tasks()
    return ReviewItem.objects.get(candidate=draft)


@pytest.fixture
def item(maker: User, senior: User) -> ReviewItem:
    """A draft with a health claim, handed to the reviewer."""
    made = opened(claim="sea green")
    assert handing_out.next_item(maker) == made
    return ReviewItem.objects.select_related("labeling_task__project").get(pk=made.pk)


def comes_back(item: ReviewItem) -> ReviewItem:
    """Everything that the desk does by itself, twice."""
    for _ in range(2):
        sync.push_tasks()
        sync.reconcile()
        settling.settle_decisions()
    return ReviewItem.objects.select_related("labeling_task__project").get(pk=item.pk)


def assert_nothing_came_of_it(item: ReviewItem, *, alarm: str = "answers") -> None:
    now = comes_back(item)
    assert now.status in ("waiting", "dispatched", "escalated")
    assert not Decision.objects.exists()
    assert not PublishedCopy.objects.exists()
    alerts.watch()
    assert Alert.objects.filter(part=alarm, state="alarm", ended_at=None).exists()


def standings(task: LabelingTask) -> list[str]:
    return sorted(task.annotations.values_list("standing", flat=True))


# --- The clone -----------------------------------------------------------------------------------------------------


def test_a_clone_with_a_forged_answer_and_the_original_deleted_publishes_nothing(
    label_studio: Desk, item: ReviewItem, maker: User, senior: User
) -> None:
    task = item.labeling_task
    original, project = task.ls_task_id, task.project.ls_project_id
    data = label_studio.senior.tasks.get(str(original)).data
    accounts.sync_accounts()
    answer = {"completed_by": Annotator.objects.get(user=maker).ls_user_id, "result": ACCEPT, "lead_time": 40}
    label_studio.senior.projects.import_tasks(project, request=[{"data": data, "annotations": [answer]}])
    label_studio.senior.tasks.delete(str(original))

    assert_nothing_came_of_it(item)
    now = comes_back(item)
    assert (now.status, now.assignee) == ("dispatched", maker)
    assert now.labeling_task.ls_task_id != original
    assert standings(now.labeling_task) == ["clone"]
    assert Drift.objects.get(what="clone").words.startswith("Task ")
    with pytest.raises(StaleState):
        confirmations.confirm(now, proposal=0, actor=senior)

    # The reviewer answers, and one who had no part in it confirms: the rule works as it did.
    give(label_studio, now.labeling_task, ACCEPT)
    now = comes_back(item)
    assert (now.status, now.proposed_by) == ("confirming", maker)
    decision = confirmations.confirm(now, proposal=now.proposal_id, actor=senior)
    assert (decision.reviewer, decision.checker) == (maker, senior)


def test_a_stamped_answer_is_none_on_a_clone(label_studio: Desk, item: ReviewItem, maker: User) -> None:
    accounts.sync_accounts()
    said, task = stamped(item.labeling_task, maker, ACCEPT), item.labeling_task
    data = label_studio.senior.tasks.get(str(task.ls_task_id)).data
    [clone] = label_studio.senior.projects.import_tasks(
        task.project.ls_project_id, request=[{"data": data}], return_task_ids=True
    ).task_ids
    label_studio.senior.annotations.create(
        clone, result=said, completed_by=Annotator.objects.get(user=maker).ls_user_id
    )
    label_studio.senior.tasks.delete(str(task.ls_task_id))
    assert_nothing_came_of_it(item)


# --- Whose it is -----------------------------------------------------------------------------------------------------


def test_an_answer_given_around_the_door_decides_nothing(label_studio: Desk, item: ReviewItem) -> None:
    label_studio.reviewer.annotations.create(item.labeling_task.ls_task_id, result=ACCEPT)
    assert_nothing_came_of_it(item)
    assert standings(item.labeling_task) == ["unstamped"]
    line = LedgerEntry.objects.get(action="labeling.answer.refused")
    assert line.payload["standing"] == "unstamped"


def test_a_task_opened_by_hand_is_not_decided(label_studio: Desk, maker: User, senior: User) -> None:
    waiting = opened()
    nobody_s = TaskLease(token=uuid.uuid4())
    said = stamped(waiting.labeling_task, maker, ACCEPT, lease=str(nobody_s.token))
    TaskLease.objects.all().delete()
    label_studio.reviewer.annotations.create(waiting.labeling_task.ls_task_id, result=said)
    assert_nothing_came_of_it(waiting)
    assert standings(waiting.labeling_task) == ["no_lease"]


def test_in_another_s_name_decides_nothing(label_studio: Desk, item: ReviewItem, maker: User) -> None:
    accounts.sync_accounts()
    name = Annotator.objects.get(user=maker).ls_user_id
    label_studio.senior.annotations.create(
        item.labeling_task.ls_task_id, result=stamped(item.labeling_task, maker, ACCEPT), completed_by=name
    )
    assert_nothing_came_of_it(item)
    assert standings(item.labeling_task) == ["edited"]


FORGERIES: dict[str, tuple[str, Callable[[stamps.Stamp], stamps.Stamp]]] = {
    "of another task here": ("other_task", lambda stamp: replace(stamp, task=str(uuid.uuid4()))),
    "of another task there": ("other_task", lambda stamp: replace(stamp, ls_task=stamp.ls_task + 1)),
    "of another person": ("other_person", lambda stamp: replace(stamp, person=stamp.person + 1)),
    "of another answer": ("altered", lambda stamp: replace(stamp, result_hash="0" * 64)),
    "of a skip": ("altered", lambda stamp: replace(stamp, was_cancelled=True)),
    "under no lease": ("no_lease", lambda stamp: replace(stamp, lease="")),
    "under a lease of nobody": ("no_lease", lambda stamp: replace(stamp, lease=str(uuid.uuid4()))),
    "under what is no lease": ("no_lease", lambda stamp: replace(stamp, lease="' OR 1=1 --")),
    "after the lease ran out": ("no_lease", lambda stamp: replace(stamp, at=stamp.at + 3600)),
    "before there was a lease": ("no_lease", lambda stamp: replace(stamp, at=stamp.at - 3600)),
    "at no time": ("forged", lambda stamp: replace(stamp, at=float("inf"))),
}


NO_STAMPS: list[Any] = ["", "x", "e30.e30", "é", "A" * 3000, None, 7, ["a"]]


def test_a_stamp_counts_for_what_it_was_put_on(
    label_studio: Desk, item: ReviewItem, maker: User, settings: Any
) -> None:
    key, expected = settings.LABELING.door_key, {}
    for standing, forge in FORGERIES.values():
        sealed = stamps.seal(forge(stamp_for(item.labeling_task, maker, ACCEPT)), key=key)
        made = label_studio.reviewer.annotations.create(
            item.labeling_task.ls_task_id, result=stamps.with_stamp(ACCEPT, sealed)
        )
        expected[made.id] = standing
    for nothing in NO_STAMPS:
        made = label_studio.reviewer.annotations.create(
            item.labeling_task.ls_task_id, result=stamps.with_stamp(ACCEPT, nothing)
        )
        expected[made.id] = "forged"
    assert_nothing_came_of_it(item)
    found = item.labeling_task.annotations.values_list("ls_annotation_id", "standing")
    assert dict(found) == expected


def test_a_stamp_made_with_another_key_is_forged(label_studio: Desk, item: ReviewItem, maker: User) -> None:
    stamp = stamp_for(item.labeling_task, maker, ACCEPT)
    for key in ("", "a-key-of-the-tester"):
        said = stamps.with_stamp(ACCEPT, stamps.seal(stamp, key=key))
        label_studio.reviewer.annotations.create(item.labeling_task.ls_task_id, result=said)
    assert_nothing_came_of_it(item)
    assert standings(item.labeling_task) == ["forged", "forged"]
    assert LedgerEntry.objects.filter(action="labeling.answer.refused").count() == 1, "one line for a task and a reason"


def test_without_a_key_nothing_counts(label_studio: Desk, item: ReviewItem, maker: User, settings: Any) -> None:
    settings.LABELING = replace(settings.LABELING, door_key="")
    give(label_studio, item.labeling_task, ACCEPT)
    assert_nothing_came_of_it(item)


def test_another_person_s_stamped_answer_is_not_mine(
    label_studio: Desk, item: ReviewItem, maker: User, senior: User
) -> None:
    lease_of(item.labeling_task, senior)
    label_studio.senior.annotations.create(
        item.labeling_task.ls_task_id, result=stamped(item.labeling_task, maker, ACCEPT)
    )
    assert_nothing_came_of_it(item)
    assert standings(item.labeling_task) == ["other_person"]


def test_an_expired_lease_is_none(label_studio: Desk, item: ReviewItem, maker: User) -> None:
    said = stamped(item.labeling_task, maker, ACCEPT)
    long_ago = timezone.now() - dt.timedelta(minutes=5)
    ReviewItem.objects.filter(pk=item.pk).update(lease_expires_at=long_ago)
    handing_out.reap_items()
    label_studio.reviewer.annotations.create(item.labeling_task.ls_task_id, result=said)
    assert_nothing_came_of_it(item)
    assert standings(item.labeling_task) == ["no_lease"]


# --- Used twice ------------------------------------------------------------------------------------------------------


def test_the_same_stamp_counts_once(label_studio: Desk, maker: User, senior: User) -> None:
    found = opened()
    handing_out.next_item(maker)
    said = stamped(found.labeling_task, maker, REJECT)
    for _ in range(2):
        label_studio.reviewer.annotations.create(found.labeling_task.ls_task_id, result=said)
    comes_back(found)
    assert standings(found.labeling_task) == ["counts", "replayed"]
    assert Decision.objects.count() == Consensus.objects.count() == 1


def test_what_its_author_changed_does_not_come_back(label_studio: Desk, item: ReviewItem, maker: User) -> None:
    made = give(label_studio, item.labeling_task, ACCEPT)
    sync.reconcile()
    change(label_studio, made.id, item.labeling_task, REJECT)
    sync.reconcile()
    label_studio.reviewer.annotations.update(made.id, result=made.result)
    sync.reconcile()
    assert standings(item.labeling_task) == ["replayed"]
    settling.settle_decisions()
    assert Decision.objects.get().outcome == "reject", "what they said last, through the door"


def test_a_deleted_answer_given_again_does_not_come_back(label_studio: Desk, item: ReviewItem, maker: User) -> None:
    first = give(label_studio, item.labeling_task, ACCEPT)
    sync.reconcile()
    change(label_studio, first.id, item.labeling_task, REJECT)
    sync.reconcile()
    label_studio.reviewer.annotations.delete(first.id)
    label_studio.reviewer.annotations.create(item.labeling_task.ls_task_id, result=first.result)
    sync.reconcile()
    assert standings(item.labeling_task) == ["replayed"]


# --- Handling --------------------------------------------------------------------------------------------------------


def test_a_forged_skip_takes_the_item_from_nobody(label_studio: Desk, item: ReviewItem, maker: User) -> None:
    label_studio.reviewer.annotations.create(item.labeling_task.ls_task_id, result=[], was_cancelled=True)
    sync.reconcile()
    assert handing_out.next_item(maker) == item, "they hold it, and have not let go of it"
    assert standings(item.labeling_task) == ["unstamped"]


def test_without_reservations_who_was_shown_it_may_answer_and_nobody_else(
    label_studio: Desk, maker: User, senior: User, settings: Any
) -> None:
    rules = settings.MODERATION.queue | {"enable_reservations": False}
    settings.MODERATION = replace(settings.MODERATION, queue=rules)
    found = opened()
    said = stamped(found.labeling_task, maker, REJECT, lease="")
    TaskLease.objects.all().delete()
    made = label_studio.reviewer.annotations.create(found.labeling_task.ls_task_id, result=said)
    assert_nothing_came_of_it(found)
    assert standings(found.labeling_task) == ["no_lease"]
    label_studio.reviewer.annotations.delete(made.id)

    assert handing_out.next_item(maker) == found
    give(label_studio, found.labeling_task, REJECT)
    comes_back(found)
    assert Decision.objects.get().reviewer == maker


# --- Seniors ---------------------------------------------------------------------------------------------------------


def test_a_senior_answers_a_task_of_their_own_and_overwrites_nobody(
    label_studio: Desk, item: ReviewItem, maker: User, senior: User
) -> None:
    first = item.labeling_task
    made = give(label_studio, first, [choice("escalate", "escalate"), typed("comment", "Is this a claim?")])
    now = comes_back(item)
    assert now.status == "escalated"
    label_studio.senior.annotations.update(made.id, result=ACCEPT)
    label_studio.senior.annotations.create(first.ls_task_id, result=ACCEPT)
    assert_nothing_came_of_it(item)
    assert standings(first) == ["edited", "unstamped"]
    assert Annotation.objects.get(ls_annotation_id=made.id).annotator == maker

    assert handing_out.next_item(senior) == now
    fresh = now.labeling_task
    assert fresh != first
    shown = label_studio.senior.tasks.get(str(fresh.ls_task_id))
    assert "Is this a claim?" in shown.data["draft_html"]
    assert not shown.annotations
    give(label_studio, fresh, ACCEPT, by=SENIOR)
    assert comes_back(item).proposed_by == senior


# --- Accounts --------------------------------------------------------------------------------------------------------


def sign_up(desk: Desk, email: str) -> str:
    """Sign up in Label Studio by the invitation that any account can ask for; returns the API token of the account."""
    with httpx.Client(base_url=desk.url, follow_redirects=True, timeout=30) as browser:
        invite = browser.get("/api/invite", headers={"Authorization": f"Token {REVIEWER.token}"}).json()["invite_url"]
        page = browser.get(invite).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token
        fields = {"csrfmiddlewaretoken": token[1], "email": email, "password": people.PASSWORD, "how_find_us": "Other"}
        browser.post(invite, data=fields, headers={"Referer": f"{desk.url}{invite}"}).raise_for_status()
        return str(browser.get("/api/current-user/token").json()["token"])


def test_who_signs_up_with_a_senior_s_address_is_nobody_here(label_studio: Desk, item: ReviewItem, maker: User) -> None:
    drift.look()
    address = f"new-senior-{time.time_ns()}@example.com"
    sly = as_person(label_studio.url, sign_up(label_studio, address))
    new = people.people("Senior reviewer", email=address)
    sly.annotations.create(item.labeling_task.ls_task_id, result=stamped(item.labeling_task, new, ACCEPT))

    assert_nothing_came_of_it(item)
    assert standings(item.labeling_task) == ["unbound"]
    assert not Annotator.objects.filter(user=new).exists()
    assert drift.look() == 1
    assert "address of one of our people" in Drift.objects.get(what="member", is_known=False).words
    alerts.watch()
    assert Alert.objects.filter(part="drift", ended_at=None).exists()
    assert address not in [user.email for user in label_studio.service.users.list()], (
        "taken out: nobody but us makes accounts"
    )
    assert drift.look() == 0


def test_our_people_get_accounts_that_we_made(label_studio: Desk, maker: User) -> None:
    opened()
    drift.look()
    new = people.people("Reviewer", email=f"new-reviewer-{time.time_ns()}@example.com")
    assert accounts.sync_accounts() == 2
    theirs = Annotator.objects.get(user=new).ls_user_id
    assert label_studio.service.users.get(theirs).email == new.email
    assert LedgerEntry.objects.filter(action="labeling.account.bound").count() == 2
    assert drift.look() == 0, "no stranger"


# --- What people see -------------------------------------------------------------------------------------------------


def swap(config: str, one: str, other: str) -> str:
    """Have one choice read as the other: what is stored is the alias."""
    return (
        config.replace(f'value="{one}"', 'value="?"')
        .replace(f'value="{other}"', f'value="{one}"')
        .replace('value="?"', f'value="{other}"')
    )


def test_an_interface_that_says_the_opposite_is_put_right_and_who_answered_is_asked_about(
    label_studio: Desk, maker: User, senior: User
) -> None:
    factories.sentiment(factories.customer_review("Broke at once."), "negative", confidence=0.4)
    settling.open_reviews()
    sync.push_tasks()
    found = handing_out.next_item(maker)
    assert found is not None
    assert drift.look() == 0
    project = label_studio.service.projects.get(found.labeling_task.project.ls_project_id or 0)
    said = {"from_name": "sentiment", "to_name": "review", "type": "choices", "value": {"choices": ["positive"]}}
    label_studio.reviewer.projects.update(project.id, label_config=swap(project.label_config, "Positive", "Negative"))
    give(label_studio, found.labeling_task, [said])  # who gave it read “Negative”
    comes_back(found)
    assert Decision.objects.get().label == "positive"

    assert drift.look() == 1
    assert label_studio.service.projects.get(project.id).label_config.strip() == project.label_config.strip()
    assert drift.look() == 0
    changed = Drift.objects.get(what="interface")
    assert (changed.mended_at is not None, "label_config" in changed.words) == (True, True)
    actions = LedgerEntry.objects.filter(action__startswith="labeling.drift.").values_list("action", flat=True)
    assert list(actions.order_by("seq")) == ["labeling.drift.found", "labeling.drift.mended"]
    alerts.watch()
    assert Alert.objects.filter(part="drift", ended_at=None).exists()

    assert second_reviews.doubt_labels() == 1
    assert second_reviews.doubt_labels() == 0
    assert second_reviews.open_second_reviews() == 1
    assert LabelIssue.objects.get().methods == ["drift"]
    assert ReviewItem.objects.get(purpose="second_review").lead == found


def test_an_accept_under_a_changed_interface_waits_for_a_second_person(
    label_studio: Desk, maker: User, senior: User
) -> None:
    found = opened()  # of no high severity: one person is enough
    handing_out.next_item(maker)
    assert drift.look() == 0
    project = label_studio.service.projects.get(LabelingProject.objects.get().ls_project_id or 0)
    label_studio.senior.projects.update(project.id, label_config=swap(project.label_config, "Accept", "Reject"))
    give(label_studio, found.labeling_task, [choice("verdict", "accept")])
    assert drift.look() == 1

    now = comes_back(found)
    assert (now.status, now.high_severity) == ("confirming", ["drift:interface"])
    assert not PublishedCopy.objects.exists()
    decision = confirmations.confirm(now, proposal=now.proposal_id, actor=senior)
    assert decision.checker == senior


def test_a_task_that_shows_something_else_is_put_right_and_its_answer_is_none(
    label_studio: Desk, item: ReviewItem, maker: User
) -> None:
    task = item.labeling_task
    there = label_studio.service.tasks.get(str(task.ls_task_id)).data
    label_studio.senior.tasks.update(str(task.ls_task_id), data={**there, "draft_html": "<p>A harmless text.</p>"})
    give(label_studio, task, ACCEPT)
    assert_nothing_came_of_it(item, alarm="drift")
    assert standings(task) == ["task_changed"]
    drift.look()
    assert label_studio.service.tasks.get(str(task.ls_task_id)).data == there
    assert Drift.objects.get(what="task").mended_at is not None


def test_webhooks_are_set_again_and_others_go(label_studio: Desk, item: ReviewItem) -> None:
    project = item.labeling_task.project.ls_project_id
    assert drift.look() == 0
    [ours] = label_studio.senior.webhooks.list(project=str(project))
    label_studio.senior.webhooks.delete(ours.id)
    assert drift.look() == 1
    label_studio.senior.webhooks.create(project=project, url="http://127.0.0.1:9/theirs", send_payload=True)
    assert drift.look() == 1
    [again] = label_studio.service.webhooks.list(project=str(project))
    assert (again.url, again.headers) == (ours.url, ours.headers)
    label_studio.senior.webhooks.update(again.id, url=again.url, is_active=False)
    assert drift.look() == 1
    assert drift.look() == 0
    assert Drift.objects.filter(what="webhook", mended_at=None).count() == 0
    assert_nothing_came_of_it(item, alarm="drift")


def test_label_studio_away_is_no_drift(label_studio: Desk, item: ReviewItem, settings: Any) -> None:
    from core.exceptions import TransientError

    settings.LABELING = replace(settings.LABELING, url="http://127.0.0.1:9")
    with pytest.raises(TransientError):
        drift.look()
    assert not Drift.objects.exists()
