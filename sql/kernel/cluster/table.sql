-- What of tables decides whether they can be spread, and in which order: PostgreSQL's own catalogs.

-- name: table_child_list(relations)
-- The tables that refer to one of some tables by a foreign key, themselves no partitions.
SELECT DISTINCT pk.conrelid AS relation
FROM pg_constraint AS pk
INNER JOIN pg_class AS pc ON pk.conrelid = pc.oid
WHERE pk.contype = 'f' AND pk.confrelid = ANY(:relations::oid[]) AND NOT pc.relispartition
ORDER BY pk.conrelid;

-- name: table_find(name)$
-- The table of a name; null where there is none.
SELECT pc.oid AS relation
FROM pg_class AS pc
WHERE pc.oid = to_regclass(:name::text) AND pc.relkind IN ('r', 'p') AND NOT pc.relispartition;

-- name: table_obstacle_list(relations, distribution_columns)
-- What keeps tables from being spread: unique indexes without the column that decides the shard, and triggers.
-- An empty text stands for the column of a table that is to be whole on each node.
SELECT
    pi.indrelid AS relation,
    'index' AS kind,
    pc.relname::text AS name
FROM unnest(:relations::oid[], :distribution_columns::text[]) AS w (relation, distribution_column)
INNER JOIN pg_index AS pi ON w.relation = pi.indrelid
INNER JOIN pg_class AS pc ON pi.indexrelid = pc.oid
LEFT JOIN pg_attribute AS pa
    ON
        pi.indrelid = pa.attrelid
        AND w.distribution_column = pa.attname
        AND array_position(pi.indkey::int2[], pa.attnum) < pi.indnkeyatts
WHERE (pi.indisunique OR pi.indisexclusion) AND w.distribution_column <> '' AND pa.attnum IS NULL
UNION ALL
SELECT
    pt.tgrelid AS relation,
    'trigger' AS kind,
    pt.tgname::text AS name
FROM pg_trigger AS pt
WHERE pt.tgrelid = ANY(:relations::oid[]) AND NOT pt.tgisinternal
ORDER BY relation, kind, name;

-- name: table_reference_list(relations)
-- Which of some tables refer to others of them by foreign keys.
SELECT DISTINCT
    pk.conrelid AS relation,
    pk.confrelid AS parent
FROM pg_constraint AS pk
WHERE
    pk.contype = 'f'
    AND pk.conrelid <> pk.confrelid
    AND pk.conrelid = ANY(:relations::oid[])
    AND pk.confrelid = ANY(:relations::oid[]);
