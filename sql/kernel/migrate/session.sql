-- What a run asks of its own session.

-- name: limits_configure(lock_timeout, statement_timeout, transaction)^
-- A lock is given up soon, because every later session waits behind us; the work itself takes as long as it takes.
-- Files are UTF-8, whatever the client's locale is.
SELECT
    set_config('lock_timeout', :lock_timeout::text, :transaction::boolean) AS lock_timeout,
    set_config('statement_timeout', :statement_timeout::text, :transaction::boolean) AS statement_timeout,
    set_config('client_encoding', 'UTF8', :transaction::boolean) AS client_encoding,
    (
        -- PostgreSQL 16 does not have it.
        SELECT set_config(ps.name, '0', :transaction::boolean)
        FROM pg_settings AS ps
        WHERE ps.name = 'transaction_timeout'
    ) AS transaction_timeout;

-- name: session_backend()$
-- The server process that answers; another one than greeted us when a pooler sits between.
SELECT pg_backend_pid() AS backend_pid;

-- name: session_configure(settings)
-- Sets what was set in the session before a migration.
-- session: keeps
SELECT set_config(js.key, js.value, false) AS setting
FROM jsonb_each_text(:settings::text::jsonb) AS js;

-- name: session_discard()#
-- Drops the temporary tables of the session.
-- session: keeps
DISCARD TEMP;

-- name: session_follow_client()$
-- Lets the server end what it does for us when our process has died, and with it the lock that admits one run.
-- Without it a statement would go on to its end, however long that takes.
-- accept: ONE-OF-MANY the name of a setting is there once
-- session: keeps
SELECT set_config(ps.name, '1s', false) AS client_connection_check_interval
FROM pg_settings AS ps
WHERE ps.name = 'client_connection_check_interval';

-- name: session_identify(session_authorization, role)^
-- Gives the session back to who it belonged to before a migration, with their rights.
-- session: keeps
SELECT
    set_config('session_authorization', :session_authorization::text, false) AS session_authorization,
    set_config('role', :role::text, false) AS role;

-- name: session_reset()#
-- Resets everything that was set in the session, whatever has set it.
-- session: keeps
RESET ALL;

-- name: session_state()^
-- What a migration may set, and neither its record nor the migrations after it must feel.
SELECT
    current_setting('session_authorization') AS session_authorization,
    current_setting('role') AS role,
    (
        SELECT coalesce(jsonb_object_agg(ps.name, ps.setting), '{}')::text
        FROM pg_settings AS ps
        WHERE
            ps.source = 'session'
            AND ps.name NOT IN ('transaction_deferrable', 'transaction_isolation', 'transaction_read_only')
    ) AS settings;
