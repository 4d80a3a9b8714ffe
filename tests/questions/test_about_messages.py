"""A declared question about messages goes all the way: drawn, answered, scored, learnt, taken out, erased."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit import verification
from audit.models import LedgerEntry
from catalog.message_writes import pseudonym_of
from catalog.models import CustomerMessage
from core.refs import ref
from inference import resolver
from inference.models import ModelVersion
from labeling.label_config import check_task, validate
from labeling.models import Label, LabelingTask, Vote
from labeling.question import question
from moderation import message_erasure, scoring
from moderation.decisions import asking_again, settling
from moderation.label_exchange.exporting import export_labels
from moderation.models.predictions import Prediction, Scoring
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out, languages
from monitoring.auditor import people as auditor
from monitoring.auditor.asking import Asked
from tests import factories, people
from tests.training.conftest import alone, base
from training import pipeline, registry, runs
from training.models import EvaluationReport

__all__ = ["alone", "base"]
pytestmark = pytest.mark.django_db
INTENT = """\
name: intent
title: Intent
about: message
heading: What do they want?
choices:
  - {value: parcel, title: Where the parcel is}
  - {value: money, title: Their money back}
first_labels: 300
daily_lot: 5
ask_again_when_edited: true
"""
WORDS = {"parcel": "tracking courier arrive waiting", "money": "refund return charged card"}


@pytest.fixture(autouse=True)
def intent(tmp_path: Path, settings: Any) -> None:
    """One question more, about messages."""
    (tmp_path / "intent.yaml").write_text(INTENT)
    settings.QUESTIONS_DIR = str(tmp_path)
    settings.QUESTIONS = {**settings.QUESTIONS, "intent": "questions.declared.intent"}


def _asked(message: CustomerMessage) -> ReviewItem:
    settling.open_reviews()
    factories.push_tasks()
    return ReviewItem.objects.get(question="intent", about=ref(message), lead=None)


def test_its_page_shows_it_and_what_strangers_wrote_is_escaped() -> None:
    product = factories.product(title="<i>Kettle")
    message = factories.customer_message("Hi <script>alert(1)</script>", product=product, author="0123456789abcdef")
    asked = question("intent")
    validate(asked)
    data = asked.task_data(message)
    check_task(asked, data, asked.suggestions(message, label="money", model_version="m", score=0.6))
    assert "<script>" not in data["message_html"]
    assert "Email · &lt;i&gt;Kettle" in data["message_html"]
    assert "0123456789abcdef" not in json.dumps(data)


def test_it_is_drawn_answered_decided_shown_and_taken_out(tmp_path: Path) -> None:
    message = factories.customer_message(product=factories.product(sku="K-1", price="99.00"), author="0123456789abcdef")
    item = _asked(message)
    assert (item.strategy, item.locale, item.value) == ("random", "en", 2)
    factories.answer(item, people.reviewer(), intent="parcel")
    assert settling.settle_decisions() == 1
    assert Label.objects.get().label == "parcel"

    client = Client()
    client.force_login(people.senior())
    for name, key in (("panel", item.pk), ("adjudicate", item.pk), ("contested", None), ("my_work", None)):
        page = client.get(reverse(f"console:{name}", args=[key] if key else []))
        assert page.status_code == 200
        if key:
            assert b"Where is my kettle?" in page.content
    client.force_login(people.administrator())
    for name in ("moderation_reviewitem_changelist", "moderation_decision_changelist"):
        assert b"Where is my kettle?" in client.get(reverse(f"admin:{name}")).content, name
    target = tmp_path / "intent.jsonl"
    assert export_labels(target, question="intent", actor=people.ml_engineer()).n_rows == 1
    row = json.loads(target.read_text())
    assert (row["sku"], row["channel"], row["label"], row["text"]) == ("K-1", "email", "parcel", message.text)
    assert "0123456789abcdef" not in target.read_text()
    tables = {one.title: one for one in auditor.agreement(Asked()).tables}
    assert [row[0] for row in tables["Intent: answers that were the label in the end"].rows] == ["en"]


def test_who_reads_one_language_is_offered_messages_in_it() -> None:
    here, there = factories.customer_message(), factories.customer_message("包裹在哪里？", locale="zh-Hans")
    items = {_asked(here).pk: "en", _asked(there).pk: "zh-Hans"}
    reader = people.reviewer()
    languages.set_languages(reader, locales=["zh-Hans"], actor=people.administrator())
    assert [items[item.pk] for item in handing_out.waiting_for(reader)] == ["zh-Hans"]


def test_people_are_asked_again_when_a_message_says_something_else() -> None:
    message = factories.customer_message()
    item = _asked(message)
    factories.answer(item, people.reviewer(), intent="parcel")
    settling.settle_decisions()
    CustomerMessage.objects.filter(pk=message.pk).update(channel="chat")
    assert asking_again.ask_again_about_edited() == 0
    CustomerMessage.objects.filter(pk=message.pk).update(text="I want my money back.")
    assert asking_again.ask_again_about_edited() == 1
    item.refresh_from_db()
    assert (item.status, item.strategy, Label.objects.count()) == ("waiting", "edited", 0)
    assert "my money back" in item.labeling_task.payload["message_html"]
    assert asking_again.ask_again_about_edited() == 0


def test_a_message_is_scored_when_it_comes_and_again_when_it_changes() -> None:
    version = factories.model_version("intent")
    before = factories.customer_message()
    scoring.open_scorings()
    after = factories.customer_message("I want my money back.")
    assert set(Scoring.objects.values_list("subject", flat=True)) == {ref(before), ref(after)}
    Scoring.objects.update(scored_with=version.pk)
    for one in (before, after):
        factories.prediction(one, "intent", {"parcel": 0.9, "money": 0.1}, version=version)
    CustomerMessage.objects.filter(pk=before.pk).update(text="Never mind.")
    CustomerMessage.objects.filter(pk=after.pk).update(channel="chat")
    assert Prediction.objects.get().subject == ref(after)
    assert Scoring.objects.get(scored_with=None).subject == ref(before)
    after.delete()
    assert not Prediction.objects.exists()
    assert Scoring.objects.count() == 1


def test_all_of_a_customer_is_erased_and_the_ledger_verifies(monkeypatch: pytest.MonkeyPatch) -> None:
    blanked: list[dict[str, Any]] = []
    monkeypatch.setattr("labeling.client.set_task_data", lambda pk, data: blanked.append(data))
    kim = pseudonym_of("kim@shop.example")
    mine = [factories.customer_message(f"Kim's secret {n}", author=kim) for n in range(3)]
    other = factories.customer_message("Another's words", author=pseudonym_of("ann@shop.example"))
    items = [_asked(one) for one in mine]
    for one in mine:
        factories.prediction(one, "intent", {"parcel": 0.9, "money": 0.1}, version=factories.model_version("intent"))
    factories.answer(items[0], people.reviewer(), intent="parcel")
    settling.settle_decisions()
    factories.answer(items[1], people.reviewer(), intent="money")
    with pytest.raises(PermissionDenied):
        message_erasure.erase_messages(author="kim@shop.example", actor=people.reviewer(), reason="they asked")
    erased = message_erasure.erase_messages(
        author="kim@shop.example", actor=people.administrator(), reason="they asked"
    )
    assert (erased.n_messages, erased.n_tasks) == (3, 3)
    assert CustomerMessage.objects.get() == other
    assert not Label.objects.exists()
    assert not Vote.objects.exists()
    assert not Prediction.objects.exists()
    assert "secret" not in json.dumps([*blanked, *LabelingTask.objects.values_list("payload", flat=True)])
    assert len(blanked) == 3
    assert [ReviewItem.objects.get(pk=item.pk).status for item in items] == ["decided", "withdrawn", "withdrawn"]
    assert settling.settle_decisions() == 0
    assert LedgerEntry.objects.filter(action="moderation.message.erased").count() == 3
    assert "secret" not in json.dumps(list(LedgerEntry.objects.values_list("payload", flat=True)))
    assert verification.verify().bad_seq is None
    client = Client()
    client.force_login(people.administrator())
    for item in items:
        page = client.get(reverse("console:panel", args=[item.pk])).content
        assert b"not there any more" in page
        assert b"secret" not in page


def test_the_command_says_what_it_does_not_reach(capsys: pytest.CaptureFixture[str]) -> None:
    factories.customer_message(external_id="M-7")
    call_command("erase_messages", "--id", "M-7", "--reason", "they asked", "--yes")
    said = capsys.readouterr().out
    assert "1 messages are erased" in said
    assert "backups" in said
    with pytest.raises(CommandError, match="There is no such message"):
        call_command("erase_messages", "--id", "M-7", "--reason", "they asked", "--yes")
    with pytest.raises(CommandError, match="needs a reason"):
        call_command("erase_messages", "--id", "M-7", "--reason", " ", "--yes")


@pytest.mark.slow("a model is trained, measured, let in, and scores")
def test_it_is_learnt_measured_let_in_and_serves(base: ModelVersion, alone: None, settings: Any) -> None:
    settings.TRAINING = replace(settings.TRAINING, gate={**settings.TRAINING.gate, "min_test": 40})
    truth = {}
    for number in range(300):
        label = list(WORDS)[number % 2]
        truth[ref(factories.customer_message(f"{WORDS[label]} {number}"))] = label
    Label.objects.bulk_create(
        Label(
            question="intent",
            subject=subject,
            label=label,
            method="single",
            quality=1,
            n_votes=1,
            labelled_at=timezone.now(),
        )
        for subject, label in truth.items()
    )
    run, _ = runs.plan("intent", reason="a test", actor=people.ml_engineer(), recipe={"method": "characters"})
    assert pipeline.run_next()
    run.refresh_from_db()
    assert (run.status, run.last_error) == ("succeeded", "")
    report = EvaluationReport.objects.get()
    assert report.verdict == "pass", report.reasons
    if resolver.find("intent") is None:
        registry.approve(run.version, actor=people.ml_engineer(), reason="read")
    came = [factories.customer_message(f"{said} new") for said in WORDS.values()]
    while scoring.score():
        pass
    said = dict(Prediction.objects.filter(question="intent").values_list("subject", "label"))
    assert [said[ref(message)] for message in came] == list(WORDS)
    assert set(said) == {*truth, *map(ref, came)}
