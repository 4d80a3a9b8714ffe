"""The ledger in the console: searched and read, never written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from audit.models import LedgerCheck, LedgerEntry, LedgerKey, TimeStamp, TreeHead
from audit.sealing import opened
from core.actors import AuthenticatedHttpRequest
from core.admin import ReadOnlyAdmin, excerpt
from core.hashing import canonical_json


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    """Lines newest first; “Verify now” recomputes the whole chain. What people typed is shown to who may read it."""

    list_display = ("seq", "at", "actor", "action", "subject", "payload_shown")
    fields = ("seq", "at", "actor", "action", "subject", "payload_shown", "prev_hash", "entry_hash")
    readonly_fields = fields
    list_filter = (("at", RangeDateTimeFilter),)
    list_filter_submit = True
    search_fields = ("action__startswith", "actor__exact", "subject__contains")
    search_help_text = "an action (moderation.candidate…), an actor (user:5) or part of a subject"
    ordering = ("-seq",)
    actions_list = ("verify_now",)

    def get_changelist_instance(self, request: AuthenticatedHttpRequest) -> Any:
        """Open what is sealed on the page that is shown, in one go."""
        found = super().get_changelist_instance(request)
        _open(found.result_list, request.user)
        return found

    def get_object(self, request: AuthenticatedHttpRequest, *args: Any, **kwargs: Any) -> LedgerEntry | None:
        """Open what is sealed in the line that is shown."""
        found: LedgerEntry | None = super().get_object(request, *args, **kwargs)
        if found is not None:
            _open([found], request.user)
        return found

    @display(description="payload")
    def payload_shown(self, obj: LedgerEntry) -> str:
        """What was recorded beside who, what and when."""
        return excerpt(canonical_json(getattr(obj, "opened", obj.payload)), length=160)

    def has_verify_ledger_permission(self, request: HttpRequest) -> bool:
        """Whether the button is shown."""
        return request.user.has_perm("audit.verify_ledger")

    @action(description="Verify now", icon="verified_user", permissions=["verify_ledger"])
    def verify_now(self, request: HttpRequest) -> HttpResponse:
        """Go to the page that recomputes the chain."""
        return redirect("console:verify_ledger")


def _open(entries: Sequence[LedgerEntry], reader: User) -> None:
    for entry, payload in zip(entries, opened([entry.payload for entry in entries], reader=reader), strict=True):
        entry.opened = payload  # type: ignore[attr-defined]


@admin.register(LedgerCheck)
class LedgerCheckAdmin(ReadOnlyAdmin):
    """When the ledger was checked, by whom, how far, and what came of it."""

    list_display = (
        "at",
        "by",
        "kind",
        "lines_that_hold",
        "in_second_place",
        "high_water_mark",
        "outcome",
        "took",
        "words",
    )
    list_filter = ("kind", "is_intact", ("at", RangeDateTimeFilter))
    list_filter_submit = True
    search_fields = ("by__exact",)
    search_help_text = "who checked (user:5)"

    @display(description="lines that hold", ordering="size")
    def lines_that_hold(self, obj: LedgerCheck) -> str:
        """Counted from the first of the ledger."""
        return f"{obj.size:,}"

    @display(description="in the second place", ordering="anchored_size")
    def in_second_place(self, obj: LedgerCheck) -> str:
        """How many lines the second place vouches for."""
        return f"{obj.anchored_size:,}"

    @display(description="high-water mark", ordering="marked_size")
    def high_water_mark(self, obj: LedgerCheck) -> str:
        """How many lines had been verified before, by the file beside both places."""
        return f"{obj.marked_size:,}"

    @display(description="took", ordering="seconds")
    def took(self, obj: LedgerCheck) -> str:
        """How long the check took."""
        return f"{obj.seconds:.1f} s"

    @display(description="outcome", label={"holds": "success", "broken": "danger"})
    def outcome(self, obj: LedgerCheck) -> tuple[str, str]:
        """The outcome as a coloured label."""
        return ("holds", "Holds") if obj.is_intact else ("broken", f"Broken at {obj.bad_seq or '?'}")


@admin.register(TreeHead)
class TreeHeadAdmin(ReadOnlyAdmin):
    """Signed heads: so many lines had this root."""

    list_display = ("size", "at", "root_hash", "key_id", "stamped")
    fields = ("size", "at", "root_hash", "head_hash", "key_id", "signature")
    ordering = ("-size",)
    list_filter = (("at", RangeDateTimeFilter),)
    list_filter_submit = True

    @display(description="time stamp")
    def stamped(self, obj: TreeHead) -> str:
        """Who else says that it was there then."""
        return ", ".join(f"{stamp.authority}, {stamp.at:%Y-%m-%d %H:%M}" for stamp in obj.stamps.all())

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the stamps, and without the records that no page shows."""
        return super().get_queryset(request).defer("leaves", "frontier").prefetch_related("stamps")


@admin.register(LedgerKey)
class LedgerKeyAdmin(ReadOnlyAdmin):
    """Public keys that signed heads, and which followed which."""

    list_display = ("key_id", "public_key", "first_size", "at", "predecessor")


@admin.register(TimeStamp)
class TimeStampAdmin(ReadOnlyAdmin):
    """Time stamps of an authority."""

    nothing_here = "No time stamp"
    what_brings = "Set LEDGER_TSA_URL to have an authority stamp the ledger's heads."
    list_display = ("head", "at", "authority")
    fields = list_display

    def get_queryset(self, request: HttpRequest) -> Any:
        """Without the answers themselves."""
        return super().get_queryset(request).defer("response").select_related("head")
