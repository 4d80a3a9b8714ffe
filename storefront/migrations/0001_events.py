"""The table of events, by SQL: Django makes no partitioned tables."""

from pathlib import Path

from django.db import migrations, models

from core.migrating import run_sql_file


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Event',
            fields=[
                ('pk', models.CompositePrimaryKey('id', 'at', blank=True, editable=False, primary_key=True, serialize=False)),
                ('id', models.UUIDField(editable=False, help_text="the sender's: an event that is sent twice counts once")),
                ('at', models.DateTimeField(editable=False, help_text="when it happened, by the sender's clock")),
                ('received_at', models.DateTimeField(editable=False)),
                ('sequence', models.BigIntegerField(editable=False, help_text='rises as events are stored: who derives reads on here')),
                ('kind', models.CharField(choices=[('view', 'Page of a product seen'), ('impression', 'Shown, as a text or in a list'), ('click', 'Clicked'), ('cart', 'Put into the cart'), ('purchase', 'Bought'), ('helpful', 'Said to be helpful'), ('not_helpful', 'Said not to be helpful')], editable=False, max_length=12)),
                ('shopper', models.CharField(editable=False, help_text='pseudonym; empty: no consent to be known', max_length=16)),
                ('session', models.CharField(editable=False, help_text='pseudonym', max_length=16)),
                ('shown', models.UUIDField(editable=False, help_text='the live copy, proved by a token of ours', null=True)),
                ('channel', models.CharField(default='', editable=False, max_length=24)),
                ('locale', models.CharField(default='', editable=False, max_length=12)),
                ('audience', models.CharField(default='', editable=False, max_length=40)),
                ('variant', models.CharField(default='', editable=False, max_length=40)),
                ('experiment', models.BigIntegerField(editable=False, help_text='of which it is an exposure, by a token', null=True)),
                ('arm', models.CharField(default='', editable=False, max_length=40)),
                ('list_id', models.CharField(default='', editable=False, help_text='the recommendation it stood in', max_length=40)),
                ('position', models.PositiveSmallIntegerField(editable=False, help_text='in the list, from 0', null=True)),
                ('propensity', models.FloatField(editable=False, help_text='chance with which the list showed it there', null=True)),
                ('value', models.DecimalField(decimal_places=2, editable=False, help_text='of a purchase', max_digits=12, null=True)),
                ('currency', models.CharField(default='', editable=False, max_length=3)),
                ('quantity', models.PositiveSmallIntegerField(default=1, editable=False)),
                ('device', models.CharField(default='', editable=False, help_text='phone, tablet, desktop or empty', max_length=12)),
                ('is_bot', models.BooleanField(default=False, editable=False)),
                ('has_consent', models.BooleanField(default=False, editable=False, help_text='to be known again: for profiles')),
            ],
            options={
                'db_table': 'storefront_event',
                'permissions': (('send_events', 'Can send events of shoppers'), ('erase_shopper', 'Can erase a shopper')),
                'managed': False,
                'default_permissions': ('view',),
            },
        ),
        run_sql_file(Path(__file__).parents[1] / "sql" / "events.sql"),
    ]
