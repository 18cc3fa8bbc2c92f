-- Why: one person registers once, however the address is spelt. email stays as it was typed; email_key is the spelling
-- that is compared (Unicode NFC, case folded, outer white space cut off), written by surf_data.lamps whenever it writes
-- an address. The server cannot compute it: its lower() follows the database's locale and is no case folding.
-- What the server can check is that an ASCII address has the right key, so whatever changes an address by hand must
-- change its key with it.
-- Locks: ACCESS EXCLUSIVE on lamp_registry until commit; nothing is scanned. Milliseconds at any size.
-- surf_data registers users from 0009 on and reads lamps from 0010 on: start it when all of these are applied.

-- migrate:up
ALTER TABLE lamp_registry
    ADD COLUMN email_key TEXT;
ALTER TABLE lamp_registry
    ADD CONSTRAINT lamp_registry_email_key_folded
    CHECK (
        email !~ '^[[:ascii:]]*$'
        OR email_key = lower(btrim(email, E'\t\n\x0b\f\r\x1c\x1d\x1e\x1f ') COLLATE "C")
    ) NOT VALID;

-- migrate:down
ALTER TABLE lamp_registry
    DROP CONSTRAINT lamp_registry_email_key_folded,
    DROP COLUMN email_key;
