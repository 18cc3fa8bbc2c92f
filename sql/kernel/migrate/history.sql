-- Which migrations have been applied: one row for each, in one table for all domains.

-- name: history_advance(domain, number, duration)!
-- Records that the next statement of an unfinished section is done.
UPDATE schema_migrations AS sm
SET
    statements_done = sm.statements_done + 1,
    begun_at = NULL,
    duration = sm.duration + :duration::interval
WHERE sm.domain = :domain::text AND sm.number = :number::integer;

-- name: history_baseline(domain, number, name, checksum)!
-- Records a migration as applied that was not run: the database had what it makes.
INSERT INTO schema_migrations (domain, number, name, checksum, applied_at, duration)
VALUES (:domain::text, :number::integer, :name::text, :checksum::text, clock_timestamp(), '0');

-- name: history_create()#
-- Creates the table. The checksum is SHA-256 over the file with its newlines normalized, in hexadecimal.
-- A section without a transaction is unfinished until its last statement is done, and says how many are; begun_at is
-- set while one is under way that could not run in a transaction together with its record.
CREATE TABLE schema_migrations (
    domain text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    applied_at timestamptz,
    duration interval NOT NULL,
    unfinished text CHECK (unfinished IN ('up', 'down')),
    statements_done integer NOT NULL DEFAULT 0,
    begun_at timestamptz,
    PRIMARY KEY (domain, number),
    CHECK (applied_at IS NOT NULL OR unfinished IS NOT NULL)
);

-- name: history_delete(domain, number)!
-- Records that a migration was reverted.
DELETE FROM schema_migrations AS sm
WHERE sm.domain = :domain::text AND sm.number = :number::integer;

-- name: history_forget(domain)!
-- Forgets a domain: what its migrations made was dropped.
DELETE FROM schema_migrations AS sm
WHERE sm.domain = :domain::text;

-- name: history_find()
-- All tables that have its name, with their columns in order, and whether the search path leads to it. The runner asks
-- before it reads or creates: the path may have changed, and the name may be taken by another tool's table.
SELECT
    pn.nspname::text AS schema_name,
    coalesce(pc.oid = to_regclass('schema_migrations'), false) AS on_path,
    array(
        SELECT pa.attname::text
        FROM pg_attribute AS pa
        WHERE pa.attrelid = pc.oid AND pa.attnum > 0 AND NOT pa.attisdropped
        ORDER BY pa.attnum
    ) AS columns
FROM pg_class AS pc
INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
WHERE pc.relname = 'schema_migrations' AND pc.relkind IN ('r', 'p') AND NOT starts_with(pn.nspname::text, 'pg_temp')
ORDER BY pn.nspname;

-- name: history_finish(domain, number, name, checksum, duration)!
-- Records that a migration was applied, in the transaction that applied it, or its last statement.
INSERT INTO schema_migrations AS sm (domain, number, name, checksum, applied_at, duration)
VALUES (:domain::text, :number::integer, :name::text, :checksum::text, clock_timestamp(), :duration::interval)
ON CONFLICT (domain, number) DO UPDATE
    SET
        applied_at = excluded.applied_at,
        duration = sm.duration + excluded.duration,
        unfinished = NULL,
        statements_done = 0,
        begun_at = NULL;

-- name: history_list(domain)
-- What has been applied of one domain, in order.
SELECT
    sm.number,
    sm.name,
    sm.checksum,
    sm.applied_at,
    sm.duration,
    sm.unfinished,
    sm.statements_done,
    sm.begun_at
FROM schema_migrations AS sm
WHERE sm.domain = :domain::text
ORDER BY sm.number;

-- name: history_mark(domain, number, begun)!
-- Records that the next statement begins outside a transaction, or that it has failed and left nothing.
UPDATE schema_migrations AS sm
SET begun_at = CASE WHEN :begun::boolean THEN clock_timestamp() END
WHERE sm.domain = :domain::text AND sm.number = :number::integer;

-- name: history_path()^
-- Where new tables go, and whether that is meant for this session alone: said by the client, or said of its role with
-- nothing there yet. A migration changes the path of a role or a database as well, after it has created something.
SELECT
    current_schema()::text AS schema_name,
    EXISTS(
        SELECT 1 FROM pg_settings AS ps
        WHERE ps.name = 'search_path' AND (
                ps.source IN ('client', 'session') OR (
                    ps.source IN ('user', 'database user')
                    AND NOT EXISTS (
                        SELECT 1 FROM pg_class AS pc
                        INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
                        WHERE pn.nspname = current_schema()
                    )
                )
            )
    ) AS is_own;

-- name: history_repair(domain, number, name, checksum)!
-- Accepts a file as it is now.
UPDATE schema_migrations AS sm
SET name = :name::text, checksum = :checksum::text
WHERE sm.domain = :domain::text AND sm.number = :number::integer;

-- name: history_start(domain, number, name, checksum, direction)!
-- Records that a section without a transaction begins.
INSERT INTO schema_migrations (domain, number, name, checksum, duration, unfinished)
VALUES (:domain::text, :number::integer, :name::text, :checksum::text, '0', :direction::text)
ON CONFLICT (domain, number) DO UPDATE
    SET unfinished = excluded.unfinished, statements_done = 0, begun_at = NULL;

-- name: history_use(schema)$
-- Has the name lead to the table in a schema, for the rest of the transaction.
SELECT set_config('search_path', quote_ident(:schema::text) || ', ' || current_setting('search_path'), true) AS path;
