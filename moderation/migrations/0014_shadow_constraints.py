"""A shadow score is about one text, and there is one of each draft and model."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0006_fact_evidence'),
        ('inference', '0003_rolled_back'),
        ('moderation', '0013_shadow_of_drafts'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='shadowscore',
            constraint=models.UniqueConstraint(fields=('candidate', 'model_version'), name='one_shadow_of_a_draft_per_model'),
        ),
        migrations.AddConstraint(
            model_name='shadowscore',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('candidate', None), ('review__isnull', False)), models.Q(('candidate__isnull', False), ('review', None)), _connector='OR'), name='shadow_score_is_about_one_text'),
        ),
    ]
