"""A queue is the name of a question that the settings know, and labels may be as long as those of `labeling`."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("moderation", "0020_question_names")]

    operations = [
        migrations.AlterField("reviewitem", "kind", models.CharField(help_text="name of the question", max_length=60)),
        migrations.AlterField(
            "queuepolicy", "kind", models.CharField(help_text="name of the question", max_length=60, unique=True)
        ),
        migrations.AlterField(
            "decision",
            "label",
            models.CharField(blank=True, editable=False, help_text="where one was asked for", max_length=60),
        ),
        migrations.AlterField(
            "reviewitem",
            "gold_label",
            models.CharField(blank=True, help_text="the known answer: people are tested with it", max_length=60),
        ),
        migrations.AlterField(
            "reviewitem",
            "suggestion",
            models.CharField(blank=True, help_text="the label that the model suggests", max_length=60),
        ),
    ]
