-- The keys of the sources of surf data, for their encryption.

-- name: api_key_list()
-- All stored keys with their rows, which are kept from others until the transaction ends.
SELECT
    ac.id,
    ac.api_key
FROM api_configuration AS ac
WHERE ac.api_key IS NOT NULL
ORDER BY ac.id
FOR UPDATE;

-- name: api_key_update(id, api_key)!
-- Stores a key of one source.
UPDATE api_configuration
SET api_key = :api_key::text
WHERE id = :id::int4;
