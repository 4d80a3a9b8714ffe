"""The first logins: one per role and a second senior, with passwords that only their file knows."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model

from ecomsite.logins import LOGINS, create_logins, read_passwords
from ecomsite.roles import sync_roles
from moderation.queues.separation_of_duties import is_same_person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def roles() -> None:
    sync_roles()


def test_there_is_one_login_per_role_and_no_superuser(tmp_path: Path) -> None:
    path = tmp_path / "logins.txt"
    assert create_logins(path) == list(LOGINS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    passwords = read_passwords(path)
    assert len(set(passwords.values())) == len(LOGINS)
    for user in get_user_model().objects.filter(username__in=LOGINS):
        assert [group.name for group in user.groups.all()] == [LOGINS[user.username][0]]
        assert user.check_password(passwords[user.username])
        assert user.is_staff
        assert not user.is_superuser


def test_there_are_two_seniors_so_that_what_takes_two_can_be_tried(tmp_path: Path) -> None:
    create_logins(tmp_path / "logins.txt")
    one, two = get_user_model().objects.filter(groups__name="Senior reviewer")
    assert one.has_perm("moderation.check_decision")
    assert two.has_perm("moderation.check_decision")
    assert not is_same_person(one, two)


def test_logins_of_an_older_version_are_kept_and_the_new_one_is_added(tmp_path: Path) -> None:
    path = tmp_path / "logins.txt"
    path.write_text("reviewer@example.com an-older-password\n")
    create_logins(path)
    assert read_passwords(path)["reviewer@example.com"] == "an-older-password"
    assert set(read_passwords(path)) == set(LOGINS)


def test_a_second_start_leaves_passwords_that_people_changed(tmp_path: Path) -> None:
    path = tmp_path / "logins.txt"
    create_logins(path)
    user = get_user_model().objects.get(username="reviewer@example.com")
    user.set_password("chosen by the reviewer")
    user.save()
    assert create_logins(path) == []
    user.refresh_from_db()
    assert user.check_password("chosen by the reviewer")


def test_a_password_changed_in_the_file_or_lost_with_it_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "logins.txt"
    create_logins(path)
    old = read_passwords(path)["auditor@example.com"]
    path.unlink()
    assert create_logins(path) == []
    new = read_passwords(path)["auditor@example.com"]
    assert new != old
    assert get_user_model().objects.get(username="auditor@example.com").check_password(new)
