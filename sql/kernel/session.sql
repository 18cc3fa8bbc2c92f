-- What this library asks of a session itself.

-- name: session_configure(backend_pid, jit, statement_timeout)^
-- Sets up a new connection, and tells whether a pooler sits between: then another backend answers than the one that
-- greeted us. Settings would leak to the pooler's other clients, so behind one they are left to ALTER ROLE ... SET.
-- Times are read in UTC, where each one that we accept is within Python's range.
SELECT
    pg_backend_pid() = :backend_pid::int4 AS direct,
    CASE
        WHEN pg_backend_pid() = :backend_pid::int4
            THEN set_config('jit', :jit::text, false)
    END AS jit,
    CASE
        WHEN pg_backend_pid() = :backend_pid::int4
            THEN set_config('statement_timeout', :statement_timeout::text, false)
    END AS statement_timeout,
    CASE
        WHEN pg_backend_pid() = :backend_pid::int4
            THEN set_config('timezone', 'UTC', false)
    END AS timezone;

-- name: session_ping()$
-- Answers when the server does; for health checks.
SELECT 1 AS answer;
