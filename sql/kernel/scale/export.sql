-- What a running server tells of its size: figures about tables and columns, never a value from them.

-- name: export_column_list()
-- Columns with what ANALYZE found out about them, where it did and the role may know.
-- pg_stats also has the most frequent values and the bounds of histograms; neither is asked for.
SELECT
    pn.nspname::text AS schema,
    pc.relname::text AS relation,
    pa.attname::text AS name,
    ps.n_distinct::float8 AS distinct_values,
    ps.null_frac::float8 AS nulls,
    ps.avg_width AS width,
    ps.correlation::float8 AS correlation
FROM pg_catalog.pg_attribute AS pa
INNER JOIN pg_catalog.pg_class AS pc ON pa.attrelid = pc.oid
INNER JOIN pg_catalog.pg_namespace AS pn ON pc.relnamespace = pn.oid
LEFT JOIN pg_catalog.pg_stats AS ps
    ON
        pn.nspname = ps.schemaname
        AND pc.relname = ps.tablename
        AND pa.attname = ps.attname
        -- What is inherited is noted with a table of partitions; others have rows of their own.
        AND ps.inherited = (pc.relkind = 'p')
WHERE pc.relkind IN ('r', 'p', 'm') AND pa.attnum > 0 AND NOT pa.attisdropped
ORDER BY pn.nspname, pc.relname, pa.attnum;

-- name: export_read_only()$
-- Lets the session begin no transaction that could change anything.
-- session: keeps
SELECT set_config('default_transaction_read_only', 'on', false) AS value;

-- name: export_table_list()
-- Tables with their size, as VACUUM or ANALYZE last found it; -1 rows where they never looked.
SELECT
    pn.nspname::text AS schema,
    pc.relname::text AS name,
    pc.reltuples::float8 AS rows,
    pc.relpages AS pages,
    pc.relallvisible AS visible,
    pc.relkind = 'p' AS is_partitioned,
    coalesce(pg_catalog.pg_table_is_visible(pc.oid), false) AS is_visible
FROM pg_catalog.pg_class AS pc
INNER JOIN pg_catalog.pg_namespace AS pn ON pc.relnamespace = pn.oid
WHERE
    pc.relkind IN ('r', 'p', 'm')
    AND pc.relpersistence <> 't'
    AND NOT starts_with(pn.nspname, 'pg_')
    AND pn.nspname <> 'information_schema'
ORDER BY pn.nspname, pc.relname;
