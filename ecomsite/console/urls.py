"""Addresses of the console's own pages; every one asks for a signed-in member of staff."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin
from django.http import HttpResponse
from django.urls import URLPattern, path

from ecomsite.console import candidates, dashboard, quarantine, requests, system, webhooks, work

app_name = "console"


def _page(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
    return path(route, admin.site.admin_view(view), name=name)


urlpatterns = [
    _page("desk/", dashboard.desk_fragment, "desk"),
    _page("system/", system.system, "system"),
    _page("system/now/", system.system_fragment, "system_now"),
    _page("queues/<slug:kind>/rules/", system.queue_policy, "queue_policy"),
    _page("quarantine/", quarantine.show, "quarantine"),
    _page("quarantine/<slug:kind>/readmit/", quarantine.readmit, "readmit"),
    _page("next/", work.next_item, "next"),
    _page("next/waiting/", work.nothing_fragment, "nothing"),
    _page("ledger/verify/", work.verify_ledger, "verify_ledger"),
    _page("request-copy/", requests.request_copy, "request_copy"),
    _page("requests/<uuid:pk>/", requests.show, "request"),
    _page("requests/<uuid:pk>/drafts/", requests.drafts_fragment, "drafts"),
    _page("requests/<uuid:pk>/cancel/", requests.cancel, "cancel_request"),
    _page("requests/<uuid:pk>/retry/", requests.retry, "retry_request"),
    _page("candidates/<uuid:pk>/", candidates.candidate, "candidate"),
    _page("candidates/<uuid:pk>/label-studio/", candidates.open_task, "open_task"),
    _page("candidates/<uuid:pk>/overrule/", candidates.overrule, "overrule"),
    _page("candidates/<uuid:pk>/again/", candidates.request_again, "request_again"),
    _page("copy/<uuid:pk>/", candidates.copy, "copy"),
    _page("copy/<uuid:pk>/retire/", candidates.retire, "retire"),
    _page("items/<uuid:pk>/release/", candidates.release, "release"),
    _page("webhooks/add/", webhooks.add, "add_webhook"),
    _page("webhooks/<uuid:pk>/", webhooks.show, "webhook"),
    _page("webhooks/<uuid:pk>/change/", webhooks.change, "change_webhook"),
    _page("webhooks/<uuid:pk>/rotate/", webhooks.rotate, "rotate_webhook"),
    _page("webhooks/<uuid:pk>/disable/", webhooks.disable, "disable_webhook"),
    _page("webhooks/<uuid:pk>/enable/", webhooks.enable, "enable_webhook"),
    _page("webhooks/<uuid:pk>/test/", webhooks.test, "test_webhook"),
    _page("webhooks/<uuid:pk>/replay/", webhooks.replay_all, "replay_webhook"),
    _page("deliveries/<int:pk>/", webhooks.delivery, "delivery"),
    _page("deliveries/<int:pk>/replay/", webhooks.replay_one, "replay_delivery"),
]
