"""A prediction holds a label of nine answers."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("moderation", "0012_proofreading")]

    operations = [
        migrations.AlterField(
            model_name="prediction",
            name="label",
            field=models.CharField(
                blank=True,
                help_text="several answers are joined: core/label_sets.py; empty: it was not kept",
                max_length=120,
            ),
        ),
    ]
