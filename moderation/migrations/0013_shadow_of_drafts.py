"""A shadow score may be of a draft instead of a review. The way back forgets those of drafts: nothing acts on them.

This locks the table of candidates, so it reads no rows; the constraints, which read those there are, come with the next.
"""

import django.db.models.deletion
from django.db import migrations, models


def forget_drafts(apps, schema_editor):
    apps.get_model("moderation", "ShadowScore").objects.filter(review=None).delete()


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0006_fact_evidence'),
        ('inference', '0003_rolled_back'),
        ('moderation', '0012_two_people'),
    ]

    operations = [
        migrations.AlterField(
            model_name='shadowscore',
            name='review',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.customerreview'),
        ),
        migrations.RunPython(migrations.RunPython.noop, forget_drafts),
        migrations.AddField(
            model_name='shadowscore',
            name='candidate',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='moderation.candidate'),
        ),
    ]
