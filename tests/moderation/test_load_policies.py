"""`manage.py load_policies`: what would change, who changes it, and what was in force when."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from moderation import policy_versions
from moderation.models.policies import PolicyActivation, PolicyVersion
from moderation.policy import packs
from tests.people import people

pytestmark = pytest.mark.django_db


@pytest.fixture
def kim() -> User:
    return people("Administrator")


@pytest.fixture
def stricter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The files as somebody edited them: one rule blocks that warned before."""
    for path in packs.PACKS_FOLDER.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        (tmp_path / path.name).write_text(
            text.replace("severity: warn", "severity: block", 1) if path.stem == "us_ftc" else text, encoding="utf-8"
        )
    monkeypatch.setattr(policy_versions, "load_packs", lambda: packs.load_packs(tmp_path))


def test_files_that_are_in_force_change_nothing(capsys: Any) -> None:
    call_command("load_policies")
    assert "Nothing differs from policy 1" in capsys.readouterr().out


@pytest.mark.usefixtures("stricter")
def test_a_dry_run_tells_the_difference_and_changes_nothing(capsys: Any) -> None:
    call_command("load_policies", dry_run=True)
    told = capsys.readouterr().out
    assert re.search(r"~ us_ftc\.\w+: severity", told)
    assert "Nothing was changed." in told
    assert PolicyVersion.objects.count() == 1


@pytest.mark.usefixtures("stricter")
def test_a_change_names_a_person_with_a_reason_and_the_permission(kim: User) -> None:
    with pytest.raises(CommandError, match="--by"):
        call_command("load_policies", reason="because")
    with pytest.raises(CommandError, match="--reason"):
        call_command("load_policies", by=kim.username)
    with pytest.raises(CommandError, match="lacks the permission"):
        call_command("load_policies", by=people("Auditor").username, reason="because")
    assert PolicyVersion.objects.count() == 1
    call_command("load_policies", by=kim.username, reason="Guarantees hurt us.")
    latest = PolicyActivation.objects.first()
    assert latest is not None
    assert (latest.version.number, latest.by, latest.reason) == (2, kim, "Guarantees hurt us.")
    assert policy_versions.policy_in_force().version == latest.version


@pytest.mark.usefixtures("stricter")
def test_a_version_is_kept_first_and_put_in_force_later_and_back(kim: User, capsys: Any) -> None:
    call_command("load_policies", store_only=True, by=kim.username)
    assert policy_versions.policy_in_force().version.number == 1
    call_command("load_policies", activate=2, by=kim.username, reason="tried it")
    call_command("load_policies", activate=1, by=kim.username, reason="a mistake")
    assert policy_versions.policy_in_force().version.number == 1
    capsys.readouterr()
    call_command("load_policies", list=True)
    told = capsys.readouterr().out
    assert told.index("a mistake") < told.index("tried it") < told.index(policy_versions.FIRST)
    with pytest.raises(CommandError, match="no policy 9"):
        call_command("load_policies", activate=9, by=kim.username, reason="none")
