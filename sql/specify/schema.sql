-- The schema as the server has it.

-- name: schema_columns()
-- The tables of the schema specify, without their partitions, and their columns.
SELECT
    pc.relname::text AS table_name,
    pa.attname::text AS column_name
FROM pg_class AS pc
INNER JOIN pg_attribute AS pa ON pc.oid = pa.attrelid
WHERE
    pc.relnamespace = to_regnamespace('specify')
    AND pc.relkind IN ('r', 'p')
    AND NOT pc.relispartition
    AND pa.attnum > 0
    AND NOT pa.attisdropped
ORDER BY pc.relname, pa.attnum;
