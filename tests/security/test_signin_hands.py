"""What an administrator does to an account: a line, the end of its sessions, and for a day no two people out of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import hands
from accounts import people as accounts_of
from accounts.models import Factor, Identity, Session
from audit import erasure, ledger
from audit.models import LedgerEntry
from audit.verification import verify
from catalog.models import PublishedCopy
from core.exceptions import PermanentError
from core.refs import ref
from moderation.decisions import appeals, confirmations, settling
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out
from tests import factories, people
from tests.moderation.conftest import GOOD
from tests.security.test_signin_second_factor import give_app
from training import registry
from training.models import Approval

pytestmark = pytest.mark.django_db
NEW = "a new and rather long password"
SAYS_WHY = {"verdict": "accept", "comment": "the maker's certificate is on file"}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def is_in(client: Client) -> bool:
    return bool(client.get(reverse("admin:index")).status_code == 200)


def set_password(person: User, *, by: User, to: str = NEW) -> Any:
    address = reverse("admin:auth_user_password_change", args=[person.pk])
    return signed_in(by).post(
        address, {"password1": to, "password2": to, "usable_password": "true", "set-password": "1"}
    )


def change(person: User, *, by: User, **fields: Any) -> Any:
    form = {
        "username": person.username,
        "email": person.email,
        "is_active": "on",
        "is_staff": "on",
        "groups": list(person.groups.values_list("pk", flat=True)),
        **fields,
    }
    address = reverse("admin:auth_user_change", args=[person.pk])
    return signed_in(by).post(address, {name: value for name, value in form.items() if value is not None})


@contextmanager
def a_day_later(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        later = timezone.now() + hands.FOR + dt.timedelta(seconds=1)
        patch.setattr(hands.timezone, "now", lambda: later)
        yield


@pytest.fixture
def admin() -> User:
    """An administrator who also reviews: the one whom the rule is about."""
    user = people.administrator()
    people.senior()
    user.groups.add(Group.objects.get(name="Senior reviewer"))
    return user


# --- What is left behind ------------------------------------------------------------------------------------------


def test_a_password_that_an_administrator_sets_leaves_a_line_and_ends_the_sessions(admin: User) -> None:
    person = people.reviewer()
    theirs, elsewhere, other = signed_in(person), signed_in(person), signed_in(people.reviewer())
    assert set_password(person, by=admin).status_code == 302
    person.refresh_from_db()
    assert person.check_password(NEW)
    assert not is_in(theirs)
    assert not is_in(elsewhere)
    assert is_in(other)
    assert not Session.objects.filter(account_id=person.pk).exists()
    line = LedgerEntry.objects.get(action="accounts.password.set")
    assert (line.actor, line.subject, line.payload) == (f"user:{admin.pk}", ref(person), {"usable": True})
    assert verify().is_intact


def test_a_password_that_was_not_accepted_leaves_nothing(admin: User) -> None:
    person = people.reviewer()
    client = signed_in(person)
    assert set_password(person, by=admin, to="short").status_code == 200
    assert not LedgerEntry.objects.exists()
    assert is_in(client)


@pytest.mark.parametrize("field", ["email", "username"])
def test_an_address_that_an_administrator_changes_leaves_a_line_without_it_and_ends_the_sessions(
    admin: User, field: str
) -> None:
    person = people.reviewer()
    client = signed_in(person)
    assert change(person, by=admin, **{field: "somebody-else@example.com"}).status_code == 302
    assert not is_in(client)
    line = LedgerEntry.objects.get(action="accounts.address.changed")
    assert (line.actor, line.subject) == (f"user:{admin.pk}", ref(person))
    assert "@" not in str(line.payload)


def test_a_name_that_is_corrected_ends_nothing(admin: User) -> None:
    person = people.reviewer()
    client = signed_in(person)
    assert change(person, by=admin, first_name="Robin").status_code == 302
    assert is_in(client)
    assert hands.held_with(person) == frozenset()


def test_an_account_that_is_switched_off_is_out_at_once(admin: User) -> None:
    person = people.reviewer()
    client = signed_in(person)
    assert change(person, by=admin, is_active=None).status_code == 302
    assert not Session.objects.filter(account_id=person.pk).exists()
    change(person, by=admin)
    assert not is_in(client), "and stays out when it is switched on again"


def test_an_administrator_resets_the_sign_in_of_another_and_never_their_own(admin: User) -> None:
    person = people.senior()
    for user in (person, admin):
        give_app(user)
        Identity.objects.create(user=user, issuer="https://id.example", subject=str(user.pk))
    client = signed_in(person)
    page = reverse("admin:auth_user_changelist")
    chosen = {"action": "reset_sign_in", "_selected_action": [person.pk, admin.pk]}
    words = signed_in(admin).post(page, chosen, follow=True).content.decode()
    assert "Nobody resets their own sign-in" in words
    assert set(Factor.objects.values_list("user", flat=True)) == {admin.pk}
    assert Identity.objects.get().user == admin
    assert not is_in(client)
    line = LedgerEntry.objects.get(action="accounts.sign_in.reset")
    assert (line.subject, line.payload) == (ref(person), {"factors": 1, "identities": 1})
    assert admin.pk in hands.held_with(person)
    with pytest.raises(PermissionDenied):
        accounts_of.reset_sign_in(admin, actor=person)


@pytest.mark.parametrize("role", ["Reviewer", "Senior reviewer", "Auditor", "ML engineer", "Merchant", None])
def test_no_other_role_touches_an_account(role: str | None) -> None:
    person, other = people.reviewer(), people.people(role)
    before = str(User.objects.filter(pk=person.pk).values())
    set_password(person, by=other)
    change(person, by=other, email="x@example.com")
    page = reverse("admin:auth_user_changelist")
    for action in ("let_in_now", "reset_sign_in"):
        signed_in(other).post(page, {"action": action, "_selected_action": [person.pk]})
    for act in (
        lambda: accounts_of.password_was_set(person, actor=other),
        lambda: accounts_of.address_was_changed(person, before="", actor=other),
    ):
        with pytest.raises(PermissionDenied):
            act()
    assert str(User.objects.filter(pk=person.pk).values()) == before
    assert not LedgerEntry.objects.exists()


def test_ones_own_password_ends_the_other_sessions_and_bars_nobody() -> None:
    person = people.administrator()
    here, elsewhere = signed_in(person), signed_in(person)
    form = {"old_password": people.PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert here.post(reverse("admin:password_change"), form).status_code == 302
    assert is_in(here)
    assert not is_in(elsewhere)
    assert hands.held_with(person) == frozenset()


def test_signing_out_elsewhere_leaves_the_session_one_is_in() -> None:
    person = people.reviewer()
    here, elsewhere, other = signed_in(person), signed_in(person), signed_in(people.reviewer())
    here.post(reverse("console:end_sessions"))
    assert (is_in(here), is_in(elsewhere), is_in(other)) == (True, False, True)


def test_whoever_is_erased_leaves_no_way_in() -> None:
    person = people.senior()
    give_app(person)
    Identity.objects.create(user=person, issuer="https://id.example", subject="1")
    signed_in(person)
    erasure.erase_person(person, actor=people.administrator(), reason="asked for it on 3 May")
    assert not Factor.objects.exists()
    assert not Identity.objects.exists()
    assert not Session.objects.exists()


# --- In the same hands --------------------------------------------------------------------------------------------


def note(action: str, subject: User, *, by: User, **payload: Any) -> None:
    ledger.append(action, subject=ref(subject), actor=by, payload=payload)


def test_who_set_a_password_and_whose_it_is_are_held_together_for_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, three = people.administrator(), people.senior(), people.senior()
    note(hands.PASSWORD_SET, two, by=one)
    assert hands.held_with(one) == {two.pk}
    assert hands.held_with(two) == {one.pk}
    assert hands.held_with(three) == frozenset()
    with a_day_later(monkeypatch):
        assert hands.held_with(one) == hands.held_with(two) == frozenset()


def test_two_people_set_up_by_one_administrator_and_a_chain_of_them_are_held_together() -> None:
    boss, one, two, deputy, three, apart = (people.administrator() for _ in range(6))
    note(hands.PASSWORD_SET, one, by=boss)
    note(hands.ADDED, two, by=boss)
    note(hands.SIGN_IN_RESET, deputy, by=boss)
    note(hands.PASSWORD_SET, three, by=deputy)
    note(hands.PASSWORD_SET, boss, by=boss)
    assert hands.held_with(one) == {boss.pk, two.pk, deputy.pk, three.pk}
    assert hands.held_with(three) == {boss.pk, one.pk, two.pk, deputy.pk}
    assert hands.held_with(apart) == frozenset()


def test_two_administrators_who_set_one_password_are_not_held_together_with_each_other() -> None:
    one, two, person = people.administrator(), people.administrator(), people.senior()
    note(hands.PASSWORD_SET, person, by=one)
    note(hands.PASSWORD_SET, person, by=two)
    assert hands.held_with(one) == {person.pk}
    assert hands.held_with(person) == {one.pk, two.pk}


def test_accounts_that_had_one_address_are_held_together_when_it_is_changed(admin: User) -> None:
    one = people.people("Senior reviewer", email="sam@example.com")
    two = User.objects.create(username="sam2", email="Sam+two@example.com", is_staff=True)
    two.groups.set(one.groups.all())
    change(two, by=admin, email="another@example.com")
    assert one.pk in hands.held_with(two)


# --- Not each other's second person -------------------------------------------------------------------------------


@pytest.fixture
def proposed(admin: User) -> ReviewItem:
    """An item of high severity that the administrator answered."""
    draft = factories.candidate(GOOD, status="in_review", rank=1)
    factories.finding(draft, "sea green", code="health_claim")
    item = factories.review_item(draft)
    factories.answer(item, admin, **SAYS_WHY)
    settling.settle_decisions()
    item.refresh_from_db()
    assert (item.status, item.proposed_by) == ("confirming", admin)
    return item


TAKEN: dict[str, Callable[[User, User], Any]] = {
    "password": lambda person, admin: set_password(person, by=admin),
    "address": lambda person, admin: change(person, by=admin, email="mine@example.com"),
    "reset": lambda person, admin: accounts_of.reset_sign_in(person, actor=admin),
}


@pytest.mark.parametrize("how", TAKEN)
def test_an_administrator_does_not_confirm_their_own_answer_with_an_account_they_took(
    proposed: ReviewItem, admin: User, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    senior = people.senior()
    TAKEN[how](senior, admin)
    senior = User.objects.get(pk=senior.pk)
    assert not confirmations.may_confirm(proposed, senior)
    with pytest.raises(PermanentError, match="within the last day an administrator set a password"):
        confirmations.confirm(proposed, proposal=proposed.proposal_id, actor=senior)
    with pytest.raises(PermanentError, match="counts as one person"):
        confirmations.return_(proposed, proposal=proposed.proposal_id, actor=senior, reason="no")
    signed_in(senior).post(
        reverse("console:confirm", args=[proposed.pk]), {"proposal": proposed.proposal_id, "note": "fine"}
    )
    assert not PublishedCopy.objects.exists()
    with a_day_later(monkeypatch):
        assert confirmations.confirm(proposed, proposal=proposed.proposal_id, actor=senior)


def test_a_fresh_account_of_the_administrators_is_no_second_person_either(proposed: ReviewItem, admin: User) -> None:
    form = {
        "username": "new@example.com",
        "email": "new@example.com",
        "password1": NEW,
        "password2": NEW,
        "is_staff": "on",
        "usable_password": "true",
        "groups": [Group.objects.get(name="Senior reviewer").pk],
    }
    assert signed_in(admin).post(reverse("admin:auth_user_add"), form).status_code == 302
    new = User.objects.get(username="new@example.com")
    with pytest.raises(PermanentError, match="counts as one person"):
        confirmations.confirm(proposed, proposal=proposed.proposal_id, actor=new)


def test_others_confirm_as_before(proposed: ReviewItem, admin: User) -> None:
    set_password(people.senior(), by=admin)
    assert confirmations.confirm(proposed, proposal=proposed.proposal_id, actor=people.senior())


def test_what_one_of_them_escalated_the_other_does_not_decide(admin: User) -> None:
    item = factories.review_item(factories.candidate(GOOD, status="in_review", rank=1))
    maker, senior = people.reviewer(), people.senior()
    factories.answer(item, maker, escalate=True, comment="not sure")
    settling.settle_decisions()
    note(hands.PASSWORD_SET, maker, by=senior)
    item.refresh_from_db()
    assert item.status == "escalated"
    assert not handing_out.waiting_for(senior).exists()
    factories.answer(item, senior, verdict="accept")
    settling.settle_decisions()
    assert not Decision.objects.exists()


def test_an_appeal_is_not_judged_by_either(admin: User) -> None:
    item = factories.review_item(factories.candidate(GOOD, status="in_review", rank=1))
    factories.answer(item, people.reviewer(), verdict="reject", reason_codes=["legal_risk"], comment="no wording")
    settling.settle_decisions()
    appellant, judge = people.people("Merchant"), people.senior()
    filed = appeals.appeal(Decision.objects.get(), actor=appellant, reason="it is allowed")
    note(hands.PASSWORD_SET, appellant, by=admin)
    with pytest.raises(PermanentError, match="counts as one person"):
        appeals.judge(filed, actor=admin, overturn=True, answer="it is")
    assert appeals.judge(filed, actor=judge, overturn=True, answer="it is")


def test_a_model_is_not_approved_by_both() -> None:
    factories.model_version("copywriter", artifact_hash="")
    version = factories.model_version("copywriter", alias=None, artifact_hash="")
    one, two, three = people.ml_engineer(), people.ml_engineer(), people.ml_engineer()
    assert registry.promote_or_approve(version, actor=one, reason="read twenty") is None
    note(hands.PASSWORD_SET, two, by=one)
    with pytest.raises(PermanentError, match="counts as one person"):
        registry.promote_or_approve(version, actor=two, reason="read forty")
    assert Approval.objects.count() == 1
    assert registry.promote_or_approve(version, actor=three, reason="read thirty") is not None


def test_two_accounts_with_one_address_do_not_approve_a_model() -> None:
    factories.model_version("copywriter", artifact_hash="")
    version = factories.model_version("copywriter", alias=None, artifact_hash="")
    one = people.people("ML engineer", email="mika@example.com")
    two = User.objects.create(username="mika2", email="Mika+2@example.com", is_staff=True)
    two.groups.set(one.groups.all())
    registry.promote_or_approve(version, actor=one, reason="read twenty")
    with pytest.raises(PermanentError, match="you had a part in it"):
        registry.promote_or_approve(version, actor=two, reason="read forty")
