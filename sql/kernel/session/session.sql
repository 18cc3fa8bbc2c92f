-- What this library asks of a session itself.

-- name: function_is_volatile(names)$
-- Whether any of these functions is volatile, so that a query calling it is not read-only.
-- retry: idempotent
SELECT count(*) > 0 AS is_volatile
FROM pg_proc AS p
WHERE p.proname = ANY(:names::name[]) AND p.provolatile = 'v';

-- name: prepared_remaining(seconds)^
-- How many transactions of this database were prepared so many seconds ago and have not ended since; and whether it is on
-- a Citus cluster, whose other nodes may have some, too.
-- retry: idempotent
SELECT
    count(*) AS transactions,
    EXISTS(
        SELECT 1 AS found
        FROM pg_extension AS pe
        WHERE pe.extname = 'citus'
    ) AS is_cluster
FROM pg_prepared_xacts AS px
WHERE px.database = current_database() AND px.prepared < clock_timestamp() - make_interval(secs => :seconds::int4);

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

-- name: session_changes(names, texts, identity, jit, statement_timeout)^
-- Whether functions and blocks have changed the session that ran them, and whether they could: by the words of their
-- source, and of what that names. Without such a word the rest is not asked for. A setting that an application has
-- invented is in no view, so it counts where a source sets one for longer than its transaction, or may do so.
WITH RECURSIVE
called AS (
    SELECT
        pp.oid,
        lower(pp.prosrc) AS source
    FROM pg_proc AS pp
    WHERE pp.proname = ANY(:names::name[]) AND pp.pronamespace <> 'pg_catalog'::regnamespace
    UNION
    SELECT
        NULL::oid AS oid,
        lower(given.source) AS source
    FROM unnest(:texts::text[]) AS given (source)
    UNION
    SELECT
        pp.oid,
        lower(pp.prosrc) AS source
    FROM called AS ca
    INNER JOIN pg_proc AS pp ON strpos(ca.source, pp.proname::text) > 0
    WHERE pp.pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
),

risk AS (
    SELECT
        coalesce(
            bool_or(
                ca.source
                ~ '\m(set|set_config|reset|discard|u?n?listen|load|temp|temporary|pg_temp|execute|\w*advisory\w*)\M'
            ),
            false
        ) AS possible,
        coalesce(
            bool_or(
                ca.source ~ 'set_config\s*\([^;]*,\s*(false|''(f|false|off|no|0)''|%\()'
                OR ca.source ~ '\mset\s+(session\s+)?"?\w+"?\."?\w+"?\s*(=|to\M)'
            ),
            false
        ) AS certain
    FROM called AS ca
)

SELECT
    ri.possible,
    CASE
        WHEN ri.certain THEN true
        WHEN ri.possible
            THEN
                session_user || '/' || current_user <> :identity::text
                OR current_setting('jit') <> :jit::text
                OR current_setting('timezone') <> 'UTC'
                OR current_setting('statement_timeout')::interval <> :statement_timeout::text::interval
                OR EXISTS (
                    SELECT
                    FROM pg_settings AS ps
                    WHERE
                        ps.source = 'session'
                        AND ps.name NOT IN ('TimeZone', 'jit', 'statement_timeout')
                        AND NOT starts_with(ps.name, 'transaction_')
                )
                OR EXISTS (SELECT FROM pg_locks AS pl WHERE pl.locktype = 'advisory' AND pl.pid = pg_backend_pid())
                OR EXISTS (SELECT FROM pg_class AS pc WHERE pc.relnamespace = pg_my_temp_schema())
                OR EXISTS (SELECT lc.channel FROM pg_listening_channels() AS lc (channel))
                OR EXISTS (SELECT FROM pg_cursors AS pcu WHERE pcu.is_holdable)
                OR EXISTS (SELECT FROM pg_prepared_statements AS pps WHERE pps.from_sql)
        ELSE false
    END AS changed
FROM risk AS ri;

-- name: session_configure(backend_pid, jit, statement_timeout)^
-- Sets up a new connection, and returns whether a pooler sits between: then another backend answers than the one that
-- greeted us. Settings would leak to the pooler's other clients, so behind one they are left to ALTER ROLE ... SET.
-- Times are read in UTC, where each one that we accept is within Python's range.
-- A server is known by its identifier and its timeline: a standby that is promoted begins another one. Statistics begin
-- anew when a server recovers from a crash.
-- session: keeps
SELECT
    pg_backend_pid() = :backend_pid::int4 AS direct,
    CASE
        WHEN NOT pg_is_in_recovery()
            THEN (
                SELECT cs.system_identifier || ':' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
                FROM pg_control_system() AS cs
            )
    END AS server,
    (SELECT sw.stats_reset::text FROM pg_stat_wal AS sw) AS stats_epoch,
    session_user || '/' || current_user AS identity,
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

-- name: transaction_id()^
-- The id of this transaction if it has changed anything, for transaction_status; and whether the server is of a Citus
-- cluster. What a transaction changes there, it may change on workers alone: then it gets an id here, to be asked for.
SELECT
    CASE
        WHEN current_setting('citus.version', true) IS NULL THEN pg_current_xact_id_if_assigned()
        ELSE pg_current_xact_id()
    END::text AS id,
    current_setting('citus.version', true) IS NOT NULL AS is_cluster;

-- name: transaction_status(transaction)$
-- What has become of a transaction: committed, aborted, in progress, or null when that was long ago.
SELECT pg_xact_status(:transaction::xid8) AS status;

-- name: type_elements(types)
-- Of types that are arrays: what the driver needs to read them element by element. As a text int2vector and oidvector are
-- none.
SELECT
    pa.oid AS array_type,
    pt.oid AS element,
    pt.typdelim::text AS delimiter
FROM pg_type AS pa
INNER JOIN pg_type AS pt ON pa.typelem = pt.oid AND pa.oid = pt.typarray
WHERE pa.oid = ANY(:types::oid[]);
