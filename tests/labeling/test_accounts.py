"""Whose account is whose: what the embedded Label Studio wrote down, and what an administrator says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from audit.models import LedgerEntry
from core.exceptions import PermanentError
from labeling import accounts
from labeling.models import Annotator
from tests import people

pytestmark = pytest.mark.django_db


def test_whoever_the_embedded_one_made_an_account_for_has_it(settings: Any, tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    settings.LABELING = replace(settings.LABELING, accounts_file=file)
    assert not accounts.are_ours_alone()
    file.write_text(json.dumps({"Robin@Example.com": 17}))
    assert accounts.made_by_the_stack() == {"robin@example.com": 17}
    assert accounts.are_ours_alone()
    settings.LABELING = replace(settings.LABELING, accounts_file=None)
    assert not accounts.are_ours_alone(), "a Label Studio of one's own is others' too"


def test_an_account_of_somebody_else_s_making_is_bound_by_who_may_change_people() -> None:
    reviewer, administrator = people.reviewer(), people.administrator()
    for person in (reviewer, people.senior(), people.auditor()):
        with pytest.raises(PermissionDenied):
            accounts.bind(reviewer, 17, actor=person)
    accounts.bind(reviewer, 17, actor=administrator)
    assert Annotator.objects.get().ls_user_id == 17
    line = LedgerEntry.objects.get(action="labeling.account.bound")
    assert (line.actor, line.payload["user"]) == (f"user:{administrator.pk}", f"user:{reviewer.pk}")
    for user, ls_user_id in ((reviewer, 18), (people.reviewer(), 17)):
        with pytest.raises(PermanentError, match="bound already"):
            accounts.bind(user, ls_user_id, actor=administrator)


def test_the_command_binds_whom_it_is_told() -> None:
    reviewer = people.reviewer()
    for wrong in (
        "17",
        "nobody=17",
        f"{reviewer.username}=",
        f"{reviewer.username}=x",
        f"{reviewer.username}=0",
        f"{reviewer.username}={2**31}",
        f"{reviewer.username}=-1",
    ):
        with pytest.raises(CommandError, match="--bind"):
            call_command("sync_accounts", bind=wrong)
    call_command("sync_accounts", bind=f"{reviewer.username}=17")
    assert accounts.user_id_of(17) == reviewer.pk
    with pytest.raises(CommandError, match="bound already"):
        call_command("sync_accounts", bind=f"{reviewer.username}=18")
