"""Products can be asked about: what comes is scored, and an item knows by itself which language it needs."""

from pathlib import Path

from django.db import migrations, models

from core.migrating import run_sql_file

# As items of before were offered: by the language of their draft or review. A panel's seats are its leading item's.
LOCALES = """
UPDATE moderation_reviewitem item SET locale = said.locale
FROM (SELECT lead.id, COALESCE(draft.locale, review.locale, other.locale) AS locale FROM moderation_reviewitem lead
    LEFT JOIN moderation_candidate draft ON draft.id = lead.candidate_id
    LEFT JOIN catalog_customerreview review ON review.id = lead.customer_review_id
    LEFT JOIN moderation_candidate other ON lead.about = 'moderation.candidate:' || other.id
    WHERE lead.lead_id IS NULL) said
WHERE COALESCE(item.lead_id, item.id) = said.id AND said.locale IS NOT NULL"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_squashed"), ("moderation", "0003_prediction_explanation")]

    operations = [
        migrations.AddField(
            model_name="reviewitem",
            name="locale",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="the language that who is asked has to read; empty: any",
                max_length=12,
            ),
        ),
        migrations.RunSQL(LOCALES, migrations.RunSQL.noop),
        run_sql_file(Path(__file__).parents[1] / "sql" / "triggers.sql"),
    ]
