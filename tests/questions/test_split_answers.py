"""An answer that a new version splits is given anew by people; what was said is kept, none of it lost in silence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.utils import timezone

from audit.models import LedgerEntry
from audit.verification import verify
from core.exceptions import PermanentError
from core.refs import ref
from labeling.models import Label, LabelingTask, Vote
from moderation.decisions import settling
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out, seats
from questions import asking_again, versions
from questions.declared.schema import read_declaration
from questions.models import LabelBefore
from tests import factories, people
from tests.questions.test_declared import DAMAGE, damage
from tests.questions.test_versions import declared, label, load, run

__all__ = ["damage"]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_person(damage: Path, settings: Any) -> None:
    """One person answers each, nobody a second time; the first version is loaded."""
    queue = {**settings.MODERATION.queue, "rereview_percent": 0, "blind_percent": 0}
    settings.MODERATION = replace(settings.MODERATION, queue=queue)
    damage.write_text(DAMAGE.replace("overlap: 2", "overlap: 1"))
    _load(damage)


def _load(path: Path, *asked_again: str) -> versions.Change:
    return versions.load(read_declaration(path), renamed={}, asked_again=asked_again, actor=people.administrator())[1]


def _split(path: Path) -> None:
    text = path.read_text().replace(
        "  - {value: broken, title: Broken, tone: bad}",
        "  - {value: torn, title: Torn, tone: bad}\n  - {value: bent, title: Bent, tone: bad}",
    )
    path.write_text(text)


def _decided(said: str) -> ReviewItem:
    review = factories.customer_review(f"It came {said} {timezone.now():%f}")
    settling.open_reviews()
    factories.push_tasks()
    item = ReviewItem.objects.get(question="damage", about=ref(review))
    factories.answer(item, people.reviewer(), damage=said)
    settling.settle_decisions()
    item.refresh_from_db()
    assert item.status == "decided"
    return item


def test_those_who_said_it_are_asked_anew_and_the_rest_stays(damage: Path) -> None:
    broken, whole = _decided("broken"), _decided("whole")
    _split(damage)
    with pytest.raises(PermanentError, match="--ask-again OLD have people answer anew"):
        _load(damage)
    assert "broken: 1 asked again; what was said is kept" in run("load", "damage", "--ask-again", "broken")
    assert Label.objects.count() == 2, "a preview changes nothing"
    assert _load(damage, "broken").asked_again == (("broken", 1),)
    assert list(Label.objects.values_list("subject", "label")) == [(whole.about, "whole")]
    kept = LabelBefore.objects.get()
    assert (kept.subject, kept.label, kept.method, kept.asked_at) == (broken.about, "broken", "single", None)
    assert [vote[1] for vote in kept.votes] == ["broken"]
    line = LedgerEntry.objects.filter(action="questions.version.loaded").latest("seq")
    assert (line.payload["asked_again"], line.payload["put_back"]) == (["broken"], 1)

    assert asking_again.ask_again() == 1
    assert asking_again.ask_again() == 0
    broken.refresh_from_db()
    assert (broken.status, broken.strategy) == ("waiting", "asked_again")
    factories.push_tasks()
    user = people.reviewer()
    item = handing_out.next_item(user, question="damage")
    assert item == broken
    factories.answer(broken, user, damage="bent")
    settling.settle_decisions()
    assert Label.objects.get(subject=broken.about).label == "bent"
    words = Decision.objects.filter(item=broken).order_by("created_at").values_list("label", flat=True)
    assert list(words) == ["broken", "bent"], "the word of then stays"
    assert verify().is_intact


def test_labels_of_a_file_are_put_before_people_too(damage: Path) -> None:
    reviews = [factories.customer_review(f"in a file {number}") for number in range(3)]
    for review in reviews:
        label(ref(review), "broken")
    gone = factories.customer_review("gone soon")
    label(ref(gone), "broken")
    _split(damage)
    _load(damage, "broken")
    gone.delete()
    assert asking_again.ask_again() == 4
    items = ReviewItem.objects.filter(question="damage")
    assert {item.about for item in items} == {ref(review) for review in reviews}
    assert {(item.status, item.strategy) for item in items} == {("waiting", "asked_again")}


def test_what_somebody_has_in_hand_waits_for_its_end_and_holds_up_nothing(damage: Path) -> None:
    held, other = _decided("broken"), _decided("broken")
    _split(damage)
    _load(damage, "broken")
    ReviewItem.objects.filter(pk=held.pk).update(
        status="confirming", proposal=held.last_consensus_id, proposed_by=people.reviewer()
    )
    assert asking_again.ask_again() == 1
    other.refresh_from_db()
    assert other.status == "waiting"
    assert LabelBefore.objects.get(asked_at=None).subject == held.about


def test_an_answer_that_comes_in_while_it_is_put_back_is_kept(damage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    item = _decided("broken")
    _split(damage)
    _load(damage, "broken")

    def after_another_answered(found: ReviewItem) -> list[ReviewItem]:
        label(found.about, "torn")
        return seats_of(found)

    seats_of = seats.lock_panel
    monkeypatch.setattr(seats, "lock_panel", after_another_answered)
    assert asking_again.ask_again() == 1
    assert Label.objects.get(subject=item.about).label == "torn"
    item.refresh_from_db()
    assert item.status == "decided"


@pytest.mark.parametrize("renamed", [{"broken": "torn"}, {}])
@pytest.mark.parametrize("multiple", [False, True])
def test_an_answer_that_was_read_before_and_is_acted_on_after_is_a_seniors(
    damage: Path, multiple: bool, renamed: dict[str, str]
) -> None:
    """It is neither kept as a label that there is not, nor left out of several: nothing said is no `none`."""
    if multiple:
        damage.write_text(damage.read_text() + "multiple: true\n")
        _load(damage)
    review = factories.customer_review("It came just then")
    settling.open_reviews()
    factories.push_tasks()
    item = ReviewItem.objects.get(question="damage", about=ref(review))
    factories.answer(item, people.reviewer(), damage=["broken"] if multiple else "broken")
    _split(damage)
    versions.load(
        read_declaration(damage),
        renamed=renamed,
        asked_again=[] if renamed else ["broken"],
        actor=people.administrator(),
    )
    assert settling.settle_decisions() == 0
    assert not Label.objects.exists()
    item.refresh_from_db()
    assert item.status == "escalated"
    assert "no answer broken any more" in item.escalated_reason


def test_an_answer_that_was_taken_back_lets_nobody_else_of_the_panel_decide_alone(damage: Path) -> None:
    """One of two has said what a version splits, the other one has the same in hand."""
    damage.write_text(damage.read_text().replace("overlap: 1", "overlap: 2"))
    _load(damage)
    review = factories.customer_review("It came in two")
    settling.open_reviews()
    factories.push_tasks()
    lead = ReviewItem.objects.get(question="damage", about=ref(review), lead=None)
    seat = ReviewItem.objects.get(lead=lead)
    one, two = people.reviewer(), people.reviewer()
    factories.answer(seat, one, damage="broken")
    settling.settle_decisions()
    factories.lease(lead, two)
    _split(damage)
    assert _load(damage, "broken").asked_again == (("", 1),)
    assert asking_again.ask_again() == 0, "somebody has it in hand"
    factories.answer(lead, two, damage="torn")
    settling.settle_decisions()
    assert not Decision.objects.exists(), "one of two is not enough"
    assert "taken back" in ReviewItem.objects.get(purpose="adjudication").escalated_reason


def test_a_vote_without_a_label_is_asked_again_and_an_overruled_one_stays() -> None:
    load(declared("broken", "whole", "other"))
    Vote.objects.create(question="damage", subject="s:1", rater="user:1", label="broken", voted_at=timezone.now())
    label("s:2", "whole")
    Vote.objects.create(question="damage", subject="s:2", rater="user:2", label="broken", voted_at=timezone.now())
    found = versions.load(
        declared("torn", "bent", "whole", "other"), renamed={}, asked_again=["broken"], actor=people.administrator()
    )[1]
    assert found.asked_again == (("", 1),)
    assert LabelBefore.objects.get().subject == "s:1"
    assert Vote.objects.filter(subject="s:2").count() == 2


def test_one_of_several_answers_has_the_whole_label_given_anew() -> None:
    load(declared("torn", "broken", "late", multiple=True))
    label("s:1", "torn+late")
    label("s:2", "late")
    found = versions.change(
        declared("ripped", "cut", "broken", "late", multiple=True), renamed={}, asked_again=["torn"]
    )
    assert found.asked_again == (("torn+late", 1),)


def test_an_answer_that_stays_can_be_asked_again_and_names_are_checked() -> None:
    load(declared("broken", "whole"))
    label("s:1", "broken")
    new = declared("broken", "whole", "bent")
    assert versions.change(new, renamed={}, asked_again=["broken"]).asked_again == (("broken", 1),)
    with pytest.raises(PermanentError, match="lost is no answer that damage had"):
        versions.change(new, renamed={}, asked_again=["lost"])
    with pytest.raises(PermanentError, match="either renamed or asked again"):
        versions.change(declared("torn", "whole"), renamed={"broken": "torn"}, asked_again=["broken"])


def test_a_worker_that_dies_before_it_notes_what_it_asked_asks_once(
    damage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = _decided("broken")
    _split(damage)
    _load(damage, "broken")
    tasks = LabelingTask.objects.count()

    def killed() -> None:
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(asking_again, "Now", killed)
        with pytest.raises(SystemExit):
            asking_again.ask_again()
    item.refresh_from_db()
    assert (item.status, LabelingTask.objects.count()) == ("decided", tasks), "nothing of it was done"
    assert asking_again.ask_again() == 1
    assert asking_again.ask_again() == 0
    item.refresh_from_db()
    assert (item.status, LabelingTask.objects.count()) == ("waiting", tasks + 1)


def test_two_who_load_one_file_with_other_words_about_its_answers_are_told_apart(damage: Path) -> None:
    _decided("broken")
    _split(damage)
    first = people.administrator()
    versions.load(read_declaration(damage), renamed={"broken": "torn"}, asked_again=[], actor=first)
    told = f"which {first.username} loaded at .* with broken renamed to torn: broken asked again was not done"
    with pytest.raises(PermanentError, match=told):
        _load(damage, "broken")
    with pytest.raises(CommandError, match="broken renamed to bent was not done"):
        run("load", "damage", "--rename", "broken=bent", "--yes")
    again = versions.load(read_declaration(damage), renamed={"broken": "torn"}, asked_again=[], actor=first)
    assert not again[1].is_new, "the same words come to the same"
    assert not LabelBefore.objects.exists()
    assert list(Label.objects.values_list("label", flat=True)) == ["torn"]
