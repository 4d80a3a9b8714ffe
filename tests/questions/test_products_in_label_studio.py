"""A question about products in a real Label Studio: shown with facts, answered by a person, decided, labelled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
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
from tests.questions.test_about_products import shelf
from tests.stamped import give

__all__ = ["shelf"]
pytestmark = [pytest.mark.label_studio, pytest.mark.django_db(transaction=True)]


def test_a_person_answers_it_there(label_studio: Desk, tmp_path: Path, settings: Any) -> None:
    rules = {"rereview_percent": 0, "blind_percent": 0, "random_percent": 0}
    settings.MODERATION = replace(settings.MODERATION, queue=settings.MODERATION.queue | rules)
    user = people.people("Reviewer", email=REVIEWER.email)
    sync_accounts()
    product = factories.product(title="Pan <b>bold</b>", image_url="pan.png", facts={"material": "iron"})
    assert settling.open_reviews() == 1
    sync.push_tasks()
    item = handing_out.next_item(user)
    assert item is not None
    assert item.labeling_task is not None
    saw = as_person(label_studio.url, REVIEWER.token).tasks.get(str(item.labeling_task.ls_task_id)).data
    assert "Pan &lt;b&gt;bold" in saw["product_html"]
    assert "material" in saw["product_html"]
    assert 'alt="The picture"' in saw["product_html"]
    give(label_studio, item.labeling_task, [choices("shelf", "kitchen", to="product")], by=REVIEWER, lead_time=3.1)
    sync.reconcile()
    assert settling.settle_decisions() == 1
    label = Label.objects.get()
    assert (label.question, label.subject, label.label) == ("shelf", ref(product), "kitchen")
