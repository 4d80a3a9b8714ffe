"""Accounts in the console. Roles come from `ecomsite.roles`; an account holds roles and nothing else."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.forms import BaseModelFormSet, CheckboxSelectMultiple, ModelForm, MultipleChoiceField
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from audit import ledger
from catalog.models import Locale
from core.admin import ReadOnlyAdmin
from core.refs import ref
from moderation.languages import languages_of, set_languages

admin.site.unregister(User)
admin.site.unregister(Group)
admin.site.disable_action("delete_selected")


class PersonForm(UserChangeForm):
    """An account, and the languages its holder reads."""

    languages = MultipleChoiceField(
        choices=Locale.choices, required=False, widget=CheckboxSelectMultiple, label="Reads",
        help_text="texts in other languages are not offered to them for review; none ticked = every language",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["languages"].initial = languages_of(self.instance)


@admin.register(User)
class PersonAdmin(UserAdmin, ModelAdmin):  # type: ignore[type-arg]
    """People: who they are, whether they may sign in, which roles they hold. Superusers are made on the command line."""

    form = PersonForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "name", "roles", "is_active", "last_login")
    list_filter = ("groups", "is_active")
    list_fullwidth = True
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Who", {"fields": ("first_name", "last_name", "email")}),
        ("May", {"fields": ("is_active", "is_staff", "groups")}),
        ("Reviews", {"fields": ("languages",)}),
        ("When", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "email", "password1", "password2", "is_staff", "groups"), "classes": ("wide",)}),
    )
    readonly_fields = ("last_login", "date_joined")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Superusers are out of an administrator's sight, or their password would be an administrator's to set."""
        people = super().get_queryset(request).prefetch_related("groups")
        return people if request.user.is_superuser else people.filter(is_superuser=False)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Accounts are switched off, never deleted: the ledger points at them."""
        return False

    def save_related(
        self, request: HttpRequest, form: ModelForm[User], formsets: list[BaseModelFormSet[Any, Any]], change: bool
    ) -> None:
        """Note which roles the account holds now, and which languages its holder reads; no names."""
        super().save_related(request, form, formsets, change)
        person = form.instance
        if "languages" in form.cleaned_data:
            set_languages(person, locales=form.cleaned_data["languages"], actor=request.user)  # type: ignore[arg-type]
        roles = sorted(person.groups.values_list("name", flat=True))
        ledger.append(
            "accounts.user.changed" if change else "accounts.user.added",
            subject=ref(person),
            actor=request.user,  # type: ignore[arg-type]
            payload={"roles": roles, "is_active": person.is_active, "is_staff": person.is_staff},
        )

    def log_change(self, request: HttpRequest, obj: User, message: Any) -> None:  # type: ignore[override]
        """Django's own log is not kept: the ledger has the line."""

    def log_addition(self, request: HttpRequest, obj: User, message: Any) -> None:  # type: ignore[override]
        """Django's own log is not kept: the ledger has the line."""

    @display(description="name")
    def name(self, obj: User) -> str:
        """First and last name."""
        return obj.get_full_name()

    @display(description="roles")
    def roles(self, obj: User) -> str:
        """The roles held."""
        return ", ".join(group.name for group in obj.groups.all()) or "none"


@admin.register(Group)
class RoleAdmin(ReadOnlyAdmin):
    """Roles, as `ecomsite.roles` keeps them."""

    list_display = ("name", "n_people")
    fields = ("name", "permissions")

    @display(description="people")
    def n_people(self, obj: Group) -> int:
        """How many hold it."""
        return obj.user_set.count()
