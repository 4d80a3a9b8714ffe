"""The ledger in the console: searched and read, never written."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from audit.models import LedgerEntry
from core.admin import ReadOnlyAdmin, excerpt
from core.hashing import canonical_json


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    """Lines newest first; “Verify now” recomputes the whole chain."""

    list_display = ("seq", "at", "actor", "action", "subject", "payload_shown")
    list_filter = (("at", RangeDateTimeFilter),)
    list_filter_submit = True
    search_fields = ("action__startswith", "actor__exact", "subject__contains")
    search_help_text = "an action (moderation.candidate…), an actor (user:5) or part of a subject"
    ordering = ("-seq",)
    actions_list = ("verify_now",)

    @display(description="payload")
    def payload_shown(self, obj: LedgerEntry) -> str:
        """What was recorded beside who, what and when."""
        return excerpt(canonical_json(obj.payload), length=160)

    def has_verify_ledger_permission(self, request: HttpRequest) -> bool:
        """Whether the button is shown."""
        return request.user.has_perm("audit.verify_ledger")

    @action(description="Verify now", icon="verified_user", permissions=["verify_ledger"])
    def verify_now(self, request: HttpRequest) -> HttpResponse:
        """Go to the page that recomputes the chain."""
        return redirect("console:verify_ledger")
