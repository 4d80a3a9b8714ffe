"""Products, facts, live copy and imports in the console."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.db.models import Count, Q, QuerySet
from django.forms import BaseModelFormSet, ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from catalog import editing
from catalog.feeds.base import BadRow, image_address
from catalog.models import CustomerMessage, ImportRun, Product, ProductFact, ProductPicture, PublishedCopy
from core.actors import AuthenticatedHttpRequest
from core.admin import ReadOnlyAdmin, excerpt, lead_on

SELECTED_PRODUCTS = "console.request_copy.products"  # session key; the form at `console:request_copy` reads it


class ProductFactForm(ModelForm):  # type: ignore[type-arg]
    """A row of a table, whose fields have no label of their own: each says what its column is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = field.label


class ProductFactInline(TabularInline):
    """What copy may claim about the product."""

    model = ProductFact
    form = ProductFactForm
    fields = ("locale", "name", "value", "kind", "number", "unit", "position")
    extra = 0
    formfield_overrides = {models.TextField: {"widget": UnfoldAdminTextInputWidget}}  # values are short
    verbose_name_plural = "facts: what copy may claim, and nothing else"


class ProductForm(ModelForm):  # type: ignore[type-arg]
    """A product as a person writes it: the address of its picture is held to what feeds are held to."""

    def clean_image_url(self) -> str:
        """Return the address, cleaned. Raises `ValidationError` with what is wrong with it."""
        try:
            return image_address(self.cleaned_data["image_url"])
        except BadRow as exc:
            raise ValidationError(str(exc)) from exc


@admin.register(Product)
class ProductAdmin(ModelAdmin):
    """Products with their facts. Administrators edit them; the rest read, or ask for copy."""

    list_display = ("sku", "title", "brand", "category", "n_facts", "n_live", "updated_at")
    list_filter = ("locale", "category", "brand")
    list_fullwidth = True
    form = ProductForm
    search_fields = ("sku", "title", "brand", "category")
    fields = (
        "sku",
        "title",
        "localized_titles",
        "locale",
        "brand",
        "category",
        "description",
        ("price", "currency"),
        "image_url",
        "facts_hash",
        "proofs",
        "source",
        "created_at",
        "updated_at",
    )
    readonly_fields = ("facts_hash", "proofs", "source", "created_at", "updated_at")
    inlines = (ProductFactInline,)
    actions = ("request_copy",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        """Count facts and live copy along."""
        return (
            super()
            .get_queryset(request)
            .annotate(
                facts_count=Count("facts", distinct=True),
                live_count=Count("published_copy", filter=Q(published_copy__retired_at=None), distinct=True),
            )
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Products stay: published copy and its history hang on them."""
        return False

    def has_request_copy_permission(self, request: HttpRequest) -> bool:
        """Whether the action is offered; the function behind the form checks again."""
        return request.user.has_perm("moderation.request_copy")

    @admin.action(description="Request copy …", permissions=["request_copy"])
    def request_copy(self, request: HttpRequest, queryset: QuerySet[Product]) -> HttpResponse:
        """Carry the selection to the form that asks for copy."""
        request.session[SELECTED_PRODUCTS] = list(queryset.order_by("sku").values_list("pk", flat=True))
        return redirect("console:request_copy")

    def save_related(
        self,
        request: AuthenticatedHttpRequest,
        form: ModelForm[Product],
        formsets: list[BaseModelFormSet[Any, Any]],
        change: bool,
    ) -> None:
        """Record the edit once the facts are in: new facts make a new hash, and so new requests for copy."""
        super().save_related(request, form, formsets, change)
        editing.record_edit(form.instance, actor=request.user)

    def log_change(self, request: HttpRequest, obj: Product, message: Any) -> None:
        """Django's own log is not kept: the ledger has the line."""

    def log_addition(self, request: HttpRequest, obj: Product, message: Any) -> None:
        """Django's own log is not kept: the ledger has the line."""

    @display(description="proofs of facts")
    def proofs(self, obj: Product) -> str:
        """The way to the page where files are attached to facts."""
        if obj._state.adding:
            return "after the product is saved"
        n = obj.evidence.filter(withdrawn_at=None).count()
        return format_html('<a href="{}">{} attached: look, add</a>', reverse("console:facts", args=[obj.pk]), n)

    @display(description="facts", ordering="facts_count")
    def n_facts(self, obj: Product) -> int:
        """How many facts there are, in all languages."""
        return obj.facts_count  # type: ignore[attr-defined]

    @display(description="live copy", ordering="live_count")
    def n_live(self, obj: Product) -> int:
        """How many texts shoppers see now."""
        return obj.live_count  # type: ignore[attr-defined]


@admin.register(ProductPicture)
class ProductPictureAdmin(ReadOnlyAdmin):
    """Pictures that products have and had. A row opens its product."""

    nothing_here = "No product has a picture yet"
    what_brings = "They come with the products of a feed."
    list_display = ("address", "product", "created_at", "removed_at")
    list_filter = (("removed_at", admin.EmptyFieldListFilter),)
    list_select_related = ("product",)
    search_fields = ("address", "product__sku", "product__title")

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the product."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        picture = self.get_object(request, object_id)
        if not isinstance(picture, ProductPicture):
            raise Http404("no picture has such a key")
        return redirect("admin:catalog_product_change", picture.product_id)


@admin.register(CustomerMessage)
class CustomerMessageAdmin(ReadOnlyAdmin):
    """What customers wrote to the shop; who wrote one is a pseudonym."""

    nothing_here = "No message yet"
    what_brings = "“manage.py import_messages FILE” brings them."
    list_display = ("about", "channel", "product", "locale", "author", "received_at")
    list_filter = ("channel", "locale")
    list_select_related = ("product",)
    search_fields = ("text", "external_id", "author", "product__sku")

    @display(description="message")
    def about(self, obj: CustomerMessage) -> str:
        """The first words."""
        return excerpt(obj.text)


class LiveFilter(admin.SimpleListFilter):
    """Live, or retired."""

    title = "on the shelf"
    parameter_name = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The two states of copy."""
        return [("yes", "Live now"), ("no", "Retired")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PublishedCopy]) -> QuerySet[PublishedCopy]:
        """Narrow to the chosen state."""
        if self.value() == "yes":
            return queryset.filter(retired_at=None)
        return queryset.exclude(retired_at=None) if self.value() == "no" else queryset


@admin.register(PublishedCopy)
class PublishedCopyAdmin(ReadOnlyAdmin):
    """What shoppers see and saw. A row opens the candidate with its whole history; copy is retired there."""

    nothing_here = "Nothing is live yet"
    what_brings = "What a reviewer approves goes live by itself."
    list_display = (
        "about",
        "product",
        "channel",
        "locale",
        "variant",
        "shelf",
        "published_at",
        "retired_at",
        "retired_reason",
    )
    list_filter = (LiveFilter, "channel", "locale", "variant", "audience")
    list_select_related = ("product",)
    search_fields = ("product__sku", "product__title", "text", "candidate_ref")

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the candidate it came from, where the whole story is."""
        return lead_on("console:copy", PublishedCopy, object_id)

    @display(description="text")
    def about(self, obj: PublishedCopy) -> str:
        """The first words."""
        return excerpt(obj.text)

    @display(description="state", label={"live": "success", "retired": ""})
    def shelf(self, obj: PublishedCopy) -> tuple[str, str]:
        """Live or retired, as a coloured label."""
        return ("retired", "Retired") if obj.retired_at else ("live", "Live")


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    """Imports: how far each came, and where its bad rows are listed."""

    nothing_here = "Nothing was imported yet"
    what_brings = "“manage.py import_products FILE” imports a feed."
    list_display = (
        "file_name",
        "kind",
        "feed_format",
        "state",
        "n_rows",
        "n_created",
        "n_updated",
        "n_unchanged",
        "n_bad",
        "started_at",
        "finished_at",
    )
    list_filter = ("status", "kind", "feed_format")
    search_fields = ("file_name", "file_hash")

    @display(
        description="state",
        ordering="status",
        label={"running": "info", "completed": "success", "interrupted": "warning", "failed": "danger"},
    )
    def state(self, obj: ImportRun) -> tuple[str, str]:
        """The state as a coloured label."""
        return obj.status, obj.get_status_display()
