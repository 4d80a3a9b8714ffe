"""What every page of the console has in common: rows are shown, not edited, because rows move through functions."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import NoReverseMatch
from unfold.admin import ModelAdmin, TabularInline

# Signs that change how others are shown, and so could make a text look like another one.
INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)


def excerpt(text: str, *, length: int = 110) -> str:
    """Return the first `length` signs of an untrusted text for a table, invisible ones shown as �."""
    text = INVISIBLE.sub("\ufffd", text[: length + 1])
    return text if len(text) <= length else f"{text[: length - 1]}…"


def lead_on(page: str, model: type[Model], key: str) -> HttpResponseRedirect:
    """Go to the page of the row of `model` that `key`, from an address, names.

    Raises `Http404` if it cannot be a key.
    """
    try:
        return redirect(page, pk=model._meta.pk.to_python(key))
    except (ValidationError, NoReverseMatch):
        raise Http404(f"no {model._meta.verbose_name} has such a key") from None


class ReadOnlyAdmin(ModelAdmin):
    """Shows rows to whoever may view them; adds, changes and deletes nothing, whatever the account may do."""

    list_fullwidth = True
    list_filter_sheet = True
    show_full_result_count = False
    list_per_page = 50
    actions: tuple[str, ...] = ()
    # Said where there is no row at all, and what would bring one.
    nothing_here = "Nothing here yet"
    what_brings = ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds rows by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes rows by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes rows by hand."""
        return False


class ReadOnlyInline(TabularInline):
    """Shows the rows that belong to another one."""

    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds rows by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes rows by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes rows by hand."""
        return False
