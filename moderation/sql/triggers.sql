-- A policy that was in force never changes, in SQL neither.
CREATE OR REPLACE FUNCTION moderation_policy_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a policy that was in force never changes: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE OR REPLACE TRIGGER moderation_policyversion_no_change BEFORE UPDATE OR DELETE ON moderation_policyversion
    FOR EACH ROW EXECUTE FUNCTION moderation_policy_is_append_only();
CREATE OR REPLACE TRIGGER moderation_policyactivation_no_change BEFORE UPDATE OR DELETE ON moderation_policyactivation
    FOR EACH ROW EXECUTE FUNCTION moderation_policy_is_append_only();

-- The last line behind moderation/queues/separation_of_duties.py: what the functions refuse is refused in SQL too. Two accounts with one
-- address (case and +tag aside) are one person. A decision, once made, keeps who made and who checked it.
CREATE OR REPLACE FUNCTION moderation_is_same_person(one bigint, other bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT one = other OR EXISTS (
        SELECT FROM auth_user a JOIN auth_user b ON a.email <> ''
            AND split_part(split_part(lower(a.email), '@', 1), '+', 1) = split_part(split_part(lower(b.email), '@', 1), '+', 1)
            AND split_part(lower(a.email), '@', 2) = split_part(lower(b.email), '@', 2)
        WHERE a.id = one AND b.id = other)
$$;
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
CREATE OR REPLACE TRIGGER moderation_decision_of_two BEFORE INSERT OR UPDATE ON moderation_decision
    FOR EACH ROW EXECUTE FUNCTION moderation_decision_of_two();
CREATE OR REPLACE FUNCTION moderation_appeal_of_two() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.judge_id IS NOT NULL AND (moderation_is_same_person(NEW.appellant_id, NEW.judge_id) OR EXISTS (
            SELECT FROM moderation_decision decision WHERE decision.id = NEW.decision_id
            AND (moderation_is_same_person(decision.reviewer_id, NEW.judge_id)
                OR moderation_is_same_person(decision.checker_id, NEW.judge_id)))) THEN
        RAISE EXCEPTION 'who judges an appeal had no part in the decision' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER moderation_appeal_of_two BEFORE INSERT OR UPDATE ON moderation_appeal
    FOR EACH ROW EXECUTE FUNCTION moderation_appeal_of_two();

-- Every lease of a person on a review item is kept: an answer counts only under one (labeling/provenance.py).
-- By a trigger, because leases are given, prolonged and taken back in many places, and none may forget it.
CREATE OR REPLACE FUNCTION moderation_keep_lease() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE OR REPLACE TRIGGER moderation_keep_lease
    AFTER INSERT OR UPDATE OF lease_token, lease_expires_at, assignee_id, labeling_task_id ON moderation_reviewitem
    FOR EACH ROW EXECUTE FUNCTION moderation_keep_lease();

-- By triggers, because rows come by imports of a million, by hand and by scripts, and none may be forgotten; what comes
-- is seen in the transaction that brings it. What goes takes with it what was said of it.
CREATE OR REPLACE FUNCTION moderation_open_scorings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO moderation_scoring (question, subject, created_at, n_attempts, n_losses, last_error)
    SELECT asked.question, asked.about || ':' || new_row.id, now(), 0, 0, ''
    FROM moderation_scoredquestion AS asked, new_row WHERE asked.about = TG_ARGV[0]
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION moderation_forget_predictions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The scorings first: who writes a prediction holds one, and is waited for.
    DELETE FROM moderation_scoring AS said USING old_row WHERE said.subject = TG_ARGV[0] || ':' || old_row.id;
    DELETE FROM moderation_prediction AS said USING old_row WHERE said.subject = TG_ARGV[0] || ':' || old_row.id;
    DELETE FROM moderation_trafficsample AS drawn USING old_row WHERE drawn.subject = TG_ARGV[0] || ':' || old_row.id;
    RETURN NULL;
END $$;
-- Other words are another text: whoever scores it now has lost it, and what a model choked on may be gone.
CREATE OR REPLACE FUNCTION moderation_forget_answers(edited text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(edited) > 0 THEN
        -- In the order in which the scorer locks them.
        PERFORM FROM moderation_scoring WHERE subject = ANY (edited) ORDER BY id FOR NO KEY UPDATE;
        UPDATE moderation_scoring SET scored_with = NULL, scored_at = NULL, lease_token = NULL, lease_expires_at = NULL,
            n_attempts = 0, n_losses = 0, last_error = '', quarantined_at = NULL WHERE subject = ANY (edited);
        DELETE FROM moderation_prediction WHERE subject = ANY (edited);
    END IF;
END $$;
CREATE OR REPLACE FUNCTION moderation_score_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM moderation_forget_answers(ARRAY(
        SELECT TG_ARGV[0] || ':' || id FROM old_row JOIN new_row USING (id)
        WHERE (old_row.title, old_row.text) IS DISTINCT FROM (new_row.title, new_row.text)));
    RETURN NULL;
END $$;
-- The hash is of title, brand, category and facts, which lie in another table and are written in the same transaction.
CREATE OR REPLACE FUNCTION moderation_score_product_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM moderation_forget_answers(ARRAY(
        SELECT TG_ARGV[0] || ':' || id FROM old_row JOIN new_row USING (id)
        WHERE (old_row.facts_hash, old_row.description) IS DISTINCT FROM (new_row.facts_hash, new_row.description)));
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER moderation_open_scorings AFTER INSERT ON catalog_customerreview
    REFERENCING NEW TABLE AS new_row FOR EACH STATEMENT
    EXECUTE FUNCTION moderation_open_scorings('catalog.customerreview');
CREATE OR REPLACE TRIGGER moderation_score_again AFTER UPDATE ON catalog_customerreview
    REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row FOR EACH STATEMENT
    EXECUTE FUNCTION moderation_score_again('catalog.customerreview');
CREATE OR REPLACE TRIGGER moderation_forget_predictions AFTER DELETE ON catalog_customerreview
    REFERENCING OLD TABLE AS old_row FOR EACH STATEMENT
    EXECUTE FUNCTION moderation_forget_predictions('catalog.customerreview');
CREATE OR REPLACE TRIGGER moderation_open_scorings AFTER INSERT ON catalog_product
    REFERENCING NEW TABLE AS new_row FOR EACH STATEMENT
    EXECUTE FUNCTION moderation_open_scorings('catalog.product');
CREATE OR REPLACE TRIGGER moderation_score_again AFTER UPDATE ON catalog_product
    REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row FOR EACH STATEMENT
    EXECUTE FUNCTION moderation_score_product_again('catalog.product');
CREATE OR REPLACE TRIGGER moderation_forget_predictions AFTER DELETE ON catalog_product
    REFERENCING OLD TABLE AS old_row FOR EACH STATEMENT
    EXECUTE FUNCTION moderation_forget_predictions('catalog.product');
CREATE OR REPLACE TRIGGER moderation_forget_predictions AFTER DELETE ON moderation_candidate
    REFERENCING OLD TABLE AS old_row FOR EACH STATEMENT
    EXECUTE FUNCTION moderation_forget_predictions('moderation.candidate');
