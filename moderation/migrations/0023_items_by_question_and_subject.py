"""An item is about a question and a subject: a customer review can be asked several questions, anything can be asked about."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

FORWARD = """
UPDATE moderation_reviewitem SET about = 'moderation.candidate:' || candidate_id::text
WHERE lead_id IS NULL AND candidate_id IS NOT NULL;
UPDATE moderation_reviewitem SET about = 'catalog.customerreview:' || customer_review_id::text
WHERE lead_id IS NULL AND customer_review_id IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("moderation", "0022_variants")]

    operations = [
        migrations.RemoveConstraint("reviewitem", "review_item_is_about_one_thing"),
        migrations.AddField(
            "reviewitem", "about", models.CharField(blank=True, db_default="", default="", editable=False, max_length=120)
        ),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
        migrations.AlterField(
            "reviewitem", "about", models.CharField(blank=True, editable=False, max_length=120)
        ),
        migrations.AlterField(
            "reviewitem",
            "customer_review",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="review_items",
                to="catalog.customerreview",
            ),
        ),
        migrations.AddConstraint(
            "reviewitem",
            models.CheckConstraint(
                condition=(Q(lead=None) & ~Q(about="") & (Q(candidate=None) | Q(customer_review=None)))
                | Q(lead__isnull=False, about="", candidate=None, customer_review=None),
                name="review_item_is_about_one_thing",
            ),
        ),
        migrations.AddConstraint(
            "reviewitem",
            models.UniqueConstraint(
                fields=("kind", "about"), condition=Q(lead=None), name="one_leading_item_per_question_and_subject"
            ),
        ),
    ]
