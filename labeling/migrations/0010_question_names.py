"""One word for a judgement: a question's name is its queue and the kind of its labels."""

from django.db import migrations, models

RENAMED = {"copy_review": "copy_verdict", "review_sentiment": "sentiment"}
TABLES = ("labelingproject", "vote", "label", "ratermodel", "labelcheck", "labelissue", "outofsample")


def _renaming(names: dict[str, str]) -> str:
    return "\n".join(
        f"UPDATE labeling_{table} SET kind = '{new}' WHERE kind = '{old}';" for table in TABLES for old, new in names.items()
    )


class Migration(migrations.Migration):
    dependencies = [("labeling", "0009_calibrated_consensus")]

    operations = [
        migrations.RunSQL(_renaming(RENAMED), _renaming({new: old for old, new in RENAMED.items()})),
        migrations.AlterField(
            model_name="labelingproject",
            name="kind",
            field=models.CharField(help_text="name of the question, e.g. copy_verdict", max_length=60, unique=True),
        ),
    ]
