-- What a run asks of its own session.

-- name: session_backend()$
-- The server process that answers; another one than greeted us when a pooler sits between.
SELECT pg_backend_pid() AS backend_pid;

-- name: session_restore(role, search_path)^
-- Puts back what a migration may have set, for its record and for the migrations after it.
SELECT
    set_config('role', :role::text, false) AS role,
    set_config('search_path', :search_path::text, false) AS search_path;

-- name: session_state()^
-- What a migration may set and its record must not feel.
SELECT
    current_setting('role') AS role,
    current_setting('search_path') AS search_path;

-- name: transaction_configure(lock_timeout)^
-- A lock is given up soon, because whoever comes after us waits behind us; the work itself takes as long as it takes.
-- Files are UTF-8, whatever the client's locale is.
SELECT
    set_config('lock_timeout', :lock_timeout::text, true) AS lock_timeout,
    set_config('statement_timeout', '0', true) AS statement_timeout,
    set_config('client_encoding', 'UTF8', true) AS client_encoding;
