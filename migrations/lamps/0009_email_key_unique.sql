-- Why: the database itself refuses a second registration of an address, under any concurrency.
-- Two kinds of old rows need a decision first, and the run stops for them: addresses that the server cannot fold, and
-- addresses that are registered twice.
-- Locks: ACCESS EXCLUSIVE on lamp_registry until commit, while the index is built: about 2 seconds at 1,000,000 lamps.
-- It is taken first, so that no registration slips in between the checks and the constraints. Therefore:
-- squawk-ignore-file adding-not-nullable-field, constraint-missing-not-valid, disallowed-unique-constraint
-- Code that does not write email_key cannot register lamps from here on.

-- migrate:up
LOCK TABLE lamp_registry IN ACCESS EXCLUSIVE MODE;

UPDATE lamp_registry
SET email_key = lower(btrim(email, E'\t\n\x0b\f\r\x1c\x1d\x1e\x1f ') COLLATE "C")
WHERE email_key IS NULL AND email ~ '^[[:ascii:]]*$';

DO $$
DECLARE
    lamps bigint;
BEGIN
    SELECT count(*) INTO lamps FROM lamp_registry WHERE email_key IS NULL;
    IF lamps > 0 THEN
        RAISE EXCEPTION '% lamps have no email_key, because their e-mail addresses are not ASCII', lamps
            USING HINT = 'Select them WHERE email_key IS NULL and set email_key to '
                'surf_data.lamps.email_key(address), a Python function; then run the migration again.';
    END IF;
    SELECT count(*) - count(DISTINCT email_key) INTO lamps FROM lamp_registry;
    IF lamps > 0 THEN
        RAISE EXCEPTION '% lamps repeat the e-mail address of another', lamps
            USING HINT = 'Find them with GROUP BY email_key HAVING count(*) > 1, decide for each which lamp keeps the '
                'address, change email and email_key of the others; then run the migration again.';
    END IF;
END
$$;

ALTER TABLE lamp_registry
    ADD CONSTRAINT lamp_registry_email_key_key UNIQUE (email_key),
    ALTER COLUMN email_key SET NOT NULL;

-- migrate:down
ALTER TABLE lamp_registry
    ALTER COLUMN email_key DROP NOT NULL,
    DROP CONSTRAINT lamp_registry_email_key_key;
