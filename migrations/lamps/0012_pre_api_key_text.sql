-- Why: an API key that is encrypted takes three times its length and more, for which 255 characters are not enough.
-- Locks: ACCESS EXCLUSIVE on api_configuration until commit; from varchar to text nothing is rewritten or scanned.
-- Milliseconds at any size, and therefore:
-- squawk-ignore-file changing-column-type

-- migrate:up
ALTER TABLE api_configuration
    ALTER COLUMN api_key TYPE TEXT;

-- migrate:down
-- Stops at a key that is longer.
ALTER TABLE api_configuration
    ALTER COLUMN api_key TYPE VARCHAR(255);
