"""All tables of this app, as they came to be by the migrations that it replaces."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ("monitoring", "0001_initial"),
        ("monitoring", "0002_quarantine_permissions"),
        ("monitoring", "0003_alerts_refusals_mark_checks"),
        ("monitoring", "0004_refusals_at_the_door"),
        ("monitoring", "0005_question_names"),
    ]

    dependencies = [
        ('catalog', '0001_squashed'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Quarantine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
            options={
                'permissions': (('view_quarantine', 'Can see what is in quarantine'), ('readmit', 'Can let it out')),
                'managed': False,
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Heartbeat',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('queue', models.CharField(max_length=40, unique=True)),
                ('at', models.DateTimeField()),
            ],
            options={
                'ordering': ('queue',),
            },
        ),
        migrations.CreateModel(
            name='Refusal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('sign_in', 'Sign-in failed'), ('permission', 'Permission missing'), ('door', 'Refused at the door of Label Studio')], max_length=12)),
                ('account', models.CharField(blank=True, help_text='user:<id>; empty: no account of that name', max_length=40)),
                ('what', models.CharField(help_text='the page or call, by its name; at the door the reason', max_length=120)),
                ('hour', models.DateTimeField()),
                ('n', models.PositiveIntegerField(default=1)),
            ],
            options={
                'ordering': ('-hour',),
                'constraints': [models.UniqueConstraint(fields=('hour', 'kind', 'account', 'what'), name='one_refusal_count_an_hour')],
            },
        ),
        migrations.CreateModel(
            name='Alert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('part', models.CharField(max_length=60)),
                ('state', models.CharField(help_text='busy, alarm or down, when it was raised', max_length=8)),
                ('words', models.CharField(max_length=500)),
                ('raised_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('acknowledged_at', models.DateTimeField(blank=True, null=True)),
                ('note', models.CharField(blank=True, help_text='what is being done about it', max_length=500)),
                ('acknowledged_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-raised_at',),
                'permissions': (('acknowledge_alert', 'Can say that somebody sees to an alert'),),
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('part',), name='one_open_alert_per_part')],
            },
        ),
        migrations.CreateModel(
            name='MarkCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('url', models.CharField(max_length=1000)),
                ('outcome', models.CharField(choices=[('carried', 'Carries the mark'), ('stripped', 'Shows the text, but not the mark'), ('no_text', 'Does not show the text'), ('unreachable', 'Cannot be read')], max_length=12)),
                ('details', models.JSONField(default=dict, help_text='which parts of the mark were there')),
                ('copy', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='mark_check', to='catalog.publishedcopy')),
            ],
            options={
                'ordering': ('-at',),
                'indexes': [models.Index(fields=['outcome'], name='mark_check_outcome')],
            },
        ),
    ]
