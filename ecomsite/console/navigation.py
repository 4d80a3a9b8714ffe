"""What the console's sidebar and its tabs lead to, and for whom. Imported by the settings: no models here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.urls import reverse_lazy


def _holds(*permissions: str) -> Callable[[HttpRequest], bool]:
    """Whether the person holds any of `permissions`: who may not open a page does not see its link."""
    return lambda request: any(request.user.has_perm(permission) for permission in permissions)


def _page(title: str, icon: str, url: str, *permissions: str, **more: Any) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(url), "permission": _holds(*permissions), **more}


def _table(title: str, icon: str, model: str) -> dict[str, Any]:
    app, name = model.split(".")
    return _page(title, icon, f"admin:{app}_{name}_changelist", f"{app}.view_{name}")


def _next(title: str, icon: str, question: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy("console:review", args=[question]),
        "active": lambda request: request.path == reverse_lazy("console:review", args=[question]),
        "permission": _holds("moderation.review_item"),
    }


def _tabs(model: str, parameter: str, states: Sequence[tuple[str, str]]) -> dict[str, Any]:
    app, name = model.split(".")
    url = f"admin:{app}_{name}_changelist"

    def link(query: str) -> Callable[[HttpRequest], str]:
        return lambda request: f"{reverse_lazy(url)}{query}"

    def is_active(value: str | None) -> Callable[[HttpRequest], bool]:
        return lambda request: request.GET.get(parameter) == value

    items = [{"title": "All", "link": link(""), "active": is_active(None)}]
    items += [
        {"title": title, "link": link(f"?{parameter}={value}"), "active": is_active(value)} for value, title in states
    ]
    return {"models": [model], "items": items}


def waiting_badge(request: HttpRequest) -> str:
    """How many review items wait; shown beside the queue."""
    from moderation.models.reviews import ReviewItem

    n = ReviewItem.objects.work().filter(status__in=("waiting", "escalated")).count()
    return str(n) if n else ""


def quarantine_badge(request: HttpRequest) -> str:
    """How much is in quarantine; shown beside its link."""
    from monitoring import quarantine

    n = quarantine.recent_count()
    return str(n) if n else ""


def contested_badge(request: HttpRequest) -> str:
    """How much waits for a senior, a second person or a judge; shown beside its link."""
    from moderation.models.appeals import Appeal
    from moderation.models.reviews import ReviewItem

    n = ReviewItem.objects.filter(status__in=("escalated", "confirming")).count()
    n += Appeal.objects.filter(status=Appeal.Status.OPEN).count()
    return str(n) if n else ""


NAVIGATION: list[dict[str, Any]] = [
    {
        "title": "Work",
        "items": [
            {"title": "Desk", "icon": "space_dashboard", "link": reverse_lazy("admin:index")},
            _page("My work", "person", "console:my_work", "moderation.review_item"),
            {
                **_table("Queue", "inbox", "moderation.reviewitem"),
                "badge": "ecomsite.console.navigation.waiting_badge",
            },
            _table("Candidates", "edit_note", "moderation.candidate"),
            _table("Requests", "assignment", "moderation.generationrequest"),
            _table("Decisions", "gavel", "moderation.decision"),
            _page(
                "Contested",
                "balance",
                "console:contested",
                "moderation.view_appeal",
                badge="ecomsite.console.navigation.contested_badge",
            ),
            {
                "title": "Label quality",
                "icon": "rule",
                "link": reverse_lazy("console:label_quality", args=["sentiment"]),
                "active": lambda request: "/label-quality/" in request.path,
                "permission": _holds("labeling.view_label"),
            },
        ],
    },
    {
        "title": "Catalogue",
        "separator": True,
        "items": [
            _table("Products", "inventory_2", "catalog.product"),
            _table("Pictures", "image", "catalog.productpicture"),
            _table("Published copy", "storefront", "catalog.publishedcopy"),
            _table("Customer reviews", "reviews", "catalog.customerreview"),
            _table("Messages", "mail", "catalog.customermessage"),
            _page("Hidden reviews", "visibility_off", "console:hidden_reviews", "catalog.view_hiddenreview"),
            _table("Imports", "upload_file", "catalog.importrun"),
        ],
    },
    {
        "title": "Models",
        "separator": True,
        "items": [
            _page("Training", "model_training", "console:training", "training.view_trainingrun"),
            _page("Questions", "quiz", "console:questions", "questions.view_questionversion"),
            _page(
                "Labels in and out",
                "import_export",
                "console:label_jobs",
                "labeling.import_labels",
                "labeling.export_labels",
            ),
            _page("Raters of imports", "how_to_reg", "console:raters", "labeling.view_label"),
            _table("Versions", "deployed_code", "inference.modelversion"),
            _table("Aliases", "label", "inference.modelalias"),
            _table("Predictions", "checklist", "moderation.prediction"),
        ],
    },
    {
        "title": "Compliance",
        "separator": True,
        "items": [
            _page("Auditor's questions", "contact_support", "console:auditor", "audit.verify_ledger"),
            _page("Policies", "policy", "console:policies", "moderation.view_policyversion"),
            _page("Brand voices", "record_voice_over", "console:brand_voices", "moderation.view_policyversion"),
            _page("Retro-scans", "manage_search", "console:retro_scans", "moderation.view_retroscan"),
            _table("Ledger", "history_edu", "audit.ledgerentry"),
            _page("Verify the ledger", "verified_user", "console:verify_ledger", "audit.verify_ledger"),
            _table("AI mark on pages", "label_important", "monitoring.markcheck"),
            _table("Refused access", "block", "monitoring.refusal"),
            _table("Ledger checks", "fact_check", "audit.ledgercheck"),
            _table("Signed heads", "account_tree", "audit.treehead"),
        ],
    },
    {
        "title": "System",
        "separator": True,
        "items": [
            _page("Queues & health", "monitor_heart", "console:system", "moderation.view_reviewitem"),
            _table("Alerts", "notifications", "monitoring.alert"),
            _page(
                "Quarantine",
                "healing",
                "console:quarantine",
                "monitoring.view_quarantine",
                badge="ecomsite.console.navigation.quarantine_badge",
            ),
            _table("Label Studio projects", "workspaces", "labeling.labelingproject"),
            _table("Labelling tasks", "checklist", "labeling.labelingtask"),
            _table("Annotations", "rate_review", "labeling.annotation"),
            _table("Drifts", "difference", "labeling.drift"),
            _table("Webhook inbox", "move_to_inbox", "labeling.webhookevent"),
            _table("Completeness proofs", "fact_check", "labeling.completenessproof"),
            _table("Webhook endpoints", "webhook", "outbox.endpoint"),
            _table("Webhook deliveries", "outbox", "outbox.delivery"),
            _table("People", "group", "auth.user"),
            _table("Roles", "badge", "auth.group"),
        ],
    },
]
TABS: list[dict[str, Any]] = [
    _tabs(
        "moderation.candidate",
        "status__exact",
        [
            ("in_review", "In review"),
            ("blocked", "Blocked"),
            ("published", "Published"),
            ("rejected", "Rejected"),
            ("generated", "Drafts"),
            ("superseded", "Superseded"),
            ("retired", "Retired"),
        ],
    ),
    _tabs(
        "moderation.generationrequest",
        "status__exact",
        [
            ("queued", "Queued"),
            ("generating", "Being written"),
            ("completed", "Completed"),
            ("failed", "Failed"),
            ("cancelled", "Cancelled"),
        ],
    ),
    _tabs(
        "moderation.reviewitem",
        "status__exact",
        [
            ("waiting", "Waiting"),
            ("dispatched", "With a reviewer"),
            ("escalated", "Escalated"),
            ("confirming", "For a second person"),
            ("decided", "Decided"),
            ("withdrawn", "Withdrawn"),
        ],
    ),
    _tabs(
        "outbox.delivery",
        "status__exact",
        [("pending", "Pending"), ("dead", "Dead letters"), ("delivered", "Delivered")],
    ),
    _tabs("catalog.publishedcopy", "live", [("yes", "Live"), ("no", "Retired")]),
    _tabs(
        "catalog.customerreview",
        "sentiment",
        [("positive", "Positive"), ("neutral", "Neutral"), ("negative", "Negative")],
    ),
]


def navigation() -> list[dict[str, Any]]:
    """Return the sidebar, with a way to the next item of each question that people are asked."""
    from labeling.question import asked_questions

    return _with(tuple((f"Next: {one.title.lower()}", one.icon, one.name) for one in asked_questions()))


@cache
def _with(asked: tuple[tuple[str, str, str], ...]) -> list[dict[str, Any]]:
    # unfold compares each link with many others, and a lazy one is looked up at each comparison.
    work, *others = NAVIGATION
    desk, *rest = work["items"]
    groups = [work | {"items": [desk, *(_next(*one) for one in asked), *rest]}, *others]
    return [group | {"items": [item | {"link": str(item["link"])} for item in group["items"]]} for group in groups]


def tabs_at(path: str) -> list[dict[str, Any]]:
    """Return the tabs of the list at `path`: of all of them unfold would look at each for each link of the sidebar."""
    return [tab for tab in TABS if f"/{tab['models'][0].replace('.', '/')}/" in path]
