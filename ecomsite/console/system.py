"""“Queues & health”: which part is missing and what to do, whether the work moves, how long people's part takes."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from catalog.models import Channel
from core.actors import AuthenticatedHttpRequest, require_permission
from core.exceptions import EcomsiteError
from ecomsite.console import charts
from ecomsite.console.pages import page
from labeling.question import queue_names
from moderation import priority
from moderation.models.queues import QueuePolicy
from moderation.queues import rules
from moderation.queues.back_pressure import pause_in_words
from monitoring import flow, health, refusals, sla
from monitoring.waiting import why_stage_waits

WINDOWS = {"hour": dt.timedelta(hours=1), "day": dt.timedelta(days=1), "week": dt.timedelta(days=7)}


@require_safe
def system(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Show the state of every part, stage and queue."""
    return page(request, "console/system.html", _context(request))


@require_safe
def system_fragment(request: AuthenticatedHttpRequest) -> HttpResponse:
    """The same alone, for the page that watches it."""
    return render(request, "console/_system.html", _context(request))


def _context(request: AuthenticatedHttpRequest) -> dict[str, Any]:
    require_permission(request.user, "moderation.view_reviewitem")
    window = request.GET.get("window", "day")
    window = window if window in WINDOWS else "day"
    return {
        "title": "Queues & health",
        "health": health.recent_report(),
        "stages": [(stage, charts.slot_bars(stage.left), why_stage_waits(stage)) for stage in flow.stages()],
        "refused": refusals.at_the_door(since=timezone.now() - WINDOWS["day"]),
        "queues": [_queue(report) for report in sla.reports(window=WINDOWS[window])],
        "window": window,
        "windows": list(WINDOWS),
        "may_set": request.user.has_perm("moderation.set_queue_policy"),
        "may_see_quarantine": request.user.has_perm("monitoring.view_quarantine"),
    }


def _queue(report: sla.Report) -> dict[str, Any]:
    top = max((clock.p99 for clock in report.clocks), default=dt.timedelta(0))
    return {
        "report": report,
        "policy": report.policy,
        "paused": pause_in_words(report.policy),
        "n_assigned": report.policy.reviewers.count() if report.policy.pk else 0,
        "clocks": [(c, charts.clock_bars((c.p50, c.p90, c.p99), top=top)) for c in report.clocks],
    }


class QueuePolicyForm(forms.ModelForm):  # type: ignore[type-arg]
    """The rules of one queue."""

    check_channels = forms.MultipleChoiceField(
        choices=Channel.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="A second person confirms: channels",
        help_text="whatever goes out in these",
    )

    class Meta:
        model = QueuePolicy
        fields = (
            "enable_reservations",
            "reservation_minutes",
            "reviewer_access_mode",
            "reviewers",
            "sla_minutes",
            "ageing_minutes",
            "max_waiting",
            "num_reviewers_per_item",
            "num_reviewers_risky",
            "risky_from",
            "consensus_method",
            "min_quality",
            "blind_percent",
            "rereview_percent",
            "gold_percent",
            "random_percent",
            "ticks_suggestions",
            "contradicted_facts",
            "check_severity",
            "check_codes",
            "check_channels",
            "check_categories",
        )
        labels = {
            "enable_reservations": "Reserve an item for who takes it",
            "reservation_minutes": "For how many minutes",
            "reviewer_access_mode": "Who takes from it",
            "reviewers": "The people assigned",
            "sla_minutes": "Decided within (minutes)",
            "ageing_minutes": "Ageing (minutes)",
            "max_waiting": "Most that may wait",
            "num_reviewers_per_item": "People who answer each item",
            "num_reviewers_risky": "People who answer a risky item",
            "risky_from": "Risky from (0.1 to 1)",
            "consensus_method": "What they agree on, by",
            "min_quality": "Consensus at least this sure (0 to 1)",
            "blind_percent": "Shown without the suggestion (%)",
            "rereview_percent": "Answered again, blind (%)",
            "gold_percent": "Known answers mixed in (%)",
            "random_percent": "Drawn at random (%)",
            "ticks_suggestions": "Tick what the model suggests beforehand",
            "contradicted_facts": "A text that contradicts a fact",
            "check_severity": "A second person confirms: findings this grave",
            "check_codes": "A second person confirms: codes that hold (separated by commas)",
            "check_categories": "A second person confirms: categories that hold (separated by commas)",
        }
        widgets = {"reviewer_access_mode": forms.RadioSelect, "reviewers": forms.CheckboxSelectMultiple}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.with_perm("moderation.review_item", include_superusers=False)
        self.fields["reviewers"].queryset = people.order_by("username")  # type: ignore[attr-defined]


def _rounded_up(length: dt.timedelta) -> dt.timedelta:
    """To whole hours, or minutes where it is no hour: what is promised is not less than what is kept."""
    unit = dt.timedelta(hours=1) if length > dt.timedelta(hours=1) else dt.timedelta(minutes=1)
    return -(-length // unit) * unit


@require_http_methods(["GET", "POST"])
def queue_policy(request: AuthenticatedHttpRequest, question: str) -> HttpResponse:
    """Set the rules of a queue."""
    require_permission(request.user, "moderation.set_queue_policy")
    if question not in queue_names():
        raise Http404
    policy = rules.policy_for(question)
    form = QueuePolicyForm(request.POST if request.method == "POST" else None, instance=policy)
    if form.is_valid():
        try:
            rules.set_policy(question, actor=request.user, **form.cleaned_data)
        except EcomsiteError as exc:
            form.add_error(None, forms.ValidationError([exc.message, exc.hint] if exc.hint else [exc.message]))
        else:
            messages.success(request, f"The rules of “{policy}” are set.")
            return redirect("console:system")
    context = {
        "title": f"Rules of the queue “{policy}”",
        "form": form,
        "overtaking": _rounded_up(priority.longest_overtaking(rules.policy_for(question).ageing)),
    }
    return page(request, "console/queue_policy.html", context, status=422 if form.errors else 200)
