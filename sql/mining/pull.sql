-- What callers of pull_data_from_table get: the catalogue that their columns are checked against, and the guard of the
-- statements that they compose.

-- name: pull_columns()
-- The columns of the views that this role may read, by view, with PostgreSQL's names for their types.
SELECT
    pc.relname::text AS view_name,
    pa.attname::text AS column_name,
    pt.typname::text AS type_name
FROM pg_catalog.pg_class AS pc
INNER JOIN pg_catalog.pg_namespace AS pn ON pc.relnamespace = pn.oid
INNER JOIN pg_catalog.pg_attribute AS pa ON pc.oid = pa.attrelid
INNER JOIN pg_catalog.pg_type AS pt ON pa.atttypid = pt.oid
WHERE
    pn.nspname = 'dx'
    AND pc.relkind = 'v'
    AND pa.attnum > 0
    AND NOT pa.attisdropped
    AND has_table_privilege(pc.oid, 'SELECT')
ORDER BY pc.relname, pa.attnum;

-- name: pull_guard(statement_timeout)^
-- Until the end of the transaction or savepoint, makes it read-only, with the rights of surf_mining_pull, on the views
-- of dx, for so many milliseconds. The one who ends it must roll back: a released savepoint would leave all of this on.
SELECT
    set_config('transaction_read_only', 'on', true) AS transaction_read_only,
    set_config('search_path', 'dx, pg_temp', true) AS search_path,
    set_config('statement_timeout', :statement_timeout::text, true) AS statement_timeout,
    set_config('role', 'surf_mining_pull', true) AS role;
