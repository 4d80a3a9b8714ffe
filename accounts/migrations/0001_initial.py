"""Sessions with their account, counts of tries, second factors, identities elsewhere, used tickets."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Session',
            fields=[
                ('session_key', models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name='session key')),
                ('session_data', models.TextField(verbose_name='session data')),
                ('expire_date', models.DateTimeField(db_index=True, verbose_name='expire date')),
                ('account_id', models.BigIntegerField(db_index=True, editable=False, null=True)),
            ],
            options={
                'verbose_name': 'session',
                'verbose_name_plural': 'sessions',
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='UsedTicket',
            fields=[
                ('number', models.CharField(editable=False, max_length=64, primary_key=True, serialize=False)),
                ('used_at', models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='Factor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('totp', 'Authenticator app'), ('passkey', 'Passkey'), ('recovery', 'Recovery code')], editable=False, max_length=10)),
                ('name', models.CharField(blank=True, max_length=60)),
                ('secret', models.TextField(editable=False)),
                ('credential_id', models.BinaryField(max_length=1023, null=True, unique=True)),
                ('counter', models.BigIntegerField(default=0, editable=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('used_at', models.DateTimeField(editable=False, null=True)),
                ('user', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='factors', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('created_at', 'pk'),
                'constraints': [models.UniqueConstraint(condition=models.Q(('kind', 'totp')), fields=('user',), name='one_app_for_each_person'), models.CheckConstraint(condition=models.Q(models.Q(('credential_id__isnull', False), ('kind', 'passkey')), models.Q(('credential_id__isnull', True), ('kind__in', ('totp', 'recovery'))), _connector='OR'), name='a_passkey_has_a_credential')],
            },
        ),
        migrations.CreateModel(
            name='Identity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('issuer', models.CharField(editable=False, max_length=300)),
                ('subject', models.CharField(editable=False, max_length=255)),
                ('bound_at', models.DateTimeField(auto_now_add=True)),
                ('user', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='identities', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'identities',
                'constraints': [models.UniqueConstraint(fields=('issuer', 'subject'), name='one_person_for_each_subject'), models.UniqueConstraint(fields=('issuer', 'user'), name='one_subject_for_each_person')],
            },
        ),
        migrations.CreateModel(
            name='Tries',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.CharField(blank=True, editable=False, max_length=64)),
                ('address', models.CharField(blank=True, editable=False, max_length=64)),
                ('n', models.PositiveIntegerField(default=0, editable=False)),
                ('since', models.DateTimeField(editable=False)),
                ('locked_until', models.DateTimeField(editable=False, null=True)),
                ('succeeded_at', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'verbose_name_plural': 'tries',
                'constraints': [models.UniqueConstraint(fields=('account', 'address'), name='one_count_of_tries')],
            },
        ),
    ]
