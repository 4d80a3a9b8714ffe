"""Appeals against the hiding of a customer review, and the label of a decision, which hides one, never changes."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


# As in 0012, and the label too.
FORWARD = """
CREATE OR REPLACE FUNCTION moderation_decision_of_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.reviewer_id, OLD.checker_id, OLD.item_id, OLD.result_id, OLD.outcome, OLD.high_severity,
            OLD.reason_codes, OLD.policy_version, OLD.label) IS DISTINCT FROM (NEW.reviewer_id, NEW.checker_id, NEW.item_id,
            NEW.result_id, NEW.outcome, NEW.high_severity, NEW.reason_codes, NEW.policy_version, NEW.label) THEN
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
"""
BACKWARD = """
CREATE OR REPLACE FUNCTION moderation_decision_of_two() RETURNS trigger LANGUAGE plpgsql AS $$
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
"""


class Migration(migrations.Migration):

    dependencies = [
        ('moderation', '0024_predictions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RemoveConstraint(
            model_name='appeal',
            name='overturned_goes_to_review',
        ),
        migrations.AddField(
            model_name='appeal',
            name='ruling',
            field=models.ForeignKey(editable=False, help_text='the decision that shows the customer review again, where the one that hid it was overturned', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='moderation.decision'),
        ),
        migrations.AlterField(
            model_name='appeal',
            name='status',
            field=models.CharField(choices=[('open', 'Open'), ('upheld', 'Upheld: the decision stands'), ('overturned', 'Overturned')], default='open', editable=False, max_length=12),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'overturned'), _negated=True), ('candidate__isnull', False), ('ruling__isnull', False), _connector='OR'), name='overturned_has_a_sequel'),
        ),
    ]
