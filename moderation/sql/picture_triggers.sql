-- As for the other tables that can be asked about (triggers.sql): what goes takes with it what was said of it.
CREATE OR REPLACE TRIGGER moderation_forget_predictions AFTER DELETE ON catalog_productpicture
    REFERENCING OLD TABLE AS old_row FOR EACH STATEMENT
    EXECUTE FUNCTION moderation_forget_predictions('catalog.productpicture');
