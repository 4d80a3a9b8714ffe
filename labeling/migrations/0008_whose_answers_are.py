"""Whether an answer counts, who was handed which task, and what in Label Studio was not as we set it.

What was pulled before counted when it was, and stays so.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("labeling", "0007_door_passes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Drift',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('what', models.CharField(choices=[('interface', 'Interface of a project'), ('webhook', 'Webhooks of a project'), ('task', 'Data of a task'), ('clone', 'Copy of a task'), ('member', 'Account that we did not make')], max_length=12)),
                ('subject', models.CharField(blank=True, help_text="Label Studio's id of the task or account", max_length=120)),
                ('words', models.CharField(max_length=500)),
                ('since', models.DateTimeField(blank=True, help_text='when all was last seen as it should be; empty: never', null=True)),
                ('found_at', models.DateTimeField()),
                ('mended_at', models.DateTimeField(blank=True, null=True)),
                ('is_known', models.BooleanField(default=False, help_text='was there before our first look, and alarms nobody')),
            ],
            options={
                'ordering': ('-found_at', '-pk'),
            },
        ),
        migrations.CreateModel(
            name='TaskLease',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token', models.UUIDField(help_text='of the lease; empty: it was shown to them, and reserved for nobody', null=True)),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField(help_text='when it ended or will end; empty: it never does', null=True)),
            ],
            options={
                'ordering': ('since', 'pk'),
            },
        ),
        migrations.AddField(
            model_name='annotation',
            name='ls_editor_id',
            field=models.PositiveIntegerField(help_text='who last changed it; empty: it was imported', null=True),
        ),
        migrations.AddField(
            model_name='annotation',
            name='stamped_at',
            field=models.DateTimeField(blank=True, help_text="when it was given, by the door's clock", null=True),
        ),
        migrations.AddField(
            model_name='annotation',
            name='standing',
            field=models.CharField(choices=[('counts', 'Counts'), ('unbound', "Of an account that is nobody's here"), ('edited', 'Changed by somebody else'), ('imported', 'Imported'), ('clone', 'On a copy of the task'), ('unstamped', 'Not given through the door'), ('forged', "Its stamp is not the door's"), ('other_task', 'Its stamp is of another task'), ('other_person', "Its stamp is another person's"), ('altered', 'Says something else than was stamped'), ('task_changed', 'The task shows something else than we sent'), ('no_lease', 'Given without holding the task'), ('replayed', 'Its stamp was used before')], default='counts', max_length=16),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='labelingproject',
            name='looked_at',
            field=models.DateTimeField(blank=True, help_text='when its interface and webhook there were last found as we set them', null=True),
        ),
        migrations.AddField(
            model_name='labelingtask',
            name='stamped_at',
            field=models.DateTimeField(blank=True, help_text="by the door's clock, of the latest answer that counted; an older one is a replay", null=True),
        ),
        migrations.AlterField(
            model_name='annotation',
            name='ls_user_id',
            field=models.PositiveIntegerField(help_text='its author; who changed it later is another matter', null=True),
        ),
        migrations.AddIndex(
            model_name='annotation',
            index=models.Index(condition=models.Q(('standing', 'counts'), _negated=True), fields=['pulled_at'], name='annotation_refused'),
        ),
        migrations.AddIndex(
            model_name='annotation',
            index=models.Index(condition=models.Q(('standing', 'counts')), fields=['task', 'stamped_at'], name='annotation_counts'),
        ),
        migrations.AddField(
            model_name='drift',
            name='project',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='drifts', to='labeling.labelingproject'),
        ),
        migrations.AddField(
            model_name='tasklease',
            name='person',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='tasklease',
            name='task',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='leases', to='labeling.labelingtask'),
        ),
        migrations.AddIndex(
            model_name='drift',
            index=models.Index(fields=['found_at'], name='drift_by_time'),
        ),
        migrations.AddConstraint(
            model_name='drift',
            constraint=models.UniqueConstraint(condition=models.Q(('mended_at', None)), fields=('what', 'project', 'subject'), name='one_open_drift'),
        ),
        migrations.AddConstraint(
            model_name='tasklease',
            constraint=models.UniqueConstraint(fields=('token', 'task', 'person'), name='one_lease_per_token'),
        ),
        migrations.AddConstraint(
            model_name='tasklease',
            constraint=models.UniqueConstraint(condition=models.Q(('token', None)), fields=('task', 'person'), name='shown_once_without_reservation'),
        ),
    ]
