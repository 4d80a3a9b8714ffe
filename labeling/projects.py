"""The Label Studio project of each question: made from code, kept up to date, made again when it is gone."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction

from audit import ledger
from audit.ledger import Line
from core.actors import SystemActor
from core.exceptions import PermanentError
from core.hashing import hash_json
from core.refs import ref
from labeling import administration
from labeling.label_config import validate
from labeling.models import LabelingProject, LabelingTask
from labeling.question import Question, question

ACTOR = SystemActor("labeling.projects")
WEBHOOK_PATH = "/webhooks/label-studio/"
SECRET_HEADER = "X-Ecomsite-Secret"  # noqa: S105  (the name of a header)
WEBHOOK_ACTIONS = (
    "ANNOTATION_CREATED",
    "ANNOTATIONS_CREATED",
    "ANNOTATION_UPDATED",
    "ANNOTATIONS_DELETED",
    "TASKS_DELETED",
)


def project_row(name: str) -> LabelingProject:
    """Return our row for `name`, without asking Label Studio. Raises `PermanentError` for an unknown question."""
    row = LabelingProject.objects.filter(question=name).first()
    if row is None:
        row, _ = LabelingProject.objects.get_or_create(question=name, defaults={"title": question(name).title})
    return row


def ensure_project(name: str) -> LabelingProject:
    """Make the project of `name` in Label Studio be there, with today's interface and webhook. Idempotent.

    Says nothing to Label Studio when all is as last time. Of two processes the second waits for the first. A project
    that was made just before a crash is found again by its description.
    """
    interface = question(name)
    fields = _fields(interface)
    config_hash, webhook_hash = hash_json(fields), hash_json(_webhook())
    row = project_row(name)
    if row.ls_project_id and (row.config_hash, row.webhook_hash) == (config_hash, webhook_hash):
        return row
    validate(interface)
    with transaction.atomic():
        row = LabelingProject.objects.select_for_update(no_key=True).get(pk=row.pk)
        events = []
        if row.ls_project_id is None:
            row.ls_project_id = administration.find_project(marker=_marker(name))
            if row.ls_project_id is None:
                row.ls_project_id = administration.create_project(fields)
                row.config_hash = config_hash
            events.append("made")
        if row.config_hash != config_hash:
            administration.update_project(row.ls_project_id, fields)
            events.append("updated")
        if row.webhook_hash != webhook_hash:
            administration.set_webhook(row.ls_project_id, **_webhook())
            events.append("webhook_set")
        row.title, row.config_hash, row.webhook_hash = interface.title, config_hash, webhook_hash
        row.save()
        payload = {"ls_project_id": row.ls_project_id, "config": config_hash}
        ledger.append_many([Line(f"labeling.project.{event}", ref(row), payload) for event in events], actor=ACTOR)
    return row


def fields_of(name: str) -> dict[str, Any]:
    """Return the project of `name` as we set it in Label Studio."""
    return _fields(question(name))


def differing(row: LabelingProject) -> list[str]:
    """Return the names of what is not as we set it in the project that `row` names. Raises `Gone`."""
    wanted = fields_of(row.question)
    there = administration.show_project(row.ls_project_id or 0, wanted)
    return sorted(name for name, value in wanted.items() if _plain(there[name]) != _plain(value))


def _plain(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def wrong_webhooks(row: LabelingProject) -> str:
    """Return in words what is wrong with the webhooks of a project: it has ours, as we set it, and no other;
    "" if so.
    """
    there = administration.list_webhooks(row.ls_project_id or 0)
    wanted = administration.webhook_fields(**_webhook())
    if not there:
        return "its webhook is gone."
    alike = [hook for hook in there if {name: value for name, value in hook.items() if name != "id"} == wanted]
    if len(there) > 1:
        return f"it has {len(there)} webhooks."
    return "" if alike else "its webhook was changed."


def renew_webhook(row: LabelingProject) -> None:
    """Set the webhook of a project, whatever became of it in Label Studio:
    `ensure_project` goes by what it did last.
    """
    administration.set_webhook(row.ls_project_id or 0, **_webhook())


def forget_project(row: LabelingProject) -> int:
    """Note that the project `row` names is gone in Label Studio: it is made anew, and what was not answered is sent
    again.

    Returns how many tasks are open again.
    """
    gone = row.ls_project_id
    with transaction.atomic():
        row = LabelingProject.objects.select_for_update(no_key=True).get(pk=row.pk)
        if gone is None or row.ls_project_id != gone:
            return 0  # another was quicker
        row.ls_project_id, row.config_hash, row.webhook_hash = None, "", ""
        row.reconciled_until = row.n_foreign = None
        row.save()
        tasks = LabelingTask.objects.filter(project=row)
        unanswered = list(tasks.filter(status=LabelingTask.Status.PUSHED).select_for_update(no_key=True).order_by("pk"))
        tasks.filter(pk__in=[task.pk for task in unanswered]).update(status=LabelingTask.Status.OPEN, n_attempts=0)
        tasks.exclude(ls_task_id=None).update(ls_task_id=None, ls_updated_at=None)
        lines = [Line("labeling.project.lost", ref(row), {"ls_project_id": gone, "open_again": len(unanswered)})]
        lines += [Line("labeling.task.reopened", ref(task), {"about": task.reference}) for task in unanswered]
        ledger.append_many(lines, actor=ACTOR)
    return len(unanswered)


def _marker(question: str) -> str:
    return f"[ecomsite {question} {settings.LABELING.webhook_url}]"


def _fields(interface: Question) -> dict[str, Any]:
    return {
        "title": interface.title,
        "description": f"{interface.description} {_marker(interface.name)}".strip(),
        "label_config": interface.config(),
        "expert_instruction": interface.instructions,
        "show_instruction": False,
        # Predictions are shown, where there are any (labeling.sync), and an annotation starts from them.
        "show_collab_predictions": True,
        # Passing one on is the review page's, with a reason (moderation/queues/turns.py).
        "show_skip_button": False,
        "enable_empty_annotation": False,
        "maximum_annotations": 1,
    }


def _webhook() -> dict[str, Any]:
    secret = settings.LABELING.webhook_secret
    if not secret:
        raise PermanentError("LABEL_STUDIO_WEBHOOK_SECRET is not set.", hint="`manage.py up` makes one.")
    return {
        "url": f"{settings.LABELING.webhook_url}{WEBHOOK_PATH}",
        "headers": {SECRET_HEADER: secret},
        "actions": list(WEBHOOK_ACTIONS),
    }
