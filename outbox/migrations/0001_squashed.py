"""All tables of this app, as they came to be by the migrations that it replaces."""

import django.db.models.deletion
import django.utils.timezone
import outbox.models
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ("outbox", "0001_initial"),
        ("outbox", "0002_worker_losses"),
    ]

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.CharField(default=outbox.models.new_event_id, editable=False, max_length=40, primary_key=True, serialize=False)),
                ('type', models.CharField(editable=False, max_length=60)),
                ('data', models.JSONField(default=dict, editable=False)),
                ('created_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now, editable=False)),
            ],
            options={
                'ordering': ('-created_at',),
            },
        ),
        migrations.CreateModel(
            name='Endpoint',
            fields=[
                ('lease_token', models.UUIDField(blank=True, editable=False, null=True)),
                ('lease_expires_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('n_attempts', models.PositiveIntegerField(default=0, editable=False)),
                ('n_losses', models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='times in a row that its worker was lost with it')),
                ('last_error', models.TextField(blank=True, editable=False)),
                ('quarantined_at', models.DateTimeField(blank=True, editable=False, help_text='failed too often; nobody gets it until a person readmits it', null=True)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('url', models.CharField(max_length=1000)),
                ('description', models.CharField(blank=True, max_length=200)),
                ('event_types', models.JSONField(default=list, help_text='what it is told of: keys of settings.OUTBOX.event_types')),
                ('status', models.CharField(choices=[('active', 'Active'), ('disabled', 'Disabled')], default='active', max_length=12)),
                ('disabled_reason', models.CharField(blank=True, max_length=200)),
                ('failing_since', models.DateTimeField(blank=True, editable=False, null=True)),
                ('served_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('created_at',),
                'permissions': (('manage_endpoint', 'Can add, change, disable and test webhook endpoints and rotate secrets'),),
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(choices=[('pending', 'Pending'), ('delivered', 'Delivered'), ('dead', 'Dead letter')], default='pending', editable=False, max_length=12)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, help_text='not tried before this time')),
                ('n_attempts', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('tried_at', models.DateTimeField(editable=False, null=True)),
                ('response_status', models.PositiveSmallIntegerField(editable=False, null=True)),
                ('response_excerpt', models.CharField(blank=True, editable=False, max_length=500)),
                ('last_error', models.CharField(blank=True, editable=False, max_length=500)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('finished_at', models.DateTimeField(editable=False, null=True)),
                ('endpoint', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='outbox.endpoint')),
                ('event', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='outbox.event')),
            ],
            options={
                'verbose_name_plural': 'deliveries',
                'ordering': ('-created_at', '-pk'),
                'permissions': (('replay_delivery', 'Can send dead letters again'),),
            },
        ),
        migrations.CreateModel(
            name='Secret',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('salt', models.CharField(editable=False, max_length=64)),
                ('fingerprint', models.CharField(editable=False, max_length=16)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField(blank=True, help_text='none: the current one', null=True)),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='secrets', to='outbox.endpoint')),
            ],
            options={
                'ordering': ('-created_at',),
                'default_permissions': (),
            },
        ),
        migrations.AddConstraint(
            model_name='endpoint',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ('active', 'disabled'))), name='webhook_endpoint_status'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['-created_at', '-id'], name='webhook_newest'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['endpoint', '-created_at'], name='webhook_newest_of_endpoint'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('status', 'pending')), fields=['endpoint', 'due_at'], name='webhook_due'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('status', 'dead')), fields=['endpoint', 'created_at'], name='webhook_dead'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(fields=('event', 'endpoint'), name='one_delivery_per_event_and_endpoint'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ('pending', 'delivered', 'dead'))), name='webhook_delivery_status'),
        ),
        migrations.AddConstraint(
            model_name='secret',
            constraint=models.UniqueConstraint(condition=models.Q(('expires_at', None)), fields=('endpoint',), name='one_current_secret_per_endpoint'),
        ),
    ]
