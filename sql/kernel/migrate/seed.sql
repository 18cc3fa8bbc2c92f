-- What the seed files ask for.

-- name: seed_configure(lock_timeout)^
-- As for migrations: a lock is given up soon, because others queue behind a session that waits; files are UTF-8.
SELECT
    set_config('lock_timeout', :lock_timeout::text, true) AS lock_timeout,
    set_config('statement_timeout', '0', true) AS statement_timeout,
    set_config('client_encoding', 'UTF8', true) AS client_encoding;
