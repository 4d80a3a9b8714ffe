"""Accounts in the console. Roles come from `ecomsite.roles`; an account holds roles and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.forms import BaseModelFormSet, CheckboxSelectMultiple, ModelForm, MultipleChoiceField
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts import hands, people, throttle
from accounts.models import Factor
from audit import ledger
from catalog.models import Locale
from core.actors import AuthenticatedHttpRequest
from core.admin import ReadOnlyAdmin
from core.exceptions import EcomsiteError
from core.refs import ref
from ecomsite.console.my_sign_in import change_password, me
from ecomsite.console.sign_in import first_step
from moderation.queues.languages import languages_of, set_languages

admin.site.unregister(User)
admin.site.unregister(Group)
admin.site.disable_action("delete_selected")
# Behind the throttle, and the first with a second step.
admin.site.login = first_step  # type: ignore[method-assign]
admin.site.password_change = change_password  # type: ignore[assignment, method-assign]


class PersonForm(UserChangeForm):
    """An account, and the languages its holder reads."""

    languages = MultipleChoiceField(
        choices=Locale.choices,
        required=False,
        widget=CheckboxSelectMultiple,
        label="Reads",
        help_text="texts in other languages are not offered to them for review; none ticked = every language",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["languages"].initial = languages_of(self.instance)


@admin.register(User)
class PersonAdmin(UserAdmin, ModelAdmin):  # type: ignore[type-arg]
    """People: who they are, whether they may sign in, which roles they hold.

    Superusers are made on the command line.
    """

    form = PersonForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "name", "roles", "is_active", "second_factor", "sign_in", "last_login")
    list_filter = ("groups", "is_active")
    list_fullwidth = True
    filter_horizontal = ()
    actions = ("let_in_now", "reset_sign_in")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Who", {"fields": ("first_name", "last_name", "email")}),
        ("May", {"fields": ("is_active", "is_staff", "groups")}),
        ("Reviews", {"fields": ("languages",)}),
        ("When", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "fields": ("username", "email", "usable_password", "password1", "password2", "is_staff", "groups"),
                "classes": ("wide",),
            },
        ),
    )
    readonly_fields = ("last_login", "date_joined")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Superusers are out of an administrator's sight, or their password would be an administrator's to set."""
        second = Factor.objects.filter(user=OuterRef("pk")).exclude(kind=Factor.Kind.RECOVERY)
        rows = super().get_queryset(request).prefetch_related("groups").annotate(has_factor=Exists(second))
        return rows if me(request).is_superuser else rows.filter(is_superuser=False)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, with who is locked out, asked for all rows at once."""
        shown = super().get_changelist_instance(request)
        locked = throttle.locked_among(shown.result_list)
        for person in shown.result_list:
            person.is_locked_out = person.pk in locked
        return shown

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Accounts are switched off, never deleted: the ledger points at them."""
        return False

    def save_related(
        self,
        request: HttpRequest,
        form: ModelForm[User],
        formsets: list[BaseModelFormSet[Any, Any]],
        change: bool,
    ) -> None:
        """Note roles and languages; no names. Another address, or none any more, ends the person's sessions."""
        super().save_related(request, form, formsets, change)
        person, actor = form.instance, me(request)
        if "languages" in form.cleaned_data:
            set_languages(person, locales=form.cleaned_data["languages"], actor=actor)
        if change and {"email", "username"} & set(form.changed_data):
            people.address_was_changed(person, before=str(form.initial.get("email") or ""), actor=actor)
        if not person.is_active:
            people.was_switched_off(person)
        roles = sorted(person.groups.values_list("name", flat=True))
        ledger.append(
            "accounts.user.changed" if change else hands.ADDED,
            subject=ref(person),
            actor=actor,
            payload={"roles": roles, "is_active": person.is_active, "is_staff": person.is_staff},
        )

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Set a person's password: a line in the ledger, and the end of their sessions."""
        with transaction.atomic():
            before = self._password_of(request, id)
            answer: HttpResponse = super().user_change_password(request, id, form_url)
            person = self.get_object(request, id)
            if request.method == "POST" and person is not None and person.password != before:
                people.password_was_set(person, actor=me(request))
        return answer

    def _password_of(self, request: HttpRequest, id: str) -> str:
        person = self.get_object(request, id)
        return person.password if person else ""

    def log_change(self, request: HttpRequest, obj: User, message: Any) -> None:  # type: ignore[override]
        """Django's own log is not kept: the ledger has the line."""

    def log_addition(self, request: HttpRequest, obj: User, message: Any) -> None:  # type: ignore[override]
        """Django's own log is not kept: the ledger has the line."""

    @action(description="Let in now: forget wrong passwords and codes", permissions=["change"])
    def let_in_now(self, request: AuthenticatedHttpRequest, queryset: QuerySet[User]) -> None:
        """End a lock before its time."""

        def let_in(person: User) -> str:
            was_any = throttle.let_in(person, actor=request.user)
            return "may try again." if was_any else "was not kept out."

        self._each(request, queryset, let_in)

    @action(description="Reset sign-in: second factors and single sign-on", permissions=["change"])
    def reset_sign_in(self, request: AuthenticatedHttpRequest, queryset: QuerySet[User]) -> None:
        """For who lost the phone, the passkey or the account elsewhere."""

        def reset(person: User) -> str:
            people.reset_sign_in(person, actor=request.user)
            return "signs in by password alone now, and is signed out everywhere."

        self._each(request, queryset, reset)

    def _each(self, request: HttpRequest, queryset: QuerySet[User], act: Callable[[User], str]) -> None:
        for person in queryset:
            try:
                messages.success(request, f"{person.get_username()} {act(person)}")
            except EcomsiteError as exc:
                messages.error(request, f"{person.get_username()}: {exc}")

    @display(description="name")
    def name(self, obj: User) -> str:
        """First and last name."""
        return obj.get_full_name()

    @display(description="roles")
    def roles(self, obj: User) -> str:
        """The roles held."""
        return ", ".join(group.name for group in obj.groups.all()) or "none"

    @display(description="second factor", boolean=True)
    def second_factor(self, obj: User) -> bool:
        """Whether one is set up."""
        return bool(obj.has_factor)  # type: ignore[attr-defined]

    @display(description="sign-in", label={"locked": "danger"})
    def sign_in(self, obj: User) -> tuple[str, str] | str:
        """Whether wrong tries have locked it."""
        return ("locked", "Locked") if getattr(obj, "is_locked_out", False) else ""


@admin.register(Group)
class RoleAdmin(ReadOnlyAdmin):
    """Roles, as `ecomsite.roles` keeps them."""

    list_display = ("name", "n_people")
    fields = ("name", "permissions")

    @display(description="people")
    def n_people(self, obj: Group) -> int:
        """How many hold it."""
        return obj.user_set.count()
