"""Loading a declared question keeps what its file said, and no label is lost in silence when its answers change."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import LedgerEntry
from core.exceptions import PermanentError
from labeling.models import Label, Vote
from questions import versions
from questions.declared.schema import Declaration, parse_declaration
from questions.models import QuestionVersion
from tests import people
from tests.questions.test_declared import DAMAGE, damage

__all__ = ["damage"]
pytestmark = pytest.mark.django_db


def declared(*values: str, multiple: bool = False) -> Declaration:
    choices = "".join(f"  - {{value: {value}, title: T-{value}}}\n" for value in values)
    return parse_declaration(
        f"name: damage\ntitle: Damage\nmultiple: {str(multiple).lower()}\nchoices:\n{choices}", name="damage.yaml"
    )


def label(subject: str, said: str) -> None:
    Label.objects.create(question="damage", subject=subject, label=said, method="single", labelled_at=timezone.now())
    Vote.objects.create(question="damage", subject=subject, rater="user:1", label=said, voted_at=timezone.now())


def load(declaration: Declaration, **renamed: str) -> versions.Change:
    return versions.load(declaration, renamed=renamed, actor=people.administrator())[1]


def test_each_change_is_a_version_and_a_line_and_the_same_again_is_none() -> None:
    load(declared("broken", "whole"))
    load(declared("broken", "whole"))
    found = load(declared("broken", "whole", "scratched"))
    assert (found.added, found.removed) == (("scratched",), ())
    assert list(QuestionVersion.objects.values_list("number", flat=True)) == [2, 1]
    lines = LedgerEntry.objects.filter(action="questions.version.loaded")
    assert [line.payload["number"] for line in lines.order_by("seq")] == [1, 2]


def test_an_answer_that_labels_hold_does_not_go_in_silence() -> None:
    load(declared("broken", "whole"))
    label("s:1", "broken")
    with pytest.raises(PermanentError, match=r"no more broken \(2 labels and votes\)") as caught:
        load(declared("damaged", "whole"))
    assert "--rename OLD=NEW, where NEW is one of damaged, whole" in str(caught.value)
    assert QuestionVersion.objects.count() == 1
    load(declared("damaged", "whole"), broken="damaged")
    assert (Label.objects.get().label, Vote.objects.get().label) == ("damaged", "damaged")


def test_what_was_suggested_follows_where_nobody_said_it() -> None:
    load(declared("broken", "whole"))
    label("s:1", "whole")
    Vote.objects.update(suggestion="broken")
    load(declared("damaged", "whole"), broken="damaged")
    assert (Vote.objects.get().label, Vote.objects.get().suggestion) == ("whole", "damaged")


def test_two_answers_become_one_also_where_several_were_picked() -> None:
    load(declared("torn", "broken", "late", multiple=True))
    label("s:1", "torn+broken")
    label("s:2", "broken+late")
    label("s:3", "none")
    found = load(declared("damaged", "late", multiple=True), torn="damaged", broken="damaged")
    assert found.relabelled == (("broken+late", "damaged+late", 2), ("torn+broken", "damaged", 2))
    assert list(Label.objects.order_by("subject").values_list("label", flat=True)) == [
        "damaged",
        "damaged+late",
        "none",
    ]


def test_answers_that_trade_names_are_not_mixed_up() -> None:
    load(declared("a", "b", "c"))
    with pytest.raises(PermanentError, match="a is no answer that damage had and has no more"):
        load(declared("a", "b", "d"), a="b", c="d")
    with pytest.raises(PermanentError, match="x is no answer of damage"):
        load(declared("a", "b", "d"), c="x")


def test_whether_several_may_be_picked_does_not_change_under_labels() -> None:
    load(declared("a", "b"))
    load(declared("a", "b", multiple=True))
    label("s:1", "a+b")
    with pytest.raises(PermanentError, match="whether several may be picked"):
        load(declared("a", "b"))


def test_only_who_may_loads_and_a_version_never_changes() -> None:
    with pytest.raises(PermissionDenied):
        versions.load(declared("a", "b"), renamed={}, actor=people.ml_engineer())
    load(declared("a", "b"))
    for act in ("UPDATE questions_questionversion SET number = 9", "DELETE FROM questions_questionversion"):
        with pytest.raises(DatabaseError, match="never changes"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(act)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("questions", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_checks_shows_loads_and_lists(damage: Path, tmp_path: Path) -> None:
    kim = people.administrator()
    assert "Damage, about a review, one of broken (1), whole (2)" in run("check", str(damage))
    (tmp_path / "bad.yaml").write_text("name: bad\n")
    with pytest.raises(CommandError, match=r"bad\.yaml, line 1, title: Field required"):
        run("check", str(damage), str(tmp_path / "bad.yaml"))
    assert "Nothing was changed. Do it with --yes." in run("load", "damage", "--by", kim.username)
    assert not QuestionVersion.objects.exists()
    assert "Kept as damage 1" in run("load", "damage", "--by", kim.username, "--yes")
    assert "Nothing differs" in run("load", "damage", "--by", kim.username, "--yes")
    label("s:1", "whole")
    damage.write_text(DAMAGE.replace("value: whole", "value: intact"))
    assert "version 1, and its file says something else since" in run("list")
    with pytest.raises(CommandError, match=r"whole \(2 labels and votes\)"):
        run("load", "damage")
    assert "whole → intact: 2 labels and votes" in run("load", "damage", "--rename", "whole=intact")
    run("load", "damage", "--rename", "whole=intact", "--by", kim.username, "--yes")
    assert Label.objects.get().label == "intact"


def test_the_page_shows_versions_and_previews_a_file(damage: Path, settings: Any) -> None:
    load(parse_declaration(DAMAGE, name="damage.yaml"))
    client, address = Client(), reverse("console:questions")
    client.force_login(people.administrator())
    shown = client.get(address).content.decode()
    assert "Damage" in shown
    assert "review_topics" not in shown, "it is not in the settings"
    tried = client.post(address, {"text": DAMAGE.replace("Go by the", "<script>alert(1)</script>")}).content.decode()
    assert "It declares" in tried
    assert "<script>alert(1)" not in tried
    assert "line 1, title: Field required" in client.post(address, {"text": "name: a"}).content.decode()
    assert client.post(address, {}).status_code == 200
    client.force_login(people.reviewer())
    assert client.get(address).status_code == 403


def test_the_page_previews_what_becomes_of_answers_and_loads_it(damage: Path) -> None:
    load(parse_declaration(DAMAGE, name="damage.yaml"))
    label("s:1", "broken")
    damage.write_text(DAMAGE.replace("value: broken", "value: torn"))
    client, address = Client(), reverse("console:question_change", args=["damage"])
    kim = people.administrator()
    client.force_login(kim)
    assert "no more broken (2 labels and votes)" in client.get(address).content.decode()
    said = {"becomes.broken": "*"}
    assert "1 is asked again; what was said is kept" in client.get(address, said).content.decode()
    assert Label.objects.exists(), "a preview changes nothing"
    assert "Load it" in client.get(address, {"becomes.broken": "torn"}).content.decode()
    client.force_login(people.ml_engineer())
    assert "An administrator can load it." in client.get(address, said).content.decode()
    assert client.post(reverse("console:load_question", args=["damage"]), said).status_code == 403
    client.force_login(kim)
    client.post(reverse("console:load_question", args=["damage"]), said)
    assert (QuestionVersion.objects.first().asked_again, Label.objects.exists()) == (["broken"], False)
    assert "broken: asked again" in client.get(reverse("console:questions")).content.decode()
    for name in ("sentiment", "nothing"):
        assert client.get(reverse("console:question_change", args=[name])).status_code == 404
