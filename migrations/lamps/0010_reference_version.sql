-- Why: processes keep the locations and API configurations in memory and read them again only when the version that
-- comes with each lamp row is not the one they know. So every change of the two tables must change the version, in the
-- same transaction: then a reader sees both or neither. The version is random instead of counted, so that a value which
-- was rolled back, or came back with a restored backup, can never be mistaken for a later one.
-- Changes of the configuration wait for one another, on the one row of reference_version. The triggers come BEFORE the
-- statement, so that they queue before they hold rows of the tables, and not in a deadlock.
-- Locks: SHARE ROW EXCLUSIVE on api_configuration and system_configuration until commit: writers wait, readers do not.
-- Milliseconds at any size.

-- migrate:up
CREATE TABLE reference_version (
    only_row BOOLEAN PRIMARY KEY DEFAULT true CHECK (only_row),
    version UUID NOT NULL
);

INSERT INTO reference_version (version) VALUES (gen_random_uuid());

-- A session that changes the configuration may have another search_path; the function keeps the one of this session.
CREATE FUNCTION reference_version_move() RETURNS TRIGGER
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    UPDATE reference_version SET version = gen_random_uuid();
    RETURN NULL;
END
$$;

CREATE TRIGGER api_configuration_moves_reference_version
BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON api_configuration
FOR EACH STATEMENT EXECUTE FUNCTION reference_version_move();

CREATE TRIGGER system_configuration_moves_reference_version
BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON system_configuration
FOR EACH STATEMENT EXECUTE FUNCTION reference_version_move();

-- migrate:down
DROP TRIGGER system_configuration_moves_reference_version ON system_configuration;
DROP TRIGGER api_configuration_moves_reference_version ON api_configuration;
DROP FUNCTION reference_version_move;
DROP TABLE reference_version;
