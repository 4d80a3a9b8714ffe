"""One word for a judgement: a question's name is its queue."""

from django.db import migrations, models

RENAMED = {"copy_review": "copy_verdict", "review_sentiment": "sentiment"}
TABLES = ("reviewitem", "queuepolicy")
KINDS = [("copy_verdict", "Copy review"), ("sentiment", "Review sentiment")]


def _renaming(names: dict[str, str]) -> str:
    return "\n".join(
        f"UPDATE moderation_{table} SET kind = '{new}' WHERE kind = '{old}';"
        for table in TABLES
        for old, new in names.items()
    )


class Migration(migrations.Migration):
    dependencies = [("moderation", "0019_traffic_samples")]

    operations = [
        migrations.RunSQL(_renaming(RENAMED), _renaming({new: old for old, new in RENAMED.items()})),
        migrations.AlterField("reviewitem", "kind", models.CharField(choices=KINDS, max_length=24)),
        migrations.AlterField("queuepolicy", "kind", models.CharField(choices=KINDS, max_length=24, unique=True)),
    ]
