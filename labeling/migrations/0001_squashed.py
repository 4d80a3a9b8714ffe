"""All tables of this app, as they came to be by the migrations that it replaces."""

import django.contrib.postgres.fields
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ("labeling", "0001_initial"),
        ("labeling", "0002_leases"),
        ("labeling", "0003_completeness"),
        ("labeling", "0004_label_quality"),
        ("labeling", "0005_label_exchange"),
        ("labeling", "0006_worker_losses"),
        ("labeling", "0007_door_passes"),
        ("labeling", "0008_whose_answers_are"),
        ("labeling", "0009_calibrated_consensus"),
        ("labeling", "0010_question_names"),
        ("labeling", "0011_raters_by_answer"),
    ]

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='LabelingProject',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(help_text='name of the question, e.g. copy_verdict', max_length=60, unique=True)),
                ('ls_project_id', models.PositiveIntegerField(blank=True, null=True, unique=True)),
                ('title', models.CharField(max_length=200)),
                ('config_hash', models.CharField(blank=True, help_text='of the labelling interface last pushed', max_length=64)),
                ('webhook_hash', models.CharField(blank=True, help_text='of the webhook last registered', max_length=64)),
                ('reconciled_until', models.DateTimeField(blank=True, help_text='updated_at up to which all was pulled', null=True)),
                ('reconciled_at', models.DateTimeField(blank=True, null=True)),
                ('looked_at', models.DateTimeField(blank=True, help_text='when its interface and webhook there were last found as we set them', null=True)),
                ('n_foreign', models.IntegerField(blank=True, help_text='tasks there that are not ours, when all of ours were last looked for; empty: look', null=True)),
            ],
            options={
                'ordering': ('kind',),
            },
        ),
        migrations.CreateModel(
            name='Annotation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ls_annotation_id', models.PositiveIntegerField(unique=True)),
                ('ls_user_id', models.PositiveIntegerField(help_text='its author; who changed it later is another matter', null=True)),
                ('ls_editor_id', models.PositiveIntegerField(help_text='who last changed it; empty: it was imported', null=True)),
                ('standing', models.CharField(choices=[('counts', 'Counts'), ('unbound', "Of an account that is nobody's here"), ('edited', 'Changed by somebody else'), ('imported', 'Imported'), ('clone', 'On a copy of the task'), ('unstamped', 'Not given through the door'), ('forged', "Its stamp is not the door's"), ('other_task', 'Its stamp is of another task'), ('other_person', "Its stamp is another person's"), ('altered', 'Says something else than was stamped'), ('task_changed', 'The task shows something else than we sent'), ('no_lease', 'Given without holding the task'), ('replayed', 'Its stamp was used before')], max_length=16)),
                ('stamped_at', models.DateTimeField(blank=True, help_text="when it was given, by the door's clock", null=True)),
                ('result', models.JSONField(default=list)),
                ('was_cancelled', models.BooleanField(default=False)),
                ('lead_time', models.DurationField(help_text='as measured by Label Studio', null=True)),
                ('ls_created_at', models.DateTimeField()),
                ('ls_updated_at', models.DateTimeField()),
                ('pulled_at', models.DateTimeField(auto_now=True)),
                ('annotator', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='annotations', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('ls_created_at',),
            },
        ),
        migrations.CreateModel(
            name='Annotator',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ls_user_id', models.PositiveIntegerField(unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='annotator', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Label',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=60)),
                ('subject', models.CharField(max_length=120)),
                ('label', models.CharField(max_length=60)),
                ('method', models.CharField(help_text='how it came about: single, majority, dawid_skene, import …', max_length=24)),
                ('quality', models.FloatField(blank=True, help_text='0 to 1: how sure the method is', null=True)),
                ('n_votes', models.PositiveIntegerField(default=1)),
                ('source', models.CharField(default='label_studio', help_text='or import:<id>', max_length=60)),
                ('labelled_at', models.DateTimeField()),
            ],
            options={
                'ordering': ('pk',),
                'permissions': (('import_labels', 'Can bring labels in'), ('export_labels', 'Can take labels out')),
                'indexes': [models.Index(fields=['kind', 'labelled_at'], name='label_by_time')],
                'constraints': [models.UniqueConstraint(fields=('kind', 'subject'), name='one_label_per_subject')],
            },
        ),
        migrations.CreateModel(
            name='LabelCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('lease_token', models.UUIDField(blank=True, editable=False, null=True)),
                ('lease_expires_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('n_attempts', models.PositiveIntegerField(default=0, editable=False)),
                ('n_losses', models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='times in a row that its worker was lost with it')),
                ('last_error', models.TextField(blank=True, editable=False)),
                ('quarantined_at', models.DateTimeField(blank=True, editable=False, help_text='failed too often; nobody gets it until a person readmits it', null=True)),
                ('kind', models.CharField(max_length=60)),
                ('status', models.CharField(choices=[('planned', 'Planned'), ('running', 'Running'), ('completed', 'Completed'), ('failed', 'Failed')], default='planned', max_length=12)),
                ('reason', models.CharField(help_text='why it was started', max_length=200)),
                ('stage', models.CharField(blank=True, max_length=60)),
                ('n_total', models.PositiveIntegerField(default=0, help_text='steps of the stage')),
                ('n_done', models.PositiveIntegerField(default=0)),
                ('n_labels', models.PositiveIntegerField(default=0)),
                ('n_issues', models.PositiveIntegerField(default=0, help_text='labels that look wrong')),
                ('report', models.JSONField(blank=True, default=dict, help_text='what was computed, with which models and versions')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ('-created_at',),
                'permissions': (('check_labels', 'Can start a search for wrong labels'),),
                'constraints': [models.UniqueConstraint(condition=models.Q(('status__in', ('planned', 'running'))), fields=('kind',), name='one_open_check_per_queue'), models.CheckConstraint(condition=models.Q(('status__in', ('planned', 'running', 'completed', 'failed'))), name='label_check_status')],
            },
        ),
        migrations.CreateModel(
            name='LabelingTask',
            fields=[
                ('lease_token', models.UUIDField(blank=True, editable=False, null=True)),
                ('lease_expires_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('n_attempts', models.PositiveIntegerField(default=0, editable=False)),
                ('n_losses', models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='times in a row that its worker was lost with it')),
                ('last_error', models.TextField(blank=True, editable=False)),
                ('quarantined_at', models.DateTimeField(blank=True, editable=False, help_text='failed too often; nobody gets it until a person readmits it', null=True)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('reference', models.CharField(help_text='who opened it, e.g. moderation.reviewitem:<uuid>', max_length=120)),
                ('payload', models.JSONField(help_text='task data as Label Studio gets it')),
                ('predictions', models.JSONField(blank=True, default=list, help_text='[{model_version, score, result}]')),
                ('shows_predictions', models.BooleanField(default=True, help_text='whether people see them; without, the answer is their own alone')),
                ('status', models.CharField(choices=[('open', 'Open: to be sent to Label Studio'), ('pushed', 'In Label Studio'), ('settled', 'Settled'), ('withdrawn', 'Withdrawn')], default='open', max_length=12)),
                ('ls_task_id', models.PositiveIntegerField(blank=True, null=True, unique=True)),
                ('ls_updated_at', models.DateTimeField(blank=True, help_text='of the state in Label Studio last applied here; older ones are ignored', null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('sent_at', models.DateTimeField(blank=True, help_text='first handed to Label Studio; from then on looked up there before it is sent', null=True)),
                ('pushed_at', models.DateTimeField(blank=True, null=True)),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
                ('stamped_at', models.DateTimeField(blank=True, help_text="by the door's clock, of the latest answer that counted; an older one is a replay", null=True)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to='labeling.labelingproject')),
            ],
            options={
                'ordering': ('created_at', 'id'),
            },
        ),
        migrations.CreateModel(
            name='DoorPass',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('session_key', models.CharField(editable=False, max_length=40)),
                ('issued_at', models.DateTimeField(auto_now_add=True)),
                ('used_at', models.DateTimeField(blank=True, null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='labeling.labelingtask')),
            ],
            options={
                'ordering': ('-issued_at',),
            },
        ),
        migrations.CreateModel(
            name='Consensus',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('annotation_set_hash', models.CharField(max_length=64)),
                ('answer', models.JSONField(help_text='control name → value, parsed from the annotations')),
                ('method', models.CharField(default='single', max_length=24)),
                ('settled_at', models.DateTimeField(auto_now_add=True)),
                ('annotations', models.ManyToManyField(related_name='+', to='labeling.annotation')),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='consensuses', to='labeling.labelingtask')),
            ],
            options={
                'ordering': ('settled_at',),
            },
        ),
        migrations.AddField(
            model_name='annotation',
            name='task',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='annotations', to='labeling.labelingtask'),
        ),
        migrations.CreateModel(
            name='LabelIssue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=60)),
                ('subject', models.CharField(max_length=120)),
                ('methods', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=24), help_text='cleanlab, loss, combined, rereview …', size=None)),
                ('given', models.CharField(max_length=60)),
                ('suggested', models.CharField(blank=True, max_length=60)),
                ('score', models.FloatField(help_text='0 to 1: how well the label fits; the lowest go first')),
                ('status', models.CharField(choices=[('open', 'Waits for its turn'), ('in_review', 'With a second person'), ('confirmed', 'The label was wrong'), ('dismissed', 'The label was right'), ('stale', 'The label changed, or cannot be asked about any more')], default='open', max_length=12)),
                ('verdict', models.CharField(blank=True, help_text='what the second person said', max_length=60)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('judged_at', models.DateTimeField(blank=True, null=True)),
                ('found_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='issues', to='labeling.labelcheck')),
            ],
            options={
                'ordering': ('score', 'pk'),
            },
        ),
        migrations.CreateModel(
            name='OutOfSample',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=60)),
                ('subject', models.CharField(max_length=120)),
                ('labels', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), help_text='in the order of the probabilities', size=None)),
                ('probabilities', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), size=None)),
                ('second', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), help_text='of the second model, where there is one', null=True, size=None)),
                ('model', models.CharField(help_text='which model, and how the subject was kept from it', max_length=200)),
                ('computed_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ('pk',),
                'constraints': [models.UniqueConstraint(fields=('kind', 'subject'), name='one_out_of_sample')],
            },
        ),
        migrations.CreateModel(
            name='RaterModel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(help_text='the queue; where several answers may hold, queue/answer', max_length=120)),
                ('rater', models.CharField(max_length=80)),
                ('n_votes', models.PositiveIntegerField()),
                ('confusion', models.JSONField(help_text='true label → given label → probability (Dawid and Skene)')),
                ('quality', models.FloatField(help_text='expected share of right answers, 0 to 1')),
                ('label_shares', models.JSONField(default=dict, help_text='of the usual rater: label → how common it is')),
                ('calibrations', models.JSONField(db_default={}, default=dict, help_text='of the usual rater: method → how far its consensus can be believed')),
                ('fitted_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'ordering': ('kind', 'rater'),
                'constraints': [models.UniqueConstraint(fields=('kind', 'rater'), name='one_model_per_rater')],
            },
        ),
        migrations.CreateModel(
            name='TaskLease',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token', models.UUIDField(help_text='of the lease; empty: it was shown to them, and reserved for nobody', null=True)),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField(help_text='when it ended or will end; empty: it never does', null=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='leases', to='labeling.labelingtask')),
            ],
            options={
                'ordering': ('since', 'pk'),
            },
        ),
        migrations.CreateModel(
            name='TextVector',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(max_length=120)),
                ('encoder', models.CharField(help_text="hash of the encoder's artefact", max_length=64)),
                ('text_hash', models.CharField(max_length=64)),
                ('vector', models.BinaryField(help_text='float16, little endian, of unit length')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('subject', 'encoder'), name='one_vector_per_encoder')],
            },
        ),
        migrations.CreateModel(
            name='Vote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=60)),
                ('subject', models.CharField(max_length=120)),
                ('rater', models.CharField(max_length=80)),
                ('label', models.CharField(max_length=60)),
                ('purpose', models.CharField(choices=[('label', 'Label'), ('adjudication', 'Adjudication'), ('second_review', 'Blind second review'), ('audit', 'Blind re-review'), ('gold', 'Known answer')], default='label', max_length=16)),
                ('suggestion', models.CharField(blank=True, help_text='what the model said, shown or not', max_length=60)),
                ('is_assisted', models.BooleanField(help_text='whether the suggestion was shown; empty: not known', null=True)),
                ('expected', models.CharField(blank=True, help_text='the known answer, where this was a test', max_length=60)),
                ('seconds', models.FloatField(blank=True, help_text='spent on it', null=True)),
                ('source', models.CharField(default='label_studio', help_text='or import:<id>', max_length=60)),
                ('voted_at', models.DateTimeField()),
            ],
            options={
                'ordering': ('pk',),
                'indexes': [models.Index(fields=['kind', 'voted_at'], name='vote_by_time'), models.Index(fields=['rater', 'voted_at'], name='vote_by_rater')],
                'constraints': [models.UniqueConstraint(fields=('kind', 'subject', 'rater'), name='one_vote_per_rater')],
            },
        ),
        migrations.CreateModel(
            name='WebhookEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('lease_token', models.UUIDField(blank=True, editable=False, null=True)),
                ('lease_expires_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('n_attempts', models.PositiveIntegerField(default=0, editable=False)),
                ('n_losses', models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='times in a row that its worker was lost with it')),
                ('last_error', models.TextField(blank=True, editable=False)),
                ('quarantined_at', models.DateTimeField(blank=True, editable=False, help_text='failed too often; nobody gets it until a person readmits it', null=True)),
                ('action', models.CharField(max_length=60)),
                ('ls_project_id', models.PositiveIntegerField(null=True)),
                ('ls_task_ids', models.JSONField(default=list)),
                ('body_hash', models.CharField(max_length=64)),
                ('status', models.CharField(choices=[('received', 'Received'), ('processed', 'Processed'), ('ignored', 'Ignored: about nothing of ours')], default='received', max_length=12)),
                ('received_at', models.DateTimeField(auto_now_add=True)),
                ('processed_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ('received_at',),
                'indexes': [models.Index(condition=models.Q(('status', 'received')), fields=['received_at'], name='webhook_received')],
            },
        ),
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
                ('project', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='drifts', to='labeling.labelingproject')),
            ],
            options={
                'ordering': ('-found_at', '-pk'),
                'indexes': [models.Index(fields=['found_at'], name='drift_by_time')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('mended_at', None)), fields=('what', 'project', 'subject'), name='one_open_drift')],
            },
        ),
        migrations.CreateModel(
            name='CompletenessProof',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('started_at', models.DateTimeField(auto_now_add=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('n_tasks', models.PositiveIntegerField(default=0, help_text='tasks of ours that should be there')),
                ('n_accounted', models.PositiveIntegerField(default=0, help_text='of these: the same on both sides, or mended')),
                ('n_missing', models.PositiveIntegerField(default=0, help_text='not there')),
                ('n_stale', models.PositiveIntegerField(default=0, help_text='our copy differed')),
                ('n_duplicates', models.PositiveIntegerField(default=0, help_text='further copies of a task of ours there')),
                ('n_foreign', models.PositiveIntegerField(default=0, help_text='tasks there that are not ours')),
                ('n_repaired', models.PositiveIntegerField(default=0)),
                ('words', models.TextField(blank=True)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='proofs', to='labeling.labelingproject')),
            ],
            options={
                'ordering': ('-started_at',),
                'indexes': [models.Index(fields=['project', 'finished_at'], name='proof_by_project')],
            },
        ),
        migrations.AddIndex(
            model_name='labelingtask',
            index=models.Index(condition=models.Q(('status', 'open')), fields=['created_at'], name='labeling_task_open'),
        ),
        migrations.AddConstraint(
            model_name='labelingtask',
            constraint=models.UniqueConstraint(fields=('reference',), name='one_task_per_reference'),
        ),
        migrations.AddConstraint(
            model_name='labelingtask',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ('open', 'pushed', 'settled', 'withdrawn'))), name='labeling_task_status'),
        ),
        migrations.AddIndex(
            model_name='doorpass',
            index=models.Index(fields=['issued_at'], name='door_pass_by_age'),
        ),
        migrations.AddConstraint(
            model_name='consensus',
            constraint=models.UniqueConstraint(fields=('task', 'annotation_set_hash'), name='one_consensus_per_annotation_set'),
        ),
        migrations.AddIndex(
            model_name='annotation',
            index=models.Index(condition=models.Q(('standing', 'counts'), _negated=True), fields=['pulled_at'], name='annotation_refused'),
        ),
        migrations.AddIndex(
            model_name='annotation',
            index=models.Index(condition=models.Q(('standing', 'counts')), fields=['task', 'stamped_at'], name='annotation_counts'),
        ),
        migrations.AddIndex(
            model_name='labelissue',
            index=models.Index(condition=models.Q(('status', 'open')), fields=['kind', 'score'], name='label_issue_next'),
        ),
        migrations.AddIndex(
            model_name='labelissue',
            index=models.Index(fields=['kind', 'judged_at'], name='label_issue_judged'),
        ),
        migrations.AddConstraint(
            model_name='labelissue',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ('open', 'in_review'))), fields=('kind', 'subject'), name='one_open_issue'),
        ),
        migrations.AddConstraint(
            model_name='labelissue',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ('open', 'in_review', 'confirmed', 'dismissed', 'stale'))), name='label_issue_status'),
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
