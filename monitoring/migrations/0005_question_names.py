"""An alert about a queue goes by the name of its question."""

from django.db import migrations

RENAMED = {"queue_copy_review": "queue_copy_verdict", "queue_review_sentiment": "queue_sentiment"}


def _renaming(names: dict[str, str]) -> str:
    return "\n".join(f"UPDATE monitoring_alert SET part = '{new}' WHERE part = '{old}';" for old, new in names.items())


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0004_refusals_at_the_door")]

    operations = [migrations.RunSQL(_renaming(RENAMED), _renaming({new: old for old, new in RENAMED.items()}))]
