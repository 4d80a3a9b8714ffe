"""Which words moved what a model said is kept with what it said."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("moderation", "0002_score_edited_again")]

    operations = [
        migrations.AddField(
            model_name="prediction",
            name="explanation",
            field=models.JSONField(
                editable=False,
                help_text="the words that moved it: moderation/explaining.py; empty: nobody was asked about it yet",
                null=True,
            ),
        ),
    ]
