-- What this library asks of a session itself.

-- name: function_is_volatile(names)$
-- Whether a function with one of these names may change something, so that a query which calls it is no mere read.
-- retry: idempotent
SELECT count(*) > 0 AS is_volatile
FROM pg_proc AS p
WHERE p.proname = ANY(:names::name[]) AND p.provolatile = 'v';

-- name: primary_position()$
-- How far the primary's log is, in bytes: behind every transaction that has been committed.
-- A COMMIT waits until it is flushed, unless that is switched off. What comes after may not be sent for a while.
SELECT
    pg_wal_lsn_diff(
        CASE
            WHEN current_setting('synchronous_commit') = 'off' THEN pg_current_wal_insert_lsn()
            ELSE pg_current_wal_flush_lsn()
        END,
        '0/0'
    )::int8 AS position;

-- name: replica_state()^
-- How much of the primary's log a replica has replayed, in bytes, and by how many seconds it lags; no lag when it is no
-- replica. One that has replayed all that it has received lags only if no primary sends.
SELECT
    pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::int8 AS position,
    CASE
        WHEN NOT pg_is_in_recovery() THEN NULL
        WHEN
            pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()
            AND EXISTS (SELECT 1 AS found FROM pg_stat_wal_receiver)
            THEN 0::float8
        ELSE extract(EPOCH FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8
    END AS lag;

-- name: schema_version(domain)$
-- The number of the last migration of a domain that is applied; null without any.
-- retry: idempotent
SELECT max(sm.number) AS version
FROM schema_migrations AS sm
WHERE sm.domain = :domain::text AND sm.applied_at IS NOT NULL;

-- name: session_configure(backend_pid, jit, statement_timeout)^
-- Sets up a new connection, and returns whether a pooler sits between: then another backend answers than the one that
-- greeted us. Settings would leak to the pooler's other clients, so behind one they are left to ALTER ROLE ... SET.
-- Times are read in UTC, where each one that we accept is within Python's range.
-- A server is known by its identifier and its timeline: a standby that is promoted begins another one. Statistics begin
-- anew when a server recovers from a crash.
SELECT
    pg_backend_pid() = :backend_pid::int4 AS direct,
    CASE
        WHEN NOT pg_is_in_recovery()
            THEN (
                SELECT cs.system_identifier || ':' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
                FROM pg_control_system() AS cs
            )
    END AS server,
    (SELECT sw.stats_reset::text FROM pg_stat_wal AS sw) AS incarnation,
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

-- name: transaction_id()$
-- The id of this transaction if it has changed anything, for transaction_status.
SELECT pg_current_xact_id_if_assigned()::text AS id;

-- name: transaction_status(transaction)$
-- What has become of a transaction: committed, aborted, in progress, or null when that was long ago.
SELECT pg_xact_status(:transaction::xid8) AS status;
