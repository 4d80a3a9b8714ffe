"""A question about messages in a real Label Studio: answered by a person there, and erased there too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.refs import ref
from labeling import sync
from labeling.accounts import sync_accounts
from labeling.annotations import choices
from labeling.models import Drift, Label
from moderation import message_erasure
from moderation.decisions import settling
from moderation.queues import handing_out
from tests import factories, people
from tests.label_studio_server import REVIEWER, Desk, as_person
from tests.questions.test_about_messages import intent
from tests.stamped import give

__all__ = ["intent"]
pytestmark = [pytest.mark.label_studio, pytest.mark.django_db(transaction=True)]


def test_a_person_answers_it_there_and_it_is_erased_there(label_studio: Desk, settings: Any) -> None:
    rules = {"rereview_percent": 0, "blind_percent": 0, "random_percent": 0}
    settings.MODERATION = replace(settings.MODERATION, queue=settings.MODERATION.queue | rules)
    user = people.people("Reviewer", email=REVIEWER.email)
    sync_accounts()
    message = factories.customer_message("Where is my <b>secret</b> kettle?", external_id="M-1")
    assert settling.open_reviews() == 1
    sync.push_tasks()
    item = handing_out.next_item(user)
    assert item is not None
    assert item.labeling_task is not None
    there, key = as_person(label_studio.url, REVIEWER.token).tasks, str(item.labeling_task.ls_task_id)
    assert "my &lt;b&gt;secret" in there.get(key).data["message_html"]
    give(label_studio, item.labeling_task, [choices("intent", "parcel", to="message")], by=REVIEWER, lead_time=3.1)
    sync.reconcile()
    assert settling.settle_decisions() == 1
    label = Label.objects.get()
    assert (label.question, label.subject, label.label) == ("intent", ref(message), "parcel")

    message_erasure.erase_messages(external_id="M-1", actor=people.administrator(), reason="they asked")
    shown = there.get(key).data
    assert set(shown) >= {"message_html", "text", "ext_id"}
    assert "secret" not in str(shown)
    sync.reconcile()
    assert settling.settle_decisions() == 0
    assert not Label.objects.exists()
    assert not Drift.objects.filter(what=Drift.What.TASK).exists()
