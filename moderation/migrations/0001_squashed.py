"""All tables of this app, as they came to be by the migrations that it replaces."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.comparison
import django.utils.timezone
import moderation.models.queues
import uuid
from django.conf import settings
from django.db import migrations, models
from pathlib import Path

from core.migrating import run_sql_file


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ("moderation", "0001_initial"),
        ("moderation", "0002_leases"),
        ("moderation", "0003_urgency_and_queue_policies"),
        ("moderation", "0004_urgency_of_what_is_there"),
        ("moderation", "0005_claim_indexes"),
        ("moderation", "0006_label_quality"),
        ("moderation", "0007_review_indexes"),
        ("moderation", "0008_shadowscore"),
        ("moderation", "0009_policies"),
        ("moderation", "0010_retro_scans"),
        ("moderation", "0011_live_signatures"),
        ("moderation", "0012_two_people"),
        ("moderation", "0013_shadow_of_drafts"),
        ("moderation", "0014_shadow_constraints"),
        ("moderation", "0015_worker_losses"),
        ("moderation", "0016_skips_and_language_skills"),
        ("moderation", "0017_contradicted_facts"),
        ("moderation", "0018_leases_are_facts"),
        ("moderation", "0019_traffic_samples"),
        ("moderation", "0020_question_names"),
        ("moderation", "0021_questions_by_name"),
        ("moderation", "0022_variants"),
        ("moderation", "0023_items_by_question_and_subject"),
        ("moderation", "0024_predictions"),
        ("moderation", "0025_appeals_about_reviews"),
    ]

    dependencies = [
        ('catalog', '0001_squashed'),
        ('inference', '0001_squashed'),
        ('labeling', '0001_squashed'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PolicyVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(editable=False, unique=True)),
                ('content_hash', models.CharField(editable=False, help_text='SHA-256 of the canonical JSON of the content', max_length=64, unique=True)),
                ('content', models.JSONField(editable=False, help_text='packs, facts graph, and the versions of the checks')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ('-number',),
                'permissions': (('activate_policy', 'Can put a policy version in force'),),
            },
        ),
        migrations.CreateModel(
            name='ScoredQuestion',
            fields=[
                ('question', models.CharField(max_length=60, primary_key=True, serialize=False)),
                ('about', models.CharField(help_text='the table, as references name it: app.model', max_length=100)),
                ('is_complete', models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name='GenerationRequest',
            fields=[
                ('lease_token', models.UUIDField(blank=True, editable=False, null=True)),
                ('lease_expires_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('n_attempts', models.PositiveIntegerField(default=0, editable=False)),
                ('n_losses', models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='times in a row that its worker was lost with it')),
                ('last_error', models.TextField(blank=True, editable=False)),
                ('quarantined_at', models.DateTimeField(blank=True, editable=False, help_text='failed too often; nobody gets it until a person readmits it', null=True)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('channel', models.CharField(choices=[('description', 'Description'), ('recommendation', 'Recommendation line'), ('ad_slogan', 'Ad slogan')], max_length=24)),
                ('locale', models.CharField(choices=[('en', 'English'), ('zh-Hans', '简体中文')], max_length=12)),
                ('audience', models.CharField(blank=True, db_default='', default='', help_text='empty: everybody', max_length=40)),
                ('variant', models.CharField(db_default='control', default='control', help_text='what is approved goes live in this one', max_length=40)),
                ('facts_hash', models.CharField(editable=False, max_length=64)),
                ('prompt_version', models.CharField(editable=False, max_length=40)),
                ('alias', models.CharField(default='champion', editable=False, max_length=24)),
                ('round', models.PositiveSmallIntegerField(default=1, help_text='raised to ask again for the same facts')),
                ('n_candidates', models.PositiveSmallIntegerField(default=3)),
                ('params', models.JSONField(blank=True, default=dict, help_text='overrides of the decoding parameters')),
                ('status', models.CharField(choices=[('queued', 'Queued'), ('generating', 'Generating'), ('completed', 'Completed'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='queued', max_length=12)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('finished_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('product', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='generation_requests', to='catalog.product')),
                ('requested_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-created_at',),
                'permissions': (('request_copy', 'Can ask for copy'),),
            },
        ),
        migrations.CreateModel(
            name='Candidate',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('ordinal', models.PositiveSmallIntegerField(editable=False, help_text='0, 1, 2 … within the request')),
                ('channel', models.CharField(choices=[('description', 'Description'), ('recommendation', 'Recommendation line'), ('ad_slogan', 'Ad slogan')], editable=False, max_length=24)),
                ('locale', models.CharField(choices=[('en', 'English'), ('zh-Hans', '简体中文')], editable=False, max_length=12)),
                ('audience', models.CharField(db_default='', default='', editable=False, help_text='empty: everybody', max_length=40)),
                ('variant', models.CharField(db_default='control', default='control', editable=False, max_length=40)),
                ('text', models.TextField(editable=False)),
                ('origin', models.CharField(choices=[('machine', 'Written by a model'), ('human', 'Edited by a person')], default='machine', editable=False, max_length=8)),
                ('status', models.CharField(choices=[('generated', 'Generated'), ('blocked', 'Blocked'), ('in_review', 'In review'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('published', 'Published'), ('retired', 'Retired'), ('superseded', 'Superseded')], default='generated', editable=False, max_length=12)),
                ('prompt_version', models.CharField(blank=True, editable=False, max_length=40)),
                ('prompt_hash', models.CharField(blank=True, editable=False, max_length=64)),
                ('facts_hash', models.CharField(editable=False, max_length=64)),
                ('facts', models.JSONField(default=list, editable=False, help_text='the brief it was written from, as it was then')),
                ('params', models.JSONField(default=dict, editable=False)),
                ('seed', models.BigIntegerField(editable=False, null=True)),
                ('prompt_tokens', models.PositiveIntegerField(editable=False, null=True)),
                ('completion_tokens', models.PositiveIntegerField(editable=False, null=True)),
                ('generation_seconds', models.FloatField(editable=False, null=True)),
                ('device', models.CharField(blank=True, editable=False, max_length=60)),
                ('finish_reason', models.CharField(blank=True, editable=False, max_length=12)),
                ('grounding', models.FloatField(editable=False, help_text='0 to 1: how well the facts back the text', null=True)),
                ('rank', models.PositiveSmallIntegerField(editable=False, help_text='1 is the best of its request', null=True)),
                ('screened_at', models.DateTimeField(editable=False, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('model_version', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inference.modelversion')),
                ('parent', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='fixes', to='moderation.candidate')),
                ('product', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='candidates', to='catalog.product')),
                ('request', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='candidates', to='moderation.generationrequest')),
            ],
            options={
                'ordering': ('-created_at', 'ordinal'),
                'permissions': (('overrule_block', 'Can put a blocked candidate into review'), ('audit_candidate', 'Can see the whole history of a candidate')),
            },
        ),
        migrations.CreateModel(
            name='LanguageSkills',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('locales', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('en', 'English'), ('zh-Hans', '简体中文')], max_length=12), blank=True, default=list, help_text='texts in other languages are not offered to them; none = every language', size=None)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='language_skills', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'language skills',
            },
        ),
        migrations.CreateModel(
            name='LiveSignature',
            fields=[
                ('copy', models.OneToOneField(editable=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='catalog.publishedcopy')),
                ('bands', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), editable=False, size=None)),
            ],
            options={
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['bands'], name='live_signature_bands')],
            },
        ),
        migrations.CreateModel(
            name='PolicyActivation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(editable=False)),
                ('reason', models.CharField(editable=False, max_length=500)),
                ('by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='activations', to='moderation.policyversion')),
            ],
            options={
                'ordering': ('-id',),
            },
        ),
        migrations.CreateModel(
            name='Finding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('check_name', models.CharField(max_length=60)),
                ('check_version', models.CharField(max_length=20)),
                ('code', models.CharField(help_text='e.g. unsupported_number', max_length=60)),
                ('severity', models.CharField(choices=[('info', 'Info'), ('warn', 'Warning'), ('block', 'Block')], max_length=8)),
                ('message', models.CharField(max_length=500)),
                ('start', models.PositiveIntegerField(help_text='first character of the span; none = the whole text', null=True)),
                ('end', models.PositiveIntegerField(help_text='one past the last character', null=True)),
                ('evidence', models.JSONField(default=dict)),
                ('verdict', models.CharField(blank=True, choices=[('confirmed', 'Confirmed by a reviewer'), ('dismissed', 'Dismissed by a reviewer')], max_length=12)),
                ('candidate', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='findings', to='moderation.candidate')),
                ('policy_version', models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='moderation.policyversion')),
            ],
            options={
                'ordering': ('start', 'id'),
            },
        ),
        migrations.CreateModel(
            name='Prediction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('question', models.CharField(max_length=60)),
                ('subject', models.CharField(help_text='a reference: core/refs.py', max_length=120)),
                ('label', models.CharField(blank=True, help_text='several answers are joined: core/label_sets.py; empty: it was not kept', max_length=60)),
                ('probabilities', models.JSONField(help_text='answer → 0 to 1; of several answers each by itself')),
                ('confidence', models.FloatField(help_text='how sure `label` is, 0 to 1')),
                ('seconds', models.FloatField(help_text='its share of the time its batch took, where that was measured', null=True)),
                ('is_shadow', models.BooleanField(default=False, help_text='said beside the champion: nothing acted on it')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('model_version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inference.modelversion')),
            ],
            options={
                'ordering': ('-created_at', '-pk'),
            },
        ),
        migrations.CreateModel(
            name='QueuePolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(help_text='name of the question', max_length=60, unique=True)),
                ('enable_reservations', models.BooleanField(default=True, help_text="an item is one person's while they work; without, everybody gets the most urgent one")),
                ('reservation_minutes', models.PositiveIntegerField(help_text='after that an unanswered item goes to somebody else')),
                ('reviewer_access_mode', models.CharField(choices=[('any', 'Anybody who may review'), ('assigned', 'Only the people assigned')], default='any', max_length=12)),
                ('sla_minutes', models.PositiveIntegerField(help_text='from opened to decided; later counts as a breach')),
                ('ageing_minutes', models.PositiveIntegerField(help_text='in this time waiting makes an item 2.7 times as urgent')),
                ('max_waiting', models.PositiveIntegerField(help_text='above this what feeds the queue pauses; 0 = never')),
                ('num_reviewers_per_item', models.PositiveSmallIntegerField(default=1, help_text='how many people answer each item, none seeing the others')),
                ('num_reviewers_risky', models.PositiveSmallIntegerField(default=1, help_text='how many, where a mistake would cost much')),
                ('risky_from', models.FloatField(default=0.6, help_text='the risk, 0.1 to 1, from which an item counts as risky')),
                ('consensus_method', models.CharField(choices=[('majority', 'Majority'), ('dawid_skene', 'Dawid and Skene: weighs people by how they err'), ('crowdlab', 'CROWDLAB: weighs people and the model')], default='majority', max_length=16)),
                ('min_quality', models.FloatField(default=0.6, help_text='a consensus less sure than this, 0 to 1, goes to a senior, as a tie does')),
                ('blind_percent', models.PositiveSmallIntegerField(default=10, help_text="share of items shown without the model's suggestion, to measure what it does to people")),
                ('rereview_percent', models.PositiveSmallIntegerField(default=2, help_text='share of decided items that a second person answers blind')),
                ('gold_percent', models.PositiveSmallIntegerField(default=0, help_text='share of what a person gets whose answer is known')),
                ('random_percent', models.PositiveSmallIntegerField(default=20, help_text='share of items that are drawn at random, so that figures stay honest')),
                ('check_severity', models.CharField(blank=True, choices=[('info', 'Info'), ('warn', 'Warning'), ('block', 'Block')], default='block', help_text='a text that goes out with a finding this grave or graver, dismissed or overruled; empty: none', max_length=8)),
                ('check_codes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), blank=True, default=moderation.models.queues.claims_to_check, help_text='a text that goes out with a finding whose code holds one of these, e.g. health, price', size=None)),
                ('check_channels', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('description', 'Description'), ('recommendation', 'Recommendation line'), ('ad_slogan', 'Ad slogan')], max_length=24), blank=True, default=list, help_text='whatever goes out in these channels', size=None)),
                ('check_categories', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=120), blank=True, default=list, help_text='whatever goes out for products whose category holds one of these', size=None)),
                ('contradicted_facts', models.CharField(choices=[('block', 'The draft is blocked'), ('two_people', 'Two people let it out'), ('warn', 'One person decides')], default='two_people', help_text='what a text needs that says otherwise than a fact', max_length=12)),
                ('ticks_suggestions', models.BooleanField(default=False, help_text='the answer starts from what the model suggests; without, it stands beside the choices')),
                ('paused_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('reviewers', models.ManyToManyField(blank=True, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'queue policies',
                'ordering': ('kind',),
                'permissions': (('set_queue_policy', 'Can set the rules of a queue'),),
            },
        ),
        migrations.CreateModel(
            name='RetroScan',
            fields=[
                ('lease_token', models.UUIDField(blank=True, editable=False, null=True)),
                ('lease_expires_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('n_attempts', models.PositiveIntegerField(default=0, editable=False)),
                ('n_losses', models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='times in a row that its worker was lost with it')),
                ('last_error', models.TextField(blank=True, editable=False)),
                ('quarantined_at', models.DateTimeField(blank=True, editable=False, help_text='failed too often; nobody gets it until a person readmits it', null=True)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('severity', models.CharField(choices=[('warn', 'Warnings and blocks'), ('block', 'Blocks')], default='block', editable=False, max_length=8)),
                ('status', models.CharField(choices=[('scanning', 'Scanning'), ('scanned', 'Scanned'), ('recalling', 'Taking down'), ('recalled', 'Taken down'), ('undoing', 'Putting back'), ('undone', 'Put back')], default='scanning', editable=False, max_length=12)),
                ('reason', models.CharField(editable=False, help_text='why it was tried, later why recalled or undone', max_length=200)),
                ('until', models.DateTimeField(editable=False, help_text='what was live then is looked at')),
                ('checkpoint', models.UUIDField(editable=False, help_text='the last text looked at, by key', null=True)),
                ('n_total', models.PositiveIntegerField(default=0, editable=False)),
                ('n_seen', models.PositiveIntegerField(default=0, editable=False)),
                ('counts', models.JSONField(default=dict, editable=False, help_text='texts by code of a new finding')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('finished_at', models.DateTimeField(editable=False, help_text='when the present stage ended', null=True)),
                ('actor', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='retro_scans', to='moderation.policyversion')),
            ],
            options={
                'ordering': ('-created_at',),
                'permissions': (('run_retroscan', 'Can try a policy on live copy'),),
            },
        ),
        migrations.CreateModel(
            name='RetroHit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('severity', models.CharField(editable=False, max_length=8)),
                ('findings', models.JSONField(editable=False, help_text='what is new: code, severity, message, span, rule')),
                ('status', models.CharField(choices=[('found', 'Live'), ('recalled', 'Taken down'), ('gone', 'Was not live any more'), ('restored', 'Put back'), ('left', 'Stays down')], default='found', editable=False, max_length=12)),
                ('note', models.CharField(blank=True, editable=False, help_text='why it was left out or stays down', max_length=200)),
                ('published_copy', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalog.publishedcopy')),
                ('scan', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='hits', to='moderation.retroscan')),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='ReviewItem',
            fields=[
                ('lease_token', models.UUIDField(blank=True, editable=False, null=True)),
                ('lease_expires_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('n_attempts', models.PositiveIntegerField(default=0, editable=False)),
                ('n_losses', models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='times in a row that its worker was lost with it')),
                ('last_error', models.TextField(blank=True, editable=False)),
                ('quarantined_at', models.DateTimeField(blank=True, editable=False, help_text='failed too often; nobody gets it until a person readmits it', null=True)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(help_text='name of the question', max_length=60)),
                ('purpose', models.CharField(choices=[('label', 'Label'), ('adjudication', 'Adjudication'), ('second_review', 'Blind second review'), ('audit', 'Blind re-review'), ('gold', 'Known answer')], default='label', max_length=16)),
                ('about', models.CharField(blank=True, editable=False, max_length=120)),
                ('status', models.CharField(choices=[('waiting', 'Waiting'), ('dispatched', 'With a reviewer'), ('answered', 'Answered: waits for others'), ('escalated', 'Escalated to a senior'), ('confirming', 'Waits for a second person'), ('decided', 'Decided'), ('withdrawn', 'Withdrawn')], default='waiting', max_length=12)),
                ('risk', models.FloatField(default=1, editable=False, help_text='0.1 to 1: what a mistake would cost')),
                ('uncertainty', models.FloatField(default=1, editable=False, help_text='0.1 to 1: how little the model knows')),
                ('value', models.FloatField(default=1, editable=False, help_text='1 to 3: what the product is worth')),
                ('urgent_from', models.DateTimeField(default=django.utils.timezone.now, editable=False, help_text='orders the queue, earliest first: opened, less what makes it urgent')),
                ('suggestion', models.CharField(blank=True, help_text='the label that the model suggests', max_length=60)),
                ('strategy', models.CharField(blank=True, help_text='why it was put before people: uncertain, random …', max_length=24)),
                ('gold_label', models.CharField(blank=True, help_text='the known answer: people are tested with it', max_length=60)),
                ('returned_reason', models.CharField(blank=True, help_text='why the answer before was sent back', max_length=500)),
                ('returned_at', models.DateTimeField(blank=True, help_text='while who answered has to answer again', null=True)),
                ('high_severity', models.JSONField(blank=True, default=list, help_text='why one person alone does not let it out')),
                ('proposed_at', models.DateTimeField(blank=True, null=True)),
                ('escalated_reason', models.CharField(blank=True, max_length=500)),
                ('escalated_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('claimed_at', models.DateTimeField(blank=True, help_text='by who holds or decided it; not by who let go', null=True)),
                ('released_at', models.DateTimeField(blank=True, help_text='last let go of, or its lease ran out', null=True)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('assignee', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('candidate', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='review_item', to='moderation.candidate')),
                ('customer_review', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='review_items', to='catalog.customerreview')),
                ('escalated_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('labeling_task', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='labeling.labelingtask')),
                ('last_consensus', models.ForeignKey(blank=True, help_text='the answer last acted on; a newer one is still to be settled', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='labeling.consensus')),
                ('lead', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='seats', to='moderation.reviewitem')),
                ('proposal', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='labeling.consensus')),
                ('proposed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('urgent_from', 'created_at'),
                'permissions': (('review_item', 'Can take and decide review items'), ('review_escalated_item', 'Can decide escalated items'), ('set_gold', 'Can make an answer a known one')),
            },
        ),
        migrations.CreateModel(
            name='Decision',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('outcome', models.CharField(choices=[('approve', 'Approve'), ('edit', 'Approve with a fix'), ('reject', 'Reject'), ('label', 'Label'), ('retire', 'Take down')], editable=False, max_length=12)),
                ('label', models.CharField(blank=True, editable=False, help_text='where one was asked for', max_length=60)),
                ('decided_by', models.CharField(choices=[('human_single', 'One person'), ('human_consensus', 'Consensus of several'), ('automatic', 'Automatic')], editable=False, max_length=16)),
                ('reason_codes', models.JSONField(default=list, editable=False)),
                ('rationale', models.TextField(blank=True, editable=False)),
                ('policy_version', models.CharField(blank=True, editable=False, max_length=64)),
                ('lead_time', models.DurationField(editable=False, help_text='as measured by Label Studio', null=True)),
                ('dwell_time', models.DurationField(editable=False, help_text='from taken to answered, by our own clock; empty: it was not taken here', null=True)),
                ('suggestion_shown', models.BooleanField(editable=False, help_text='whether what the model suggested was shown; empty: it suggested nothing', null=True)),
                ('high_severity', models.JSONField(default=list, editable=False, help_text='why it needed a second person')),
                ('check_note', models.CharField(blank=True, editable=False, max_length=500)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('checker', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('consensus', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='labeling.consensus')),
                ('result', models.ForeignKey(blank=True, editable=False, help_text='the candidate that was let out: the draft itself, or the fix', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='moderation.candidate')),
                ('reviewer', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='decisions', to=settings.AUTH_USER_MODEL)),
                ('supersedes', models.OneToOneField(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='superseded_by', to='moderation.decision')),
                ('item', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='moderation.reviewitem')),
            ],
            options={
                'ordering': ('-created_at',),
                'permissions': (('check_decision', 'Can confirm or return what another person decided'),),
            },
        ),
        migrations.CreateModel(
            name='Scoring',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('lease_token', models.UUIDField(blank=True, editable=False, null=True)),
                ('lease_expires_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('n_attempts', models.PositiveIntegerField(default=0, editable=False)),
                ('n_losses', models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='times in a row that its worker was lost with it')),
                ('last_error', models.TextField(blank=True, editable=False)),
                ('quarantined_at', models.DateTimeField(blank=True, editable=False, help_text='failed too often; nobody gets it until a person readmits it', null=True)),
                ('question', models.CharField(editable=False, max_length=60)),
                ('subject', models.CharField(editable=False, max_length=120)),
                ('scored_with', models.UUIDField(editable=False, help_text='the version that answered last; empty: none yet', null=True)),
                ('scored_at', models.DateTimeField(editable=False, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'indexes': [models.Index(fields=['question', 'scored_with', 'id'], name='to_score')],
                'constraints': [models.UniqueConstraint(fields=('subject', 'question'), name='one_scoring_per_subject_and_question')],
            },
        ),
        migrations.CreateModel(
            name='Skip',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(choices=[('language', 'I do not read this language well enough'), ('unsure', 'I am not sure, and somebody else may be'), ('involved', 'I have something to do with it'), ('broken', 'It does not show as it should'), ('later', 'It needs more time than I have now')], max_length=12)),
                ('at', models.DateTimeField()),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='skips', to='moderation.reviewitem')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-at',),
            },
        ),
        migrations.CreateModel(
            name='TrafficSample',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(help_text='in UTC')),
                ('n_of', models.PositiveIntegerField(help_text='so many came that day')),
                ('drawn_at', models.DateTimeField(auto_now_add=True)),
                ('review', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='traffic_sample', to='catalog.customerreview')),
            ],
            options={
                'ordering': ('pk',),
            },
        ),
        migrations.CreateModel(
            name='Appeal',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('reason', models.TextField(editable=False)),
                ('status', models.CharField(choices=[('open', 'Open'), ('upheld', 'Upheld: the decision stands'), ('overturned', 'Overturned')], default='open', editable=False, max_length=12)),
                ('answer', models.TextField(blank=True, editable=False, help_text='why it was upheld or overturned')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('decided_at', models.DateTimeField(editable=False, null=True)),
                ('appellant', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('judge', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('candidate', models.OneToOneField(editable=False, help_text='the same text as a draft again, where the decision was overturned', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reinstated_by', to='moderation.candidate')),
                ('decision', models.OneToOneField(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='appeal', to='moderation.decision')),
                ('ruling', models.ForeignKey(editable=False, help_text='the decision that shows the customer review again, where the one that hid it was overturned', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='moderation.decision')),
            ],
            options={
                'ordering': ('-created_at',),
                'permissions': (('appeal_decision', 'Can appeal against a decision'), ('judge_appeal', 'Can uphold or overturn a decision')),
                'indexes': [models.Index(condition=models.Q(('status', 'open')), fields=['created_at'], name='appeal_open')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ('open', 'upheld', 'overturned'))), name='appeal_status'), models.CheckConstraint(condition=models.Q(models.Q(('judge', None), ('status', 'open')), models.Q(models.Q(('status', 'open'), _negated=True), ('judge__isnull', False)), _connector='OR'), name='an_appeal_is_judged_once'), models.CheckConstraint(condition=models.Q(('judge', None), models.Q(('judge', models.F('appellant')), _negated=True), _connector='OR'), name='judge_is_not_appellant'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'overturned'), _negated=True), ('candidate__isnull', False), ('ruling__isnull', False), _connector='OR'), name='overturned_has_a_sequel')],
            },
        ),
        migrations.AddIndex(
            model_name='generationrequest',
            index=models.Index(condition=models.Q(('status', 'queued')), fields=['created_at', 'id'], name='generation_queued'),
        ),
        migrations.AddIndex(
            model_name='generationrequest',
            index=models.Index(condition=models.Q(('status', 'generating')), fields=['lease_expires_at'], name='generation_held'),
        ),
        migrations.AddConstraint(
            model_name='generationrequest',
            constraint=models.UniqueConstraint(fields=('product', 'channel', 'locale', 'facts_hash', 'prompt_version', 'alias', 'round', 'audience', 'variant'), name='one_request_per_facts_and_prompt'),
        ),
        migrations.AddConstraint(
            model_name='generationrequest',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ('queued', 'generating', 'completed', 'failed', 'cancelled'))), name='generation_request_status'),
        ),
        migrations.AddIndex(
            model_name='candidate',
            index=models.Index(fields=['status', '-created_at'], name='candidate_status_created'),
        ),
        migrations.AddIndex(
            model_name='candidate',
            index=models.Index(condition=models.Q(('screened_at', None), ('status', 'generated')), fields=['created_at'], name='to_screen'),
        ),
        migrations.AddConstraint(
            model_name='candidate',
            constraint=models.UniqueConstraint(fields=('request', 'ordinal'), name='one_candidate_per_ordinal'),
        ),
        migrations.AddConstraint(
            model_name='candidate',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ('generated', 'blocked', 'in_review', 'approved', 'rejected', 'published', 'retired', 'superseded'))), name='candidate_status'),
        ),
        migrations.AddIndex(
            model_name='prediction',
            index=models.Index(fields=['model_version', 'confidence'], name='prediction_by_confidence'),
        ),
        migrations.AddIndex(
            model_name='prediction',
            index=models.Index(fields=['model_version', 'id'], name='prediction_by_arrival'),
        ),
        migrations.AddConstraint(
            model_name='prediction',
            constraint=models.UniqueConstraint(fields=('subject', 'question', 'model_version'), name='one_prediction_per_subject_and_model'),
        ),
        migrations.AddConstraint(
            model_name='queuepolicy',
            constraint=models.CheckConstraint(condition=models.Q(('ageing_minutes__gte', 1), ('reservation_minutes__gte', 1), ('sla_minutes__gte', 1)), name='queue_policy_minutes'),
        ),
        migrations.AddConstraint(
            model_name='queuepolicy',
            constraint=models.CheckConstraint(condition=models.Q(('num_reviewers_per_item__gte', 1), ('num_reviewers_risky__gte', 1)), name='queue_policy_overlap'),
        ),
        migrations.AddConstraint(
            model_name='queuepolicy',
            constraint=models.CheckConstraint(condition=models.Q(('blind_percent__lte', 100), ('gold_percent__lte', 100), ('random_percent__lte', 100), ('rereview_percent__lte', 100)), name='queue_policy_percent'),
        ),
        migrations.AddConstraint(
            model_name='queuepolicy',
            constraint=models.CheckConstraint(condition=models.Q(('reviewer_access_mode__in', ('any', 'assigned'))), name='queue_policy_access'),
        ),
        migrations.AddConstraint(
            model_name='queuepolicy',
            constraint=models.CheckConstraint(condition=models.Q(('contradicted_facts__in', ('block', 'two_people', 'warn'))), name='queue_policy_contradicted'),
        ),
        migrations.AddConstraint(
            model_name='retroscan',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ('scanning', 'scanned', 'recalling', 'recalled', 'undoing', 'undone'))), name='retro_scan_status'),
        ),
        migrations.AddIndex(
            model_name='retrohit',
            index=models.Index(fields=['scan', 'status', 'id'], name='retro_hit_next'),
        ),
        migrations.AddConstraint(
            model_name='retrohit',
            constraint=models.UniqueConstraint(fields=('scan', 'published_copy'), name='one_hit_per_text_and_scan'),
        ),
        migrations.AddConstraint(
            model_name='retrohit',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ('found', 'recalled', 'gone', 'restored', 'left'))), name='retro_hit_status'),
        ),
        migrations.AddIndex(
            model_name='reviewitem',
            index=models.Index(condition=models.Q(('status', 'waiting')), fields=['kind', 'urgent_from', 'id'], name='review_next'),
        ),
        migrations.AddIndex(
            model_name='reviewitem',
            index=models.Index(condition=models.Q(('status__in', ('waiting', 'escalated'))), fields=['kind'], name='review_waiting'),
        ),
        migrations.AddIndex(
            model_name='reviewitem',
            index=models.Index(condition=models.Q(('status', 'decided')), fields=['kind', 'decided_at'], name='review_decided'),
        ),
        migrations.AddIndex(
            model_name='reviewitem',
            index=models.Index(condition=models.Q(('status__in', ('dispatched', 'escalated'))), fields=['lease_expires_at'], name='review_held'),
        ),
        migrations.AddIndex(
            model_name='reviewitem',
            index=models.Index(condition=models.Q(('purpose', 'second_review'), ('status__in', ('waiting', 'dispatched', 'answered', 'escalated'))), fields=['kind'], name='review_second'),
        ),
        migrations.AddIndex(
            model_name='reviewitem',
            index=models.Index(condition=models.Q(('gold_label', ''), _negated=True), fields=['kind'], name='review_gold'),
        ),
        migrations.AddIndex(
            model_name='reviewitem',
            index=models.Index(condition=models.Q(('status', 'confirming')), fields=['proposed_at'], name='review_confirming'),
        ),
        migrations.AddConstraint(
            model_name='reviewitem',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ('waiting', 'dispatched', 'answered', 'escalated', 'confirming', 'decided', 'withdrawn'))), name='review_item_status'),
        ),
        migrations.AddConstraint(
            model_name='reviewitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'confirming'), _negated=True), models.Q(('proposal__isnull', False), ('proposed_by__isnull', False)), _connector='OR'), name='what_is_confirmed_was_proposed'),
        ),
        migrations.AddConstraint(
            model_name='reviewitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lead', None), models.Q(('about', ''), _negated=True), models.Q(('candidate', None), ('customer_review', None), _connector='OR')), models.Q(('about', ''), ('candidate', None), ('customer_review', None), ('lead__isnull', False)), _connector='OR'), name='review_item_is_about_one_thing'),
        ),
        migrations.AddConstraint(
            model_name='reviewitem',
            constraint=models.UniqueConstraint(condition=models.Q(('lead', None)), fields=('kind', 'about'), name='one_leading_item_per_question_and_subject'),
        ),
        migrations.AddConstraint(
            model_name='reviewitem',
            constraint=models.UniqueConstraint(django.db.models.functions.comparison.Coalesce('lead', 'id'), models.F('assignee'), condition=models.Q(('assignee__isnull', False)), name='one_seat_per_person'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.UniqueConstraint(fields=('item', 'consensus'), name='one_decision_per_consensus'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ('approve', 'edit', 'reject', 'label', 'retire'))), name='decision_outcome'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(('checker', None), models.Q(('reviewer__isnull', False), models.Q(('checker', models.F('reviewer')), _negated=True)), _connector='OR'), name='maker_is_not_checker'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(('high_severity', []), models.Q(('outcome__in', ('approve', 'edit')), _negated=True), ('checker__isnull', False), _connector='OR'), name='high_severity_is_checked'),
        ),
        migrations.AddConstraint(
            model_name='skip',
            constraint=models.UniqueConstraint(fields=('item', 'user'), name='one_skip_per_person'),
        ),
        migrations.AddConstraint(
            model_name='skip',
            constraint=models.CheckConstraint(condition=models.Q(('reason__in', ('language', 'unsure', 'involved', 'broken', 'later'))), name='skip_reason'),
        ),
        migrations.AddIndex(
            model_name='trafficsample',
            index=models.Index(fields=['day'], name='traffic_by_day'),
        ),
        run_sql_file(Path(__file__).parents[1] / "sql" / "triggers.sql"),
    ]
