"""People let a version serve: who, in place of whom, and what their word is worth later."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction

from audit import ledger
from core.actors import COMMAND_LINE, SystemActor
from core.exceptions import PermanentError
from inference import resolver
from inference.models import ModelVersion
from tests import factories, people
from tests.training.test_promotion import champion, trained
from training import approvals, preparation, registry
from training.models import Approval, EvaluationReport

pytestmark = pytest.mark.django_db


def brought_in(role: str = "copywriter", **fields: Any) -> ModelVersion:
    """A version that was not trained here."""
    return factories.model_version(role, alias=None, artifact_hash="", **fields)


def test_an_approval_does_not_speak_of_a_champion_that_came_later() -> None:
    factories.model_version("copywriter", artifact_hash="")
    report = trained("copywriter")
    one, two = people.ml_engineer(), people.ml_engineer()
    registry.approve(report.version, actor=one, reason="read twenty beside the old one")
    newer = factories.model_version("copywriter", artifact_hash="")
    EvaluationReport.objects.create(
        version=report.version, snapshot=report.snapshot, against=newer, gate_version="1", verdict="pass"
    )
    assert registry.approve(report.version, actor=two, reason="read twenty beside the new one") is None
    assert champion("copywriter") == newer, "nobody but one person has seen the two together"
    assert registry.approve(report.version, actor=one, reason="and I the new one") is not None
    assert champion("copywriter") == report.version


def test_a_copywriter_that_is_brought_in_needs_two_people_too() -> None:
    brought_in = factories.model_version("copywriter", alias=None, artifact_hash="")
    assert registry.promote_or_approve(brought_in, actor=COMMAND_LINE, reason="nobody serves yet") is not None
    another = factories.model_version("copywriter", alias=None, artifact_hash="")
    one, two = people.ml_engineer(), people.ml_engineer()
    for act in (registry.promote_or_approve, registry.promote):
        with pytest.raises(
            PermanentError, match=rf"0 of 2 approvals.*promote_model copywriter {another.number} .*--by"
        ):
            act(another, actor=COMMAND_LINE, reason="I like it")
    assert approvals.waiting() == []
    assert registry.promote_or_approve(another, actor=one, reason="read twenty") is None
    assert [(row.version, row.needed) for row in approvals.waiting()] == [(another, 2)]
    with pytest.raises(PermanentError, match="approved this version already"):
        registry.promote_or_approve(another, actor=one, reason="me again")
    assert champion("copywriter") == brought_in
    assert registry.promote_or_approve(another, actor=two, reason="read forty") is not None
    assert (champion("copywriter"), approvals.waiting()) == (another, [])
    registry.roll_back("copywriter", actor=one, reason="it is too florid")
    assert (champion("copywriter"), approvals.waiting()) == (brought_in, [])


def test_what_no_gate_measured_is_let_in_by_a_named_person() -> None:
    factories.model_version("sentiment", artifact_hash="")
    brought_in = factories.model_version("sentiment", alias=None, artifact_hash="")
    with pytest.raises(PermanentError, match="0 of 1 approvals"):
        registry.promote_or_approve(brought_in, actor=COMMAND_LINE, reason="I like it")
    with pytest.raises(PermissionDenied):
        registry.promote_or_approve(brought_in, actor=people.reviewer(), reason="I like it")
    registry.promote_or_approve(brought_in, actor=people.ml_engineer(), reason="scores what ours cannot read")
    assert champion() == brought_in


def test_the_version_before_serves_again_at_one_persons_word() -> None:
    first, second = brought_in(), brought_in()
    registry.promote_or_approve(first, actor=COMMAND_LINE, reason="nobody serves yet")
    for _ in range(2):
        registry.promote_or_approve(second, actor=people.ml_engineer(), reason="read forty")
    assert registry.promote_or_approve(first, actor=people.ml_engineer(), reason="it was better") is not None
    assert champion("copywriter") == first


def test_the_version_before_that_was_trained_here_serves_again_without_another_report() -> None:
    factories.model_version("copywriter", artifact_hash="")
    report = trained("copywriter")
    for _ in range(2):
        registry.approve(report.version, actor=people.ml_engineer(), reason="read forty")
    registry.roll_back("copywriter", actor=people.ml_engineer(), reason="too florid")
    assert registry.promote_or_approve(report.version, actor=people.ml_engineer(), reason="it was not") is not None
    assert champion("copywriter") == report.version


def test_who_serves_needs_no_approval() -> None:
    serving = factories.model_version("copywriter", artifact_hash="")
    with pytest.raises(PermanentError, match="is the champion already"):
        registry.promote_or_approve(serving, actor=people.ml_engineer(), reason="I like it")
    assert not Approval.objects.exists()
    assert approvals.waiting() == []


def test_after_a_roll_back_a_command_names_who_lets_the_next_one_in() -> None:
    factories.model_version("sentiment", artifact_hash="")
    registry.promote_if_passed(trained())
    registry.roll_back("sentiment", actor=people.ml_engineer(), reason="it is too harsh")
    second = trained(options={"another": 1})
    with pytest.raises(PermanentError, match="0 of 1 approvals"):
        registry.promote_or_approve(second.version, actor=COMMAND_LINE, reason="it passed")
    registry.promote_or_approve(second.version, actor=people.ml_engineer(), reason="this one is not")
    assert champion() == second.version


def test_the_word_of_who_may_no_longer_give_it_does_not_count() -> None:
    serving, another = factories.model_version("copywriter", artifact_hash=""), brought_in()
    gone, one, two = people.ml_engineer(), people.ml_engineer(), people.ml_engineer()
    registry.promote_or_approve(another, actor=gone, reason="read forty")
    gone.is_active = False
    gone.save()
    assert registry.promote_or_approve(another, actor=one, reason="read forty") is None
    assert champion("copywriter") == serving
    registry.promote_or_approve(another, actor=two, reason="read forty")
    assert champion("copywriter") == another


def test_where_fewer_have_to_agree_by_now_who_agreed_before_lets_it_in(settings: Any) -> None:
    factories.model_version("copywriter", artifact_hash="")
    another, person = brought_in(), people.ml_engineer()
    registry.promote_or_approve(another, actor=person, reason="read forty")
    settings.TRAINING = replace(settings.TRAINING, approvers={"copywriter": 1})
    assert registry.promote_or_approve(another, actor=person, reason="as I said") is not None
    assert Approval.objects.count() == 1


def test_a_champion_whose_files_are_gone_is_named_and_people_replace_it() -> None:
    gone = factories.model_version("sentiment", artifact_hash="b" * 64)
    assert preparation.lost() == [gone]
    with pytest.raises(PermanentError, match="0 of 1 approvals"):
        registry.promote(brought_in("sentiment"), actor=COMMAND_LINE, reason="the store looks empty from here")


@pytest.mark.django_db(transaction=True)
def test_an_approval_while_the_registry_is_written_waits_for_its_turn() -> None:
    factories.model_version("sentiment", artifact_hash="")
    another, person, held = brought_in("sentiment"), people.ml_engineer(), threading.Event()

    def register_slowly() -> None:
        try:
            with transaction.atomic():
                registry.lock()
                held.set()
                time.sleep(1)
                ledger.append("inference.model.registered", subject="model:1", actor=SystemActor("tests"), payload={})
        finally:
            connection.close()

    thread = threading.Thread(target=register_slowly)
    thread.start()
    assert held.wait(30)
    assert registry.approve(another, actor=person, reason="in a hurry") is not None
    thread.join()
    assert resolver.resolve("sentiment") == another
