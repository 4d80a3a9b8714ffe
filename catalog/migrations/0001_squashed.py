"""All tables of this app, as they came to be by the migrations that it replaces."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ("catalog", "0001_initial"),
        ("catalog", "0002_leases"),
        ("catalog", "0003_scored_with"),
        ("catalog", "0004_import_counts"),
        ("catalog", "0005_copy_put_back"),
        ("catalog", "0006_fact_evidence"),
        ("catalog", "0007_worker_losses"),
        ("catalog", "0008_import_ends"),
        ("catalog", "0009_variants"),
        ("catalog", "0010_reviews_are_not_leased"),
        ("catalog", "0011_hidden_reviews"),
    ]

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Product',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sku', models.CharField(max_length=120, unique=True)),
                ('title', models.CharField(max_length=500)),
                ('localized_titles', models.JSONField(blank=True, default=dict, help_text='locale → title, beside the main one')),
                ('locale', models.CharField(choices=[('en', 'English'), ('zh-Hans', '简体中文')], default='en', help_text='language of the title', max_length=12)),
                ('brand', models.CharField(blank=True, max_length=200)),
                ('category', models.CharField(blank=True, db_index=True, max_length=300)),
                ('description', models.TextField(blank=True, help_text="the merchant's own text, cleaned; input, never published by us")),
                ('price', models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True)),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('image_url', models.CharField(blank=True, help_text='absolute URL, or a path under MEDIA_URL', max_length=1000)),
                ('facts_hash', models.CharField(default='', editable=False, help_text='sha256 of everything copy may claim', max_length=64)),
                ('source', models.CharField(blank=True, editable=False, help_text='the feed it came from', max_length=200)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'ordering': ('sku',),
            },
        ),
        migrations.CreateModel(
            name='ImportRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(help_text='products, reviews or labels', max_length=24)),
                ('file_name', models.CharField(max_length=300)),
                ('file_hash', models.CharField(max_length=64)),
                ('feed_format', models.CharField(help_text="and the beginning of the mapping's hash, if any", max_length=24)),
                ('status', models.CharField(choices=[('running', 'Running'), ('completed', 'Completed'), ('interrupted', 'Interrupted'), ('failed', 'Failed'), ('superseded', 'Superseded')], default='running', max_length=12)),
                ('n_rows', models.PositiveIntegerField(default=0, help_text='rows read and committed: where a resumed import goes on')),
                ('n_created', models.PositiveIntegerField(default=0)),
                ('n_updated', models.PositiveIntegerField(default=0)),
                ('n_unchanged', models.PositiveIntegerField(default=0)),
                ('n_bad', models.PositiveIntegerField(default=0, help_text='rows named in the error file')),
                ('n_duplicates', models.PositiveIntegerField(default=0, help_text='rows that repeat an earlier one word for word')),
                ('counts', models.JSONField(blank=True, default=dict, help_text='what else there was to count, by name')),
                ('error_file', models.CharField(blank=True, max_length=500)),
                ('started_at', models.DateTimeField(auto_now_add=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ('-started_at',),
                'constraints': [models.UniqueConstraint(condition=models.Q(('status__in', ('running', 'interrupted'))), fields=('kind', 'file_hash', 'feed_format'), name='one_open_import_per_file')],
            },
        ),
        migrations.CreateModel(
            name='FactEvidence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('fact_name', models.CharField(editable=False, max_length=120)),
                ('fact_value', models.TextField(editable=False)),
                ('sha256', models.CharField(editable=False, help_text='the file lies under this name', max_length=64)),
                ('content_type', models.CharField(editable=False, max_length=60)),
                ('size', models.PositiveIntegerField(editable=False, help_text='bytes')),
                ('file_name', models.CharField(editable=False, help_text='as it was called when it came', max_length=200)),
                ('note', models.CharField(blank=True, editable=False, help_text='who issued it, when, until when', max_length=500)),
                ('added_at', models.DateTimeField(auto_now_add=True)),
                ('withdrawn_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('withdrawn_reason', models.CharField(blank=True, editable=False, max_length=200)),
                ('added_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('product', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='evidence', to='catalog.product')),
            ],
            options={
                'verbose_name_plural': 'fact evidence',
                'ordering': ('-added_at', '-id'),
            },
        ),
        migrations.CreateModel(
            name='CustomerReview',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('external_id', models.CharField(help_text="the shop's id, or a hash of the content", max_length=120, unique=True)),
                ('locale', models.CharField(choices=[('en', 'English'), ('zh-Hans', '简体中文')], default='en', max_length=12)),
                ('title', models.CharField(blank=True, max_length=500)),
                ('text', models.TextField()),
                ('rating', models.DecimalField(blank=True, decimal_places=1, help_text='stars, 1 to 5', max_digits=3, null=True)),
                ('written_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('edited_at', models.DateTimeField(blank=True, editable=False, help_text='when an import last brought another title or text of it', null=True)),
                ('product', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='reviews', to='catalog.product')),
            ],
            options={
                'ordering': ('-created_at', 'id'),
            },
        ),
        migrations.CreateModel(
            name='ProductFact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('locale', models.CharField(choices=[('en', 'English'), ('zh-Hans', '简体中文')], default='en', max_length=12)),
                ('name', models.CharField(help_text='e.g. material, weight, colour', max_length=120)),
                ('kind', models.CharField(choices=[('text', 'Text'), ('number', 'Number'), ('quantity', 'Number with unit'), ('boolean', 'Yes or no')], default='text', max_length=12)),
                ('value', models.TextField(help_text='as shown, e.g. `240 g`')),
                ('number', models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True)),
                ('unit', models.CharField(blank=True, help_text='canonical symbol, e.g. g, cm, mAh', max_length=24)),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='facts', to='catalog.product')),
            ],
            options={
                'ordering': ('position', 'name'),
            },
        ),
        migrations.CreateModel(
            name='PublishedCopy',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('channel', models.CharField(choices=[('description', 'Description'), ('recommendation', 'Recommendation line'), ('ad_slogan', 'Ad slogan')], editable=False, max_length=24)),
                ('locale', models.CharField(choices=[('en', 'English'), ('zh-Hans', '简体中文')], editable=False, max_length=12)),
                ('audience', models.CharField(db_default='', default='', editable=False, help_text='empty: everybody', max_length=40)),
                ('variant', models.CharField(db_default='control', default='control', editable=False, max_length=40)),
                ('text', models.TextField(editable=False)),
                ('candidate_ref', models.CharField(db_index=True, editable=False, max_length=120)),
                ('provenance', models.JSONField(default=dict, editable=False, help_text='model, prompt, parameters, who decided')),
                ('ai_mark', models.JSONField(default=dict, editable=False, help_text='the visible label and machine-readable mark')),
                ('published_at', models.DateTimeField(editable=False)),
                ('retired_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('retired_reason', models.CharField(blank=True, editable=False, max_length=200)),
                ('product', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='published_copy', to='catalog.product')),
            ],
            options={
                'verbose_name_plural': 'published copy',
                'ordering': ('-published_at',),
                'permissions': (('publish_copy', 'Can publish copy'), ('retire_copy', 'Can retire published copy')),
            },
        ),
        migrations.CreateModel(
            name='HiddenReview',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('decision_ref', models.CharField(editable=False, help_text='what hid it', max_length=120, unique=True)),
                ('reasons', models.JSONField(editable=False, help_text='answers that were given, as codes')),
                ('marked', models.JSONField(default=list, editable=False, help_text='those of them that a model had suggested')),
                ('text_hash', models.CharField(editable=False, help_text='of its title and text, as they were then', max_length=64)),
                ('hidden_at', models.DateTimeField(editable=False)),
                ('ended_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('ended_by', models.CharField(blank=True, editable=False, help_text='the decision that ended it', max_length=120)),
                ('review', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='hidings', to='catalog.customerreview')),
            ],
            options={
                'ordering': ('-hidden_at', 'id'),
                'permissions': (('show_review', 'Can show a hidden customer review again'),),
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('review',), name='hidden_once'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('ended_by', '')), models.Q(('ended_at__isnull', False), models.Q(('ended_by', ''), _negated=True)), _connector='OR'), name='what_ends_a_hiding_is_a_decision')],
            },
        ),
        migrations.AddIndex(
            model_name='customerreview',
            index=models.Index(condition=models.Q(('edited_at__isnull', False)), fields=['edited_at'], name='review_edited'),
        ),
        migrations.AddConstraint(
            model_name='productfact',
            constraint=models.UniqueConstraint(fields=('product', 'locale', 'name'), name='one_fact_per_name'),
        ),
        migrations.AddConstraint(
            model_name='publishedcopy',
            constraint=models.UniqueConstraint(condition=models.Q(('retired_at', None)), fields=('product', 'channel', 'locale', 'audience', 'variant'), name='one_live_copy'),
        ),
        migrations.AddConstraint(
            model_name='publishedcopy',
            constraint=models.UniqueConstraint(condition=models.Q(('retired_at', None)), fields=('candidate_ref',), name='one_live_copy_per_candidate'),
        ),
    ]
