-- A row for each picture of a product, to refer to: by triggers, because products come by imports of a million, by hand
-- and by scripts, and none may be forgotten. What a product has no more stays and is marked: what people said is of it.
CREATE OR REPLACE FUNCTION catalog_add_pictures() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO catalog_productpicture (product_id, address, created_at)
    SELECT id, image_url, now() FROM new_row WHERE image_url <> '' ORDER BY id;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION catalog_change_pictures() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE catalog_productpicture AS held SET removed_at = now()
    FROM old_row JOIN new_row USING (id)
    WHERE held.product_id = new_row.id AND held.address = old_row.image_url AND old_row.image_url <> new_row.image_url;
    INSERT INTO catalog_productpicture (product_id, address, created_at)
    SELECT id, new_row.image_url, now() FROM old_row JOIN new_row USING (id)
    WHERE new_row.image_url NOT IN ('', old_row.image_url) ORDER BY id
    ON CONFLICT (product_id, md5(address)) DO UPDATE SET removed_at = NULL;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER catalog_add_pictures AFTER INSERT ON catalog_product
    REFERENCING NEW TABLE AS new_row FOR EACH STATEMENT EXECUTE FUNCTION catalog_add_pictures();
CREATE OR REPLACE TRIGGER catalog_change_pictures AFTER UPDATE ON catalog_product
    REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row FOR EACH STATEMENT
    EXECUTE FUNCTION catalog_change_pictures();
