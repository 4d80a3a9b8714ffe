"""Addresses of the console's own pages; every one asks for a signed-in member of staff."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin
from django.http import HttpResponse
from django.urls import URLPattern, path

from ecomsite.console import (
    adjudication,
    auditor,
    candidates,
    dashboard,
    door,
    facts,
    panel,
    policies,
    quality,
    quarantine,
    requests,
    retro_scans,
    system,
    training,
    webhooks,
    work,
)

app_name = "console"


def _page(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
    return path(route, admin.site.admin_view(view), name=name)


urlpatterns = [
    _page("desk/", dashboard.desk_fragment, "desk"),
    _page("system/", system.system, "system"),
    _page("system/now/", system.system_fragment, "system_now"),
    _page("queues/<slug:kind>/rules/", system.queue_policy, "queue_policy"),
    _page("label-quality/<slug:kind>/", quality.label_quality, "label_quality"),
    _page("label-quality/<slug:kind>/searches/", quality.checks_fragment, "label_checks"),
    _page("label-quality/<slug:kind>/search/", quality.check_now, "check_labels"),
    _page("training/", training.overview, "training"),
    _page("training/now/", training.overview_fragment, "training_now"),
    _page("training/start/<slug:task>/", training.start, "start_training"),
    _page("training/<uuid:pk>/", training.run, "training_run"),
    _page("training/<uuid:pk>/now/", training.run_fragment, "training_run_now"),
    _page("training/<uuid:pk>/cancel/", training.cancel, "cancel_training"),
    _page("training/<uuid:pk>/again/", training.repeat, "repeat_training"),
    _page("models/<uuid:pk>/approve/", training.approve, "approve_model"),
    _page("models/<slug:role>/roll-back/", training.roll_back, "roll_back_model"),
    _page("my-work/", quality.my_work, "my_work"),
    _page("items/<uuid:pk>/", panel.panel, "panel"),
    _page("items/<uuid:pk>/send-back/", panel.send_back, "send_back"),
    _page("items/<uuid:pk>/ask-more/", panel.ask_more, "ask_more"),
    _page("items/<uuid:pk>/gold/", panel.set_gold, "set_gold"),
    _page("products/<int:pk>/facts/", facts.facts, "facts"),
    _page("products/<int:pk>/proofs/", facts.attach, "attach_proof"),
    _page("proofs/<int:pk>/", facts.proof, "proof"),
    _page("proofs/<int:pk>/withdraw/", facts.withdraw, "withdraw_proof"),
    _page("contested/", adjudication.contested, "contested"),
    _page("items/<uuid:pk>/adjudicate/", adjudication.adjudicate, "adjudicate"),
    _page("items/<uuid:pk>/take/", adjudication.take, "take_escalated"),
    _page("items/<uuid:pk>/confirm/", adjudication.confirm, "confirm"),
    _page("items/<uuid:pk>/return/", adjudication.return_, "return_to_maker"),
    _page("decisions/<uuid:pk>/appeal/", adjudication.appeal, "appeal"),
    _page("decisions/<uuid:pk>/statement/", adjudication.statement, "statement"),
    _page("appeals/<uuid:pk>/judge/", adjudication.judge, "judge_appeal"),
    _page("quarantine/", quarantine.show, "quarantine"),
    _page("quarantine/<slug:kind>/readmit/", quarantine.readmit, "readmit"),
    _page("next/", work.next_item, "next"),
    _page("review/door/<uuid:pk>/", door.door, "door"),
    _page("next/waiting/", work.nothing_fragment, "nothing"),
    _page("ledger/verify/", work.verify_ledger, "verify_ledger"),
    _page("auditor/", auditor.questions, "auditor"),
    _page("auditor/<int:number>/", auditor.answer, "auditor_answer"),
    _page("policies/", policies.overview, "policies"),
    _page("policies/<int:number>/", policies.version, "policy"),
    _page("policies/<str:content_hash>/", policies.by_hash, "policy_by_hash"),
    _page("retro-scans/", retro_scans.overview, "retro_scans"),
    _page("retro-scans/start/", retro_scans.start, "start_retro_scan"),
    _page("retro-scans/<uuid:pk>/", retro_scans.show, "retro_scan"),
    _page("retro-scans/<uuid:pk>/recall/", retro_scans.recall, "recall"),
    _page("retro-scans/<uuid:pk>/undo/", retro_scans.undo, "undo_recall"),
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
    _page("copy/<uuid:pk>/evidence/", auditor.evidence, "evidence"),
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
