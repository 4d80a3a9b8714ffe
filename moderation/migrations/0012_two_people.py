"""Maker and checker, appeals, and what a decision keeps of how it came about."""

import django.contrib.postgres.fields
import django.db.models.deletion
import moderation.models.queues
import uuid
from django.conf import settings
from django.db import migrations, models

# The last line behind moderation/separation.py: what the functions refuse is refused in SQL too. Two accounts with one
# address (case and +tag aside) are one person. A decision, once made, keeps who made and who checked it.
FORWARD = """
CREATE FUNCTION moderation_is_same_person(one bigint, other bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT one = other OR EXISTS (
        SELECT FROM auth_user a JOIN auth_user b ON a.email <> ''
            AND split_part(split_part(lower(a.email), '@', 1), '+', 1) = split_part(split_part(lower(b.email), '@', 1), '+', 1)
            AND split_part(lower(a.email), '@', 2) = split_part(lower(b.email), '@', 2)
        WHERE a.id = one AND b.id = other)
$$;
CREATE FUNCTION moderation_decision_of_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.reviewer_id, OLD.checker_id, OLD.item_id, OLD.result_id, OLD.outcome, OLD.high_severity,
            OLD.reason_codes, OLD.policy_version) IS DISTINCT FROM (NEW.reviewer_id, NEW.checker_id, NEW.item_id,
            NEW.result_id, NEW.outcome, NEW.high_severity, NEW.reason_codes, NEW.policy_version) THEN
        RAISE EXCEPTION 'a decision never changes; a later one supersedes it' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.checker_id IS NOT NULL AND (moderation_is_same_person(NEW.reviewer_id, NEW.checker_id) OR EXISTS (
            SELECT FROM moderation_reviewitem item WHERE NEW.item_id IN (item.id, item.lead_id)
            AND (moderation_is_same_person(item.assignee_id, NEW.checker_id)
                OR moderation_is_same_person(item.escalated_by_id, NEW.checker_id)))) THEN
        RAISE EXCEPTION 'who checks a decision had no part in it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER moderation_decision_of_two BEFORE INSERT OR UPDATE ON moderation_decision
    FOR EACH ROW EXECUTE FUNCTION moderation_decision_of_two();
CREATE FUNCTION moderation_appeal_of_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.judge_id IS NOT NULL AND (moderation_is_same_person(NEW.appellant_id, NEW.judge_id) OR EXISTS (
            SELECT FROM moderation_decision decision WHERE decision.id = NEW.decision_id
            AND (moderation_is_same_person(decision.reviewer_id, NEW.judge_id)
                OR moderation_is_same_person(decision.checker_id, NEW.judge_id)))) THEN
        RAISE EXCEPTION 'who judges an appeal had no part in the decision' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER moderation_appeal_of_two BEFORE INSERT OR UPDATE ON moderation_appeal
    FOR EACH ROW EXECUTE FUNCTION moderation_appeal_of_two();
"""
BACKWARD = """
DROP TRIGGER moderation_appeal_of_two ON moderation_appeal;
DROP TRIGGER moderation_decision_of_two ON moderation_decision;
DROP FUNCTION moderation_appeal_of_two();
DROP FUNCTION moderation_decision_of_two();
DROP FUNCTION moderation_is_same_person(bigint, bigint);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0004_import_counts'),
        ('labeling', '0005_label_exchange'),
        ('moderation', '0011_live_signatures'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Appeal',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('reason', models.TextField(editable=False)),
                ('status', models.CharField(choices=[('open', 'Open'), ('upheld', 'Upheld: the decision stands'), ('overturned', 'Overturned: the text goes to review again')], default='open', editable=False, max_length=12)),
                ('answer', models.TextField(blank=True, editable=False, help_text='why it was upheld or overturned')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('decided_at', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'ordering': ('-created_at',),
                'permissions': (('appeal_decision', 'Can appeal against a decision'), ('judge_appeal', 'Can uphold or overturn a decision')),
            },
        ),
        migrations.AlterModelOptions(
            name='decision',
            options={'ordering': ('-created_at',), 'permissions': (('check_decision', 'Can confirm or return what another person decided'),)},
        ),
        migrations.RemoveConstraint(
            model_name='decision',
            name='decision_outcome',
        ),
        migrations.RemoveConstraint(
            model_name='reviewitem',
            name='review_item_status',
        ),
        migrations.AddField(
            model_name='decision',
            name='check_note',
            field=models.CharField(blank=True, editable=False, max_length=500),
        ),
        migrations.AddField(
            model_name='decision',
            name='checker',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='decision',
            name='dwell_time',
            field=models.DurationField(editable=False, help_text='from taken to answered, by our own clock; empty: it was not taken here', null=True),
        ),
        migrations.AddField(
            model_name='decision',
            name='high_severity',
            field=models.JSONField(default=list, editable=False, help_text='why it needed a second person'),
        ),
        migrations.AddField(
            model_name='decision',
            name='suggestion_shown',
            field=models.BooleanField(editable=False, help_text='whether what the model suggested was shown; empty: it suggested nothing', null=True),
        ),
        migrations.AddField(
            model_name='queuepolicy',
            name='check_categories',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=120), blank=True, default=list, help_text='whatever goes out for products whose category holds one of these', size=None),
        ),
        migrations.AddField(
            model_name='queuepolicy',
            name='check_channels',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('description', 'Description'), ('recommendation', 'Recommendation line'), ('ad_slogan', 'Ad slogan')], max_length=24), blank=True, default=list, help_text='whatever goes out in these channels', size=None),
        ),
        migrations.AddField(
            model_name='queuepolicy',
            name='check_codes',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), blank=True, default=moderation.models.queues.claims_to_check, help_text='a text that goes out with a finding whose code holds one of these, e.g. health, price', size=None),
        ),
        migrations.AddField(
            model_name='queuepolicy',
            name='check_severity',
            field=models.CharField(blank=True, choices=[('info', 'Info'), ('warn', 'Warning'), ('block', 'Block')], default='block', help_text='a text that goes out with a finding this grave or graver, dismissed or overruled; empty: none', max_length=8),
        ),
        migrations.AddField(
            model_name='reviewitem',
            name='high_severity',
            field=models.JSONField(blank=True, default=list, help_text='why one person alone does not let it out'),
        ),
        migrations.AddField(
            model_name='reviewitem',
            name='proposal',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='labeling.consensus'),
        ),
        migrations.AddField(
            model_name='reviewitem',
            name='proposed_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='reviewitem',
            name='proposed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='reviewitem',
            name='returned_at',
            field=models.DateTimeField(blank=True, help_text='while who answered has to answer again', null=True),
        ),
        migrations.AlterField(
            model_name='decision',
            name='lead_time',
            field=models.DurationField(editable=False, help_text='as measured by Label Studio', null=True),
        ),
        migrations.AlterField(
            model_name='decision',
            name='outcome',
            field=models.CharField(choices=[('approve', 'Approve'), ('edit', 'Approve with a fix'), ('reject', 'Reject'), ('label', 'Label'), ('retire', 'Take down')], editable=False, max_length=12),
        ),
        migrations.AlterField(
            model_name='reviewitem',
            name='status',
            field=models.CharField(choices=[('waiting', 'Waiting'), ('dispatched', 'With a reviewer'), ('answered', 'Answered: waits for others'), ('escalated', 'Escalated to a senior'), ('confirming', 'Waits for a second person'), ('decided', 'Decided'), ('withdrawn', 'Withdrawn')], default='waiting', max_length=12),
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
            model_name='reviewitem',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ('waiting', 'dispatched', 'answered', 'escalated', 'confirming', 'decided', 'withdrawn'))), name='review_item_status'),
        ),
        migrations.AddConstraint(
            model_name='reviewitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'confirming'), _negated=True), models.Q(('proposal__isnull', False), ('proposed_by__isnull', False)), _connector='OR'), name='what_is_confirmed_was_proposed'),
        ),
        migrations.AddField(
            model_name='appeal',
            name='appellant',
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='appeal',
            name='candidate',
            field=models.OneToOneField(editable=False, help_text='the same text as a draft again, where the decision was overturned', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reinstated_by', to='moderation.candidate'),
        ),
        migrations.AddField(
            model_name='appeal',
            name='decision',
            field=models.OneToOneField(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='appeal', to='moderation.decision'),
        ),
        migrations.AddField(
            model_name='appeal',
            name='judge',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='appeal',
            index=models.Index(condition=models.Q(('status', 'open')), fields=['created_at'], name='appeal_open'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ('open', 'upheld', 'overturned'))), name='appeal_status'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('judge', None), ('status', 'open')), models.Q(models.Q(('status', 'open'), _negated=True), ('judge__isnull', False)), _connector='OR'), name='an_appeal_is_judged_once'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(('judge', None), models.Q(('judge', models.F('appellant')), _negated=True), _connector='OR'), name='judge_is_not_appellant'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'overturned'), _negated=True), ('candidate__isnull', False), _connector='OR'), name='overturned_goes_to_review'),
        ),
        migrations.AddIndex(
            model_name='reviewitem',
            index=models.Index(condition=models.Q(('status', 'confirming')), fields=['proposed_at'], name='review_confirming'),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
