-- What CREATE INDEX CONCURRENTLY leaves when it is cut short: an index that is kept up to date and never used.

-- name: index_state(index_name, table_name)^
-- How the index of a statement stands, by its name as written there: in the schema of its table, or found by itself.
-- It has no row while there is no such index. A backend that is just building it is not to be disturbed; which index
-- another role's backend builds is shown to few, but everybody sees which table it has locked for it.
-- accept: ONE-OF-MANY the name leads to one index, and of the backends that may be building it any will do
SELECT
    pn.nspname AS schema_name,
    pc.relname AS index_name,
    pp.pid AS builder,
    pi.indisvalid AND pi.indisready AS valid
FROM pg_index AS pi
INNER JOIN pg_class AS pc ON pi.indexrelid = pc.oid
INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
LEFT JOIN pg_stat_progress_create_index AS pp
    ON
        pi.indexrelid = pp.index_relid
        OR pp.index_relid IS NULL
        AND EXISTS (
            SELECT
            FROM pg_locks AS pl
            INNER JOIN pg_database AS pd ON pl.database = pd.oid
            WHERE
                pl.pid = pp.pid
                AND pd.datname = current_database()
                AND pl.relation = pi.indrelid
                AND pl.mode = 'ShareUpdateExclusiveLock'
                AND pl.granted
        )
WHERE
    CASE
        WHEN :table_name::text IS NULL THEN pi.indexrelid = to_regclass(:index_name::text)
        ELSE
            pi.indrelid = to_regclass(:table_name::text)
            AND pc.relname = (parse_ident(:index_name::text))[1]::name
    END;
