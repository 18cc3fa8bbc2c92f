-- Expired rows of a table without partitions. Its name cannot be a parameter, so this query returns the commands.

-- name: days_ago(days)$
-- The moment so many days of 24 hours ago by the server's clock: that of another machine, if it is wrong, would have rows
-- expire early.
SELECT CURRENT_TIMESTAMP - coalesce(:days::int4, 0) * interval '24 hours' AS moment;

-- name: row_expired(table_name, time_column, before, batch)^
-- The statements that count the rows of a table from before a moment, and delete a batch of them, oldest first; no row
-- when there is no such table with such a column. A row that another transaction holds is left to the next run, so that
-- neither waits for the other. Of a table on a Citus cluster, which has a trigger of its own, all go at once: a place in a
-- shard is none in the others.
SELECT
    format('SELECT count(*) FROM %s WHERE %I < %L', named.table_name, pa.attname, :before::timestamptz)
        AS count_command,
    format(
        CASE
            WHEN
                EXISTS (
                    SELECT 1 AS found
                    FROM pg_trigger AS pt
                    INNER JOIN pg_proc AS pp ON pt.tgfoid = pp.oid
                    WHERE pt.tgrelid = pc.oid AND pp.proname = 'citus_truncate_trigger'
                )
                THEN 'DELETE FROM %1$s WHERE %2$I < %3$L'
            ELSE
                'DELETE FROM %1$s WHERE ctid = ANY(ARRAY('
                'SELECT ctid FROM %1$s WHERE %2$I < %3$L ORDER BY %2$I LIMIT %4$s FOR UPDATE SKIP LOCKED))'
        END,
        named.table_name,
        pa.attname,
        :before::timestamptz,
        :batch::int4
    ) AS delete_command
FROM pg_class AS pc
INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
INNER JOIN pg_attribute AS pa ON pc.oid = pa.attrelid
CROSS JOIN LATERAL (VALUES (format('%I.%I', pn.nspname, pc.relname))) AS named (table_name)
WHERE
    pc.oid = to_regclass(:table_name::text)
    AND pc.relkind = 'r'
    AND pa.attname = :time_column::text
    AND pa.atttypid = 'timestamptz'::regtype
    AND NOT pa.attisdropped;
