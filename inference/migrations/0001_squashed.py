"""All tables of this app, as they came to be by the migrations that it replaces."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ("inference", "0001_initial"),
        ("inference", "0002_alter_modelalias_role_alter_modelversion_role"),
        ("inference", "0003_rolled_back"),
        ("inference", "0004_roles_by_name"),
    ]

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='ModelVersion',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('role', models.CharField(help_text='copywriter, encoder, or the name of a question', max_length=60)),
                ('name', models.CharField(help_text='e.g. SmolLM2-135M-Instruct', max_length=200)),
                ('number', models.PositiveIntegerField(help_text='1, 2, 3 … within the role')),
                ('backend', models.CharField(help_text='key of settings.INFERENCE.backends', max_length=60)),
                ('options', models.JSONField(blank=True, default=dict, help_text='for the back end: endpoint, dtype, batch size …')),
                ('locales', models.JSONField(default=list, help_text='languages it can work in, BCP 47')),
                ('artifact_hash', models.CharField(blank=True, help_text='sha256 of the manifest; empty for an endpoint', max_length=64)),
                ('base_hash', models.CharField(blank=True, max_length=64)),
                ('dataset_hash', models.CharField(blank=True, max_length=64)),
                ('source', models.CharField(blank=True, help_text='hub id, directory, package or endpoint it came from', max_length=500)),
                ('licence', models.CharField(blank=True, max_length=100)),
                ('card', models.JSONField(blank=True, default=dict, help_text='the model card: what was measured, on what')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ('role', '-number'),
                'permissions': (('register_model', 'Can register models'), ('promote_model', 'Can move model aliases')),
                'constraints': [models.UniqueConstraint(fields=('role', 'number'), name='one_number_per_role')],
            },
        ),
        migrations.CreateModel(
            name='ModelAlias',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(help_text='copywriter, encoder, or the name of a question', max_length=60)),
                ('name', models.CharField(choices=[('champion', 'Champion'), ('challenger', 'Challenger'), ('previous', 'Previous')], max_length=24)),
                ('moved_at', models.DateTimeField(auto_now=True)),
                ('rolled_back', models.BooleanField(default=False, help_text='a person took the last champion back: the next one is let in by a person')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='aliases', to='inference.modelversion')),
            ],
            options={
                'verbose_name_plural': 'model aliases',
                'ordering': ('role', 'name'),
                'constraints': [models.UniqueConstraint(fields=('role', 'name'), name='one_version_per_alias')],
            },
        ),
    ]
