-- Which migrations have been applied: one row for each, in one table for all domains.

-- name: history_columns()$
-- The columns of the table, in order; null while there is no such table.
-- The runner asks before it reads or creates: the name may be taken by another tool's table.
SELECT array_agg(pa.attname::text ORDER BY pa.attnum) AS columns
FROM pg_attribute AS pa
WHERE
    pa.attrelid = to_regclass('schema_migrations')
    AND pa.attnum > 0
    AND NOT pa.attisdropped;

-- name: history_create()#
-- Creates the table. The checksum is SHA-256 over the file with its newlines normalised, in hexadecimal.
CREATE TABLE schema_migrations (
    domain text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    duration interval NOT NULL,
    PRIMARY KEY (domain, number)
);

-- name: history_insert(domain, number, name, checksum, duration)!
-- Records that a migration was applied, in the transaction that applied it.
INSERT INTO schema_migrations (domain, number, name, checksum, duration)
VALUES (:domain::text, :number::integer, :name::text, :checksum::text, :duration::interval);

-- name: history_list(domain)
-- What has been applied of one domain, in order.
SELECT
    sm.number,
    sm.name,
    sm.checksum,
    sm.applied_at,
    sm.duration
FROM schema_migrations AS sm
WHERE sm.domain = :domain::text
ORDER BY sm.number;
