"""Texts go to who reads their language; who said nothing is offered everything."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied

from audit.models import LedgerEntry
from core.exceptions import PermanentError
from core.refs import ref
from moderation.decisions import settling
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out, languages, seats
from tests import factories, people

pytestmark = pytest.mark.django_db


@pytest.fixture
def texts() -> dict[str, ReviewItem]:
    order = factories.generation_request(status="completed", locale="zh-Hans")
    return {
        "en": factories.review_item(risk=0.2),
        "zh": factories.review_item(factories.candidate("海绿色陶杯。", request=order, status="in_review"), risk=0.9),
        "zh review": factories.review_item(factories.customer_review("很好。", locale="zh-Hans")),
        "en review": factories.review_item(factories.customer_review("Fine.")),
    }


def test_chinese_goes_to_who_reads_it_and_everything_to_who_said_nothing(texts: dict[str, ReviewItem]) -> None:
    admin = people.administrator()
    reads = {"en": people.reviewer(), "zh-Hans": people.reviewer()}
    for locale, person in reads.items():
        languages.set_languages(person, locales=[locale], actor=admin)
    assert set(handing_out.waiting_for(reads["en"])) == {texts["en"], texts["en review"]}
    assert set(handing_out.waiting_for(reads["zh-Hans"])) == {texts["zh"], texts["zh review"]}
    assert handing_out.waiting_for(people.reviewer()).count() == 4
    assert handing_out.next_item(reads["en"], question="copy_verdict") == texts["en"], "though another is more urgent"


def test_a_seat_and_an_escalated_item_have_the_language_of_their_text(texts: dict[str, ReviewItem]) -> None:
    senior, admin = people.senior(), people.administrator()
    languages.set_languages(senior, locales=["en"], actor=admin)
    settling.escalate(texts["zh"], actor=people.reviewer(), reason="hard")
    seat = seats.add_seat(texts["en review"])
    ReviewItem.objects.filter(pk=seat.pk).update(labeling_task=factories.labeling_task("x", question=seat.question))
    factories.push_tasks()
    assert handing_out.next_item(senior, question="copy_verdict") == texts["en"]
    assert seat in handing_out.waiting_for(senior)
    languages.set_languages(senior, locales=["zh-Hans"], actor=admin)
    assert seat not in handing_out.waiting_for(senior)
    assert texts["zh"] in handing_out.waiting_for(senior)


def test_who_reads_what_is_for_who_may_change_people_and_leaves_a_line() -> None:
    person = people.reviewer()
    for nobody in (people.reviewer(), people.senior(), people.outsider()):
        with pytest.raises(PermissionDenied):
            languages.set_languages(person, locales=["en"], actor=nobody)
    with pytest.raises(PermanentError, match="tlh"):
        languages.set_languages(person, locales=["tlh"], actor=people.administrator())
    admin = people.administrator()
    languages.set_languages(person, locales=["zh-Hans", "en"], actor=admin)
    languages.set_languages(person, locales=["en", "zh-Hans"], actor=admin)
    line = LedgerEntry.objects.get(action="moderation.reviewer.languages_set")
    assert (line.subject, line.payload) == (ref(person), {"locales": ["en", "zh-Hans"]})
    languages.set_languages(person, locales=[], actor=admin)
    assert languages.languages_of(person) == []
