-- What a statement does to tables, as the server itself sees it.

-- name: locks_held()
-- The locks on relations that this session holds.
SELECT
    pl.relation::bigint AS relation,
    pl.mode
FROM pg_locks AS pl
WHERE
    pl.pid = pg_backend_pid()
    AND pl.locktype = 'relation'
    AND pl.database = (
        SELECT pd.oid
        FROM pg_database AS pd
        WHERE pd.datname = current_database()
    )
    AND pl.granted;

-- name: locks_relations()
-- Tables and indexes with what changes when they are written anew, read from end to end, vacuumed or detached.
SELECT
    pc.relkind::text AS kind,
    pn.nspname::text AS schema_name,
    pc.relname::text AS relation_name,
    pc.oid::bigint AS relation,
    pin.inhparent::bigint AS parent,
    format('%I.%I', pn.nspname, pc.relname) AS name,
    coalesce(pi.indrelid, pc.oid)::bigint AS table_relation,
    pg_relation_filenode(pc.oid)::bigint AS file,
    pg_stat_get_xact_numscans(pc.oid) AS scans,
    pg_stat_get_vacuum_count(pc.oid) AS vacuums
FROM pg_class AS pc
INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
LEFT JOIN pg_index AS pi ON pc.oid = pi.indexrelid
LEFT JOIN pg_inherits AS pin ON pc.oid = pin.inhrelid AND pc.relispartition
WHERE
    pc.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'i', 'I')
    AND NOT starts_with(pn.nspname::text, 'pg_')
    AND pn.nspname <> 'information_schema';

-- name: locks_scan(scans)^
-- Lets the planner read tables from end to end as it likes (on), or only where no index can serve (off): without rows
-- it likes to. An index that is read in the table's stead would be read from end to end, too.
SELECT
    set_config('enable_seqscan', :scans::text, true) AS enable_seqscan,
    set_config('enable_indexonlyscan', :scans::text, true) AS enable_indexonlyscan;
