"""How far the consensus of a queue can be believed, kept beside what is known of its raters."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0008_whose_answers_are"),
    ]

    operations = [
        migrations.AddField(
            model_name="ratermodel",
            name="calibrations",
            field=models.JSONField(
                db_default={},
                default=dict,
                help_text="of the usual rater: method → how far its consensus can be believed",
            ),
        ),
    ]
