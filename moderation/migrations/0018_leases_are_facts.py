"""Every lease of a person on a review item is kept: an answer counts only under one (labeling/provenance.py).

By a trigger, because leases are given, prolonged and taken back in many places, and none may forget it.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION moderation_keep_lease() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.lease_token IS NOT NULL AND (OLD.lease_token, OLD.assignee_id, OLD.labeling_task_id)
            IS DISTINCT FROM (NEW.lease_token, NEW.assignee_id, NEW.labeling_task_id) THEN
        UPDATE labeling_tasklease SET until = LEAST(until, now())
        WHERE token = OLD.lease_token AND task_id = OLD.labeling_task_id AND person_id = OLD.assignee_id;
    END IF;
    IF NEW.lease_token IS NOT NULL AND NEW.assignee_id IS NOT NULL AND NEW.labeling_task_id IS NOT NULL THEN
        INSERT INTO labeling_tasklease (token, task_id, person_id, since, until)
        VALUES (NEW.lease_token, NEW.labeling_task_id, NEW.assignee_id, now(), NEW.lease_expires_at)
        ON CONFLICT (token, task_id, person_id) DO UPDATE SET until = EXCLUDED.until;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER moderation_keep_lease
    AFTER INSERT OR UPDATE OF lease_token, lease_expires_at, assignee_id, labeling_task_id ON moderation_reviewitem
    FOR EACH ROW EXECUTE FUNCTION moderation_keep_lease();
INSERT INTO labeling_tasklease (token, task_id, person_id, since, until)
SELECT lease_token, labeling_task_id, assignee_id, COALESCE(claimed_at, now()), lease_expires_at
FROM moderation_reviewitem
WHERE lease_token IS NOT NULL AND assignee_id IS NOT NULL AND labeling_task_id IS NOT NULL;
"""
BACKWARD = """
DROP TRIGGER moderation_keep_lease ON moderation_reviewitem;
DROP FUNCTION moderation_keep_lease();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('labeling', '0008_whose_answers_are'),
        ("moderation", "0017_contradicted_facts"),
    ]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
