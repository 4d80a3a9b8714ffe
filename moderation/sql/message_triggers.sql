-- As for the other tables that can be asked about (triggers.sql). Of a message a model reads the text.
CREATE OR REPLACE FUNCTION moderation_score_message_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM moderation_forget_answers(ARRAY(
        SELECT TG_ARGV[0] || ':' || id FROM old_row JOIN new_row USING (id)
        WHERE old_row.text IS DISTINCT FROM new_row.text));
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER moderation_open_scorings AFTER INSERT ON catalog_customermessage
    REFERENCING NEW TABLE AS new_row FOR EACH STATEMENT
    EXECUTE FUNCTION moderation_open_scorings('catalog.customermessage');
CREATE OR REPLACE TRIGGER moderation_score_again AFTER UPDATE ON catalog_customermessage
    REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row FOR EACH STATEMENT
    EXECUTE FUNCTION moderation_score_message_again('catalog.customermessage');
CREATE OR REPLACE TRIGGER moderation_forget_predictions AFTER DELETE ON catalog_customermessage
    REFERENCING OLD TABLE AS old_row FOR EACH STATEMENT
    EXECUTE FUNCTION moderation_forget_predictions('catalog.customermessage');
