"""A question about pictures in a real Label Studio: shown there, answered by a person, decided, labelled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.refs import ref
from labeling import sync
from labeling.accounts import sync_accounts
from labeling.annotations import choices
from labeling.models import Label
from moderation.decisions import settling
from moderation.queues import handing_out
from tests import factories, people
from tests.label_studio_server import REVIEWER, Desk, as_person
from tests.questions.test_about_pictures import image_safety
from tests.stamped import give

__all__ = ["image_safety"]
pytestmark = [pytest.mark.label_studio, pytest.mark.django_db(transaction=True)]


def test_a_person_answers_it_there(label_studio: Desk, settings: Any) -> None:
    rules = {"rereview_percent": 0, "blind_percent": 0, "random_percent": 0}
    settings.MODERATION = replace(settings.MODERATION, queue=settings.MODERATION.queue | rules)
    user = people.people("Reviewer", email=REVIEWER.email)
    sync_accounts()
    picture = factories.product(title="Pan <b>bold</b>", image_url="pan.png").pictures.get()
    assert settling.open_reviews() == 1
    sync.push_tasks()
    item = handing_out.next_item(user)
    assert item is not None
    assert item.labeling_task is not None
    saw = as_person(label_studio.url, REVIEWER.token).tasks.get(str(item.labeling_task.ls_task_id)).data
    assert f'src="{settings.SITE_URL}/media/pan.png"' in saw["picture_html"]
    assert "Pan &lt;b&gt;bold" in saw["picture_html"]
    said = [choices("image_safety", "nudity", "violence", to="picture")]
    give(label_studio, item.labeling_task, said, by=REVIEWER, lead_time=3.1)
    sync.reconcile()
    assert settling.settle_decisions() == 1
    label = Label.objects.get()
    assert (label.question, label.subject, label.label) == ("image_safety", ref(picture), "nudity+violence")
