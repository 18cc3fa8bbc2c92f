-- Why: lamps that were registered before 0007 get their key. For an address of ASCII letters every locale and Unicode
-- agree, so the server may compute it; the others are left to surf_data.lamps.email_key, and 0009 asks for them.
-- A file of its own, because 0009 needs a lock that must not be waited for while these rows are held.
-- Locks: the rows until commit, so an update of a lamp waits, and readers do not; SHARE UPDATE EXCLUSIVE at the end.
-- About 15 seconds at 1,000,000 lamps.

-- migrate:up
UPDATE lamp_registry
SET email_key = lower(btrim(email, E'\t\n\x0b\f\r\x1c\x1d\x1e\x1f ') COLLATE "C")
WHERE email_key IS NULL AND email ~ '^[[:ascii:]]*$';
ALTER TABLE lamp_registry
    VALIDATE CONSTRAINT lamp_registry_email_key_folded;

-- migrate:down
UPDATE lamp_registry
SET email_key = NULL
WHERE email_key IS NOT NULL;
