"""All tables of this app, as they came to be by the migrations that it replaces."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ("training", "0001_initial"),
        ("training", "0002_approvals_against_a_champion"),
        ("training", "0003_worker_losses"),
        ("training", "0004_tasks_by_name"),
    ]

    dependencies = [
        ('inference', '0001_squashed'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='DatasetSnapshot',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('task', models.CharField(editable=False, help_text='a question, or what else is learnt', max_length=60)),
                ('artifact_hash', models.CharField(editable=False, help_text='of the folder in the artefact store', max_length=64)),
                ('manifest', models.JSONField(default=dict, editable=False, help_text='counts, labels, exclusions, split rule, policy')),
                ('n_train', models.PositiveIntegerField(editable=False)),
                ('n_validation', models.PositiveIntegerField(editable=False)),
                ('n_test', models.PositiveIntegerField(editable=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('parent', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='children', to='training.datasetsnapshot')),
            ],
            options={
                'ordering': ('-created_at',),
            },
        ),
        migrations.CreateModel(
            name='EvaluationReport',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('gate_version', models.CharField(editable=False, max_length=40)),
                ('verdict', models.CharField(choices=[('pass', 'Pass'), ('fail', 'Fail'), ('inconclusive', 'Inconclusive')], editable=False, max_length=12)),
                ('reasons', models.JSONField(default=list, editable=False, help_text='each rule with what it found: [verdict, words]')),
                ('metrics', models.JSONField(default=dict, editable=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('against', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inference.modelversion')),
                ('snapshot', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='reports', to='training.datasetsnapshot')),
                ('version', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='inference.modelversion')),
            ],
            options={
                'ordering': ('-created_at',),
            },
        ),
        migrations.CreateModel(
            name='TrainingRun',
            fields=[
                ('lease_token', models.UUIDField(blank=True, editable=False, null=True)),
                ('lease_expires_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('n_attempts', models.PositiveIntegerField(default=0, editable=False)),
                ('n_losses', models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='times in a row that its worker was lost with it')),
                ('last_error', models.TextField(blank=True, editable=False)),
                ('quarantined_at', models.DateTimeField(blank=True, editable=False, help_text='failed too often; nobody gets it until a person readmits it', null=True)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('task', models.CharField(editable=False, help_text='a question, or what else is learnt', max_length=60)),
                ('status', models.CharField(choices=[('planned', 'Planned'), ('running', 'Running'), ('succeeded', 'Succeeded'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='planned', editable=False, max_length=12)),
                ('trigger', models.CharField(choices=[('hand', 'By hand'), ('new_labels', 'New labels'), ('schedule', 'Schedule'), ('drift', 'The champion agrees less with people')], editable=False, max_length=12)),
                ('reason', models.CharField(editable=False, help_text='why it was started, in words', max_length=200)),
                ('recipe', models.JSONField(default=dict, editable=False, help_text='what was asked for: training/recipes.py')),
                ('stage', models.CharField(blank=True, editable=False, max_length=80)),
                ('n_total', models.PositiveIntegerField(default=0, editable=False, help_text='steps of the stage')),
                ('n_done', models.PositiveIntegerField(default=0, editable=False)),
                ('stage_began_at', models.DateTimeField(editable=False, null=True)),
                ('history', models.JSONField(default=list, editable=False, help_text='losses as they came: [part, step, name, value]')),
                ('environment', models.JSONField(default=dict, editable=False, help_text='versions and device it ran with')),
                ('cancel_requested_at', models.DateTimeField(editable=False, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('started_at', models.DateTimeField(editable=False, null=True)),
                ('finished_at', models.DateTimeField(editable=False, null=True)),
                ('champion', models.ForeignKey(editable=False, help_text='who served when it began: what the result is measured against', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inference.modelversion')),
                ('requested_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('snapshot', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='training.datasetsnapshot')),
                ('version', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='training_runs', to='inference.modelversion')),
            ],
            options={
                'ordering': ('-created_at',),
                'permissions': (('train_model', 'Can start and cancel training'),),
            },
        ),
        migrations.CreateModel(
            name='Approval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(editable=False, max_length=200)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('against', models.ForeignKey(editable=False, help_text='who served when it was given', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inference.modelversion')),
                ('approver', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='approvals', to='inference.modelversion')),
            ],
            options={
                'ordering': ('created_at',),
                'constraints': [models.UniqueConstraint(fields=('version', 'against', 'approver'), name='one_approval_per_person', nulls_distinct=False)],
            },
        ),
        migrations.AddConstraint(
            model_name='datasetsnapshot',
            constraint=models.UniqueConstraint(fields=('task', 'artifact_hash'), name='one_snapshot_per_content'),
        ),
        migrations.AddConstraint(
            model_name='evaluationreport',
            constraint=models.UniqueConstraint(fields=('version', 'snapshot', 'against', 'gate_version'), name='one_report_per_comparison', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='evaluationreport',
            constraint=models.CheckConstraint(condition=models.Q(('verdict__in', ('pass', 'fail', 'inconclusive'))), name='report_verdict'),
        ),
        migrations.AddConstraint(
            model_name='trainingrun',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ('planned', 'running'))), fields=('task',), name='one_open_run_per_task'),
        ),
        migrations.AddConstraint(
            model_name='trainingrun',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ('planned', 'running', 'succeeded', 'failed', 'cancelled'))), name='training_run_status'),
        ),
    ]
