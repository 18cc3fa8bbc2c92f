-- Figures for operators.

-- name: statistics_tables()
-- The tables of the schema, in the order of their names: how many rows the server believes them to have, and their bytes
-- with indexes. A table in partitions is the sum of them.
SELECT
    parent.relname::text AS table_name,
    sum(st.n_live_tup)::int8 AS live_rows,
    sum(pg_total_relation_size(st.relid))::int8 AS total_bytes
FROM pg_stat_user_tables AS st
LEFT JOIN pg_inherits AS pi ON st.relid = pi.inhrelid
INNER JOIN pg_class AS parent ON coalesce(pi.inhparent, st.relid) = parent.oid
WHERE st.schemaname = 'screenshot'
GROUP BY parent.relname
ORDER BY parent.relname;
