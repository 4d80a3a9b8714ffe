"""Answer tasks in bulk. Run by Label Studio's own Python: its models and its webhooks, without its views.

    python label_studio_answers.py FILE     FILE: JSON lines {"op": create|update|delete, "task": id, "result": […]}

Its API makes six annotations a second. What the API does after each, it does too: the same function of Label Studio
sends the same webhook. One line of output for each line of input: the annotation's id.
"""

import json
import sys
from pathlib import Path

import label_studio

sys.path.insert(0, str(Path(label_studio.__file__).parent))


def main() -> None:
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "label_studio.core.settings.label_studio")
    import django

    django.setup()
    from tasks.models import Annotation, Task
    from users.models import User
    from webhooks.models import WebhookAction
    from webhooks.utils import emit_webhooks_for_instance_sync

    reviewer = User.objects.get(email="reviewer@example.com")
    organization = reviewer.active_organization
    for line in Path(sys.argv[1]).read_text().splitlines():
        order = json.loads(line)
        task = Task.objects.select_related("project").get(pk=order["task"])
        if order["op"] == "create":
            made = Annotation.objects.create(
                task=task,
                project=task.project,
                completed_by=reviewer,
                updated_by=reviewer,
                result=order["result"],
                lead_time=3.5,
            )
            action, payload = WebhookAction.ANNOTATION_CREATED, made
        else:
            made = Annotation.objects.filter(task=task).latest("pk")
            pk = made.pk
            if order["op"] == "update":
                made.result = order["result"]
                made.save()
                action, payload = WebhookAction.ANNOTATION_UPDATED, made
            else:
                made.delete()
                action, payload = WebhookAction.ANNOTATIONS_DELETED, [{"id": pk}]
        emit_webhooks_for_instance_sync(organization, task.project, action, payload)
        sys.stdout.write(f"{made.pk}\n")


if __name__ == "__main__":
    main()
