"""What a text needs that contradicts a fact, and whether suggestions are ticked beforehand."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("moderation", "0016_skips_and_language_skills"),
    ]

    operations = [
        migrations.AddField(
            model_name='queuepolicy',
            name='contradicted_facts',
            field=models.CharField(choices=[('block', 'The draft is blocked'), ('two_people', 'Two people let it out'), ('warn', 'One person decides')], default='two_people', help_text='what a text needs that says otherwise than a fact', max_length=12),
        ),
        migrations.AddField(
            model_name='queuepolicy',
            name='ticks_suggestions',
            field=models.BooleanField(default=False, help_text='the answer starts from what the model suggests; without, it stands beside the choices'),
        ),
        migrations.AddConstraint(
            model_name='queuepolicy',
            constraint=models.CheckConstraint(condition=models.Q(('contradicted_facts__in', ('block', 'two_people', 'warn'))), name='queue_policy_contradicted'),
        ),
    ]
