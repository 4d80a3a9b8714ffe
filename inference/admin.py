"""The model registry in the console: read here, written by commands that measure and record."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from core.admin import ReadOnlyAdmin, ReadOnlyInline
from inference.models import Calibration, ModelAlias, ModelVersion


class ModelAliasInline(ReadOnlyInline):
    """The names that point at a version now."""

    model = ModelAlias
    fields = ("name", "moved_at")
    readonly_fields = fields


class CalibrationInline(ReadOnlyInline):
    """How a version runs on each kind of machine that it was tried on."""

    model = Calibration
    fields = ("machine", "options", "trials", "created_at")
    readonly_fields = fields


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Every registered version and the names that point at it."""

    list_display = ("title", "role", "aliases_shown", "backend", "languages", "licence", "source", "created_at")
    list_filter = ("role", "backend")
    search_fields = ("name", "source", "artifact_hash")
    inlines = (ModelAliasInline, CalibrationInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        """Fetch the aliases along."""
        return super().get_queryset(request).prefetch_related("aliases")

    @display(description="version", ordering="number")
    def title(self, obj: ModelVersion) -> str:
        """Name and number."""
        return f"{obj.name} · v{obj.number}"

    @display(description="languages")
    def languages(self, obj: ModelVersion) -> str:
        """The languages it works in."""
        return ", ".join(obj.locales)

    @display(description="alias", label={"champion": "success", "challenger": "info", "previous": "warning"})
    def aliases_shown(self, obj: ModelVersion) -> str:
        """The names that point at it."""
        return ", ".join(sorted(alias.name for alias in obj.aliases.all())) or "–"


@admin.register(ModelAlias)
class ModelAliasAdmin(ReadOnlyAdmin):
    """Which version serves, which is compared, which is the way back."""

    list_display = ("role", "name", "version", "moved_at")
    list_filter = ("role", "name")
    list_select_related = ("version",)
