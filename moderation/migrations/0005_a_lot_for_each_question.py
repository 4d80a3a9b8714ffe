"""The daily lot is drawn for any question, from whatever it is about."""

from pathlib import Path

from django.db import migrations, models

from core.migrating import run_sql_file

FORWARD = "UPDATE moderation_trafficsample SET subject = 'catalog.customerreview:' || review_id"
# What was drawn for other questions, or from other tables, was not known before.
BACKWARD = """
DELETE FROM moderation_trafficsample WHERE question <> 'sentiment' OR subject NOT LIKE 'catalog.customerreview:%';
UPDATE moderation_trafficsample SET review_id = split_part(subject, ':', 2)::uuid"""


class Migration(migrations.Migration):
    dependencies = [("moderation", "0004_products_are_asked_about")]

    operations = [
        migrations.AddField(
            model_name="trafficsample",
            name="question",
            field=models.CharField(default="sentiment", max_length=60),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="trafficsample",
            name="subject",
            field=models.CharField(default="", help_text="a reference: core/refs.py", max_length=120),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="trafficsample",
            name="review",
            field=models.OneToOneField(
                null=True, on_delete=models.deletion.CASCADE, related_name="traffic_sample", to="catalog.customerreview"
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        # What was written waits for checks of the keys; a table with such cannot be altered.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RemoveField(model_name="trafficsample", name="review"),
        migrations.RemoveIndex(model_name="trafficsample", name="traffic_by_day"),
        migrations.AddIndex(
            model_name="trafficsample", index=models.Index(fields=["question", "day"], name="traffic_by_day")
        ),
        migrations.AddConstraint(
            model_name="trafficsample",
            constraint=models.UniqueConstraint(fields=("subject", "question"), name="drawn_once_for_a_question"),
        ),
        run_sql_file(Path(__file__).parents[1] / "sql" / "triggers.sql"),
    ]
