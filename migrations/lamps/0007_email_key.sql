-- Why: one person registers once, however the address is spelt. email stays as it was typed; email_key is the spelling
-- that is compared (Unicode NFC, case folded, outer white space cut off), written by surf_data.lamps whenever it writes
-- an address. The server cannot compute it: its lower() follows the database's locale and is no case folding.
-- Locks: ACCESS EXCLUSIVE on lamp_registry until commit; nothing is scanned. Milliseconds at any size.
-- Deploy the application that writes email_key between this file and 0009.

-- migrate:up
ALTER TABLE lamp_registry ADD COLUMN email_key TEXT;

-- migrate:down
ALTER TABLE lamp_registry DROP COLUMN email_key;
