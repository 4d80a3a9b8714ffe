"""All tables of this app, as they came to be by the migrations that it replaces."""

import django.db.models.deletion
import uuid
from django.db import migrations, models
from pathlib import Path

from core.migrating import run_sql_file


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ("audit", "0001_initial"),
        ("audit", "0002_append_only"),
        ("audit", "0003_signed_heads_and_sealing"),
        ("audit", "0004_high_water_mark"),
    ]

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='LedgerEntry',
            fields=[
                ('seq', models.BigIntegerField(editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField(db_index=True, editable=False)),
                ('actor', models.CharField(db_index=True, editable=False, max_length=120)),
                ('action', models.CharField(db_index=True, editable=False, max_length=120)),
                ('subject', models.CharField(db_index=True, editable=False, max_length=200)),
                ('payload', models.JSONField(default=dict, editable=False)),
                ('prev_hash', models.CharField(editable=False, max_length=64)),
                ('entry_hash', models.CharField(editable=False, max_length=64, unique=True)),
            ],
            options={
                'verbose_name_plural': 'ledger entries',
                'ordering': ('seq',),
                'permissions': (('verify_ledger', 'Can verify the ledger'),),
            },
        ),
        migrations.CreateModel(
            name='LedgerKey',
            fields=[
                ('key_id', models.CharField(editable=False, max_length=16, primary_key=True, serialize=False)),
                ('public_key', models.CharField(editable=False, help_text='Ed25519, 32 bytes as hex', max_length=64)),
                ('first_size', models.BigIntegerField(editable=False, help_text='it signs heads of more lines than this')),
                ('at', models.DateTimeField(editable=False)),
                ('predecessor', models.CharField(blank=True, editable=False, max_length=16)),
                ('by_predecessor', models.CharField(blank=True, editable=False, max_length=128)),
                ('by_successor', models.CharField(blank=True, editable=False, max_length=128)),
            ],
            options={
                'ordering': ('first_size', 'at'),
                'permissions': (('rotate_ledger_key', 'Can replace the key that signs the ledger'),),
            },
        ),
        migrations.CreateModel(
            name='SubjectKey',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('person', models.CharField(editable=False, max_length=120, unique=True)),
                ('wrapped', models.BinaryField()),
                ('at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'permissions': (('read_sealed', 'Can read what people wrote into the ledger'), ('erase_person', 'Can erase a person')),
            },
        ),
        migrations.CreateModel(
            name='TreeHead',
            fields=[
                ('size', models.BigIntegerField(editable=False, primary_key=True, serialize=False)),
                ('root_hash', models.CharField(editable=False, max_length=64)),
                ('head_hash', models.CharField(editable=False, help_text='hash of the last line', max_length=64)),
                ('at', models.DateTimeField(db_index=True, editable=False)),
                ('key_id', models.CharField(editable=False, max_length=16)),
                ('signature', models.CharField(editable=False, max_length=128)),
                ('leaves', models.BinaryField()),
                ('frontier', models.TextField(editable=False, help_text='roots of the full subtrees, the smallest first, as hex')),
            ],
            options={
                'verbose_name': 'signed head',
                'ordering': ('size',),
            },
        ),
        migrations.CreateModel(
            name='LedgerCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(auto_now_add=True, db_index=True)),
                ('by', models.CharField(editable=False, max_length=120)),
                ('kind', models.CharField(choices=[('new', 'new lines'), ('whole', 'the whole ledger'), ('hash', 'the whole ledger, against a hash kept elsewhere')], editable=False, max_length=8)),
                ('first', models.BigIntegerField(editable=False, help_text='number of the first line that was read')),
                ('size', models.BigIntegerField(editable=False, help_text='lines that hold, counted from the first of the ledger')),
                ('head_hash', models.CharField(editable=False, max_length=64)),
                ('root_hash', models.CharField(editable=False, max_length=64)),
                ('n_heads', models.BigIntegerField(default=0, editable=False, help_text='signed heads that were compared')),
                ('anchored_size', models.BigIntegerField(default=0, editable=False, help_text='lines the second place vouches for')),
                ('marked_size', models.BigIntegerField(default=0, editable=False, help_text='lines of the high-water mark')),
                ('is_intact', models.BooleanField(editable=False)),
                ('bad_seq', models.BigIntegerField(editable=False, null=True)),
                ('words', models.TextField(blank=True, editable=False)),
                ('seconds', models.FloatField(editable=False)),
            ],
            options={
                'ordering': ('-at',),
                'indexes': [models.Index(fields=['kind', '-at'], name='check_by_kind')],
            },
        ),
        migrations.CreateModel(
            name='TimeStamp',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(editable=False, help_text='what the authority says')),
                ('authority', models.CharField(editable=False, max_length=200)),
                ('response', models.BinaryField(help_text='the whole response, DER')),
                ('head', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='stamps', to='audit.treehead')),
            ],
            options={
                'ordering': ('head',),
            },
        ),
        run_sql_file(Path(__file__).parents[1] / "sql" / "append_only.sql"),
    ]
