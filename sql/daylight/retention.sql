-- How long rows are kept, what holds them, and what was archived. Expired rows are set aside first: a partition is
-- detached, rows of other tables are moved, in one transaction, to a table of their own. What is aside does not
-- change any
-- more, so it can be archived, read back and compared before it is dropped; and a legal hold moves rows back.
-- Names cannot be parameters of DDL, so some of these queries return the commands that are then sent.

-- name: archive_begin(table_name, relation_name, since, until, location)!
-- Notes that the rows of a table that was set aside are being archived.
-- retry: idempotent
INSERT INTO daylight.data_archives (table_name, relation_name, since, until, location)
VALUES (
    :table_name::text,
    :relation_name::text,
    :since::timestamptz,
    :until::timestamptz,
    :location::text
)
ON CONFLICT (relation_name) DO NOTHING;

-- name: archive_by_relation(relation_name)^
-- The archive of a table that was set aside.
SELECT
    da.id,
    da.table_name,
    da.relation_name,
    da.since,
    da.until,
    da.location,
    da.status,
    da.row_count,
    da.checksum,
    da.raw_bytes,
    da.stored_bytes,
    da.created_at,
    da.completed_at
FROM daylight.data_archives AS da
WHERE da.relation_name = :relation_name::text;

-- name: archive_complete()
-- Archives whose rows are in no table any more: what was set aside and proved has been dropped.
-- accept: NOT-HOT once in the life of an archive
UPDATE daylight.data_archives AS da
SET status = 'completed', completed_at = CURRENT_TIMESTAMP
WHERE da.status = 'stored' AND to_regclass(da.relation_name) IS NULL
RETURNING da.table_name, da.row_count, da.location;

-- name: archive_list(table_name, since, until)
-- Proved archives with rows of a table between two moments, oldest first.
-- accept: SEQ-SCAN an operator's question, of 200,000 rows at the most
SELECT
    da.id,
    da.table_name,
    da.relation_name,
    da.since,
    da.until,
    da.location,
    da.status,
    da.row_count,
    da.checksum,
    da.raw_bytes,
    da.stored_bytes,
    da.created_at,
    da.completed_at
FROM daylight.data_archives AS da
WHERE
    (:table_name::text IS NULL OR da.table_name = :table_name::text)
    AND da.status <> 'pending'
    AND da.until > COALESCE(:since::timestamptz, '-infinity')
    AND COALESCE(da.since, '-infinity') < COALESCE(:until::timestamptz, 'infinity')
ORDER BY da.table_name, da.until, da.id;

-- name: archive_stored(relation_name, row_count, checksum, raw_bytes, stored_bytes)!
-- Notes that an archive was read back and is what was written.
-- accept: NOT-HOT once in the life of an archive
-- retry: idempotent
UPDATE daylight.data_archives AS da
SET
    status = 'stored',
    row_count = :row_count::bigint,
    checksum = :checksum::text,
    raw_bytes = :raw_bytes::bigint,
    stored_bytes = :stored_bytes::bigint
WHERE da.relation_name = :relation_name::text AND da.status <> 'completed';

-- name: archive_totals()
-- How much of each table is archived.
-- accept: SEQ-SCAN an operator's question, of 200,000 rows at the most
SELECT
    da.table_name,
    count(*) AS archives,
    sum(da.row_count)::bigint AS archived_rows,
    sum(da.stored_bytes)::bigint AS stored_bytes
FROM daylight.data_archives AS da
WHERE da.status <> 'pending'
GROUP BY da.table_name
ORDER BY da.table_name;

-- name: hold_insert(table_name, reason, user_id, since, until)<!
-- Places a hold.
INSERT INTO daylight.legal_holds (table_name, reason, user_id, since, until)
VALUES (
    :table_name::text,
    :reason::text,
    :user_id::text,
    :since::timestamptz,
    :until::timestamptz
)
RETURNING id, table_name, reason, user_id, since, until, placed_at, released_at;

-- name: hold_list()
-- Holds that are not released, oldest first.
SELECT
    lh.id,
    lh.table_name,
    lh.reason,
    lh.user_id,
    lh.since,
    lh.until,
    lh.placed_at,
    lh.released_at
FROM daylight.legal_holds AS lh
WHERE lh.released_at IS NULL
ORDER BY lh.id
LIMIT 10000;

-- name: hold_release(hold_id)!
-- Releases a hold.
UPDATE daylight.legal_holds AS lh
SET released_at = CURRENT_TIMESTAMP
WHERE lh.id = :hold_id::bigint AND lh.released_at IS NULL;

-- name: policy_list()
-- How long each table is kept.
SELECT
    rp.table_name,
    rp.tier,
    rp.keep_days,
    rp.archive,
    rp.storage_class,
    rp.enabled
FROM daylight.retention_policies AS rp
ORDER BY array_position(ARRAY['hot', 'warm', 'cold'], rp.tier), rp.table_name;

-- name: policy_update(table_name, keep_days, archive, storage_class, enabled)<!
-- Changes what is given of a table's policy.
-- retry: idempotent
UPDATE daylight.retention_policies AS rp
SET
    keep_days = COALESCE(:keep_days::bigint, rp.keep_days),
    archive = COALESCE(:archive::boolean, rp.archive),
    storage_class = COALESCE(:storage_class::text, rp.storage_class),
    enabled = COALESCE(:enabled::boolean, rp.enabled),
    updated_at = CURRENT_TIMESTAMP
WHERE rp.table_name = :table_name::text
RETURNING rp.table_name, rp.tier, rp.keep_days, rp.archive, rp.storage_class, rp.enabled;

-- name: retention_aside(table_name)
-- What was set aside of a table and is still there, oldest first. Its comment says so, as that of a partition which
-- surf-data maintain has detached.
SELECT
    format('%I.%I', pn.nspname, pc.relname) AS relation_name,
    nullif(substring(pd.description FROM ', from (.*) to '), '-infinity')::timestamptz AS since,
    COALESCE(substring(pd.description FROM ' to (.*)$')::timestamptz, CURRENT_TIMESTAMP) AS until
FROM pg_description AS pd
INNER JOIN pg_class AS pc ON pd.objoid = pc.oid
INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
WHERE
    pd.classoid = 'pg_class'::regclass
    AND pd.objsubid = 0
    AND pc.relkind = 'r'
    AND NOT pc.relispartition
    AND starts_with(pd.description, format('expired partition of daylight.%I, from ', :table_name::text))
ORDER BY until, relation_name;

-- name: retention_commands(table_name, relation_name, time_column, owner_column, before, batch)^
-- The commands for a table and what is set aside of it. Rows are expired when they are from before a moment and
-- neither a legal hold nor a row of another table refers to them, unless such rows go with them by ON DELETE CASCADE.
-- Holds are read first, for a cluster has them elsewhere.
WITH target AS (
    SELECT
        pc.oid,
        format('daylight.%I', pc.relname) AS name,
        string_agg(quote_ident(pa.attname), ', ' ORDER BY pa.attnum) AS columns,
        array_agg(pa.attname::text ORDER BY pa.attnum) AS names
    FROM pg_class AS pc
    INNER JOIN pg_attribute AS pa ON pc.oid = pa.attrelid
    WHERE
        pc.oid = to_regclass(format('daylight.%I', :table_name::text))
        AND pa.attnum > 0
        AND NOT pa.attisdropped
        AND pa.attgenerated = ''
    GROUP BY pc.oid, pc.relname
),

kept AS (
    SELECT
        t.oid,
        t.name,
        t.columns,
        t.names,
        format(
            'hold AS MATERIALIZED (SELECT h.user_id, h.since, h.until FROM daylight.legal_holds AS h '
            'WHERE h.released_at IS NULL AND (h.table_name IS NULL OR h.table_name = %L))',
            :table_name::text
        ) AS holds,
        format(
            'EXISTS (SELECT FROM hold AS h WHERE (h.user_id IS NULL%s) '
            'AND (h.since IS NULL OR t.%I >= h.since) AND (h.until IS NULL OR t.%I < h.until))',
            CASE WHEN :owner_column::text IS NOT NULL THEN format(' OR h.user_id = t.%I', :owner_column::text) END,
            :time_column::text,
            :time_column::text
        ) AS held,
        COALESCE(
            (
                SELECT
                    string_agg(
                        format(
                            ' AND NOT EXISTS (SELECT FROM %s AS r WHERE r.%I = t.%I)',
                            pco.conrelid::regclass,
                            paf.attname,
                            pat.attname
                        ),
                        ''
                        ORDER BY pco.conname
                    )
                FROM pg_constraint AS pco
                INNER JOIN pg_attribute AS paf ON pco.conrelid = paf.attrelid AND pco.conkey[1] = paf.attnum
                INNER JOIN pg_attribute AS pat ON pco.confrelid = pat.attrelid AND pco.confkey[1] = pat.attnum
                WHERE pco.contype = 'f' AND pco.confrelid = t.oid AND pco.conparentid = 0 AND pco.confdeltype <> 'c'
            ),
            ''
        ) AS unreferenced,
        format('daylight.%I', :table_name::text || '_expired_' || to_char(clock_timestamp(), 'YYMMDDHH24MISSUS'))
            AS aside
    FROM target AS t
)

SELECT
    k.names AS columns,
    k.aside AS aside_name,
    ARRAY[
        format('CREATE TABLE %s (LIKE %s INCLUDING GENERATED)', k.aside, k.name),
        format('ALTER TABLE %s OWNER TO surf_daylight_owner', k.aside),
        format(
            'WITH %9$s, moved AS (DELETE FROM %1$s WHERE ctid = ANY(ARRAY(SELECT t.ctid FROM %1$s AS t '
            'WHERE t.%2$I < %3$L AND NOT %4$s%5$s ORDER BY t.%2$I LIMIT %6$s FOR UPDATE SKIP LOCKED)) RETURNING %7$s) '
            'INSERT INTO %8$s (%7$s) SELECT %7$s FROM moved',
            k.name,
            :time_column::text,
            :before::timestamptz,
            k.held,
            k.unreferenced,
            :batch::bigint,
            k.columns,
            k.aside,
            k.holds
        ),
        format(
            'COMMENT ON TABLE %s IS %L',
            k.aside,
            format('expired partition of %s, from -infinity to %s', k.name, :before::timestamptz)
        )
    ] AS aside_commands,
    format(
        'WITH %7$s DELETE FROM %1$s WHERE ctid = ANY(ARRAY(SELECT t.ctid FROM %1$s AS t '
        'WHERE t.%2$I < %3$L AND NOT %4$s%5$s ORDER BY t.%2$I LIMIT %6$s FOR UPDATE SKIP LOCKED))',
        k.name,
        :time_column::text,
        :before::timestamptz,
        k.held,
        k.unreferenced,
        :batch::bigint,
        k.holds
    ) AS delete_command,
    format(
        'WITH %6$s SELECT count(*), min(t.%1$I) FROM %2$s AS t WHERE t.%1$I < %3$L AND NOT %4$s%5$s',
        :time_column::text,
        k.name,
        :before::timestamptz,
        k.held,
        k.unreferenced,
        k.holds
    ) AS count_command,
    format('WITH %s SELECT count(*) FROM %s AS t WHERE %s', k.holds, :relation_name::text, k.held) AS held_command,
    format(
        'WITH %5$s, back AS (DELETE FROM %1$s AS t WHERE %2$s RETURNING %3$s) '
        'INSERT INTO %4$s (%3$s) SELECT %3$s FROM back',
        :relation_name::text,
        k.held,
        k.columns,
        k.name,
        k.holds
    ) AS back_command,
    format('COPY (SELECT %s FROM %s) TO STDOUT (FORMAT csv, HEADER true)', k.columns, :relation_name::text)
        AS copy_command,
    format('SELECT count(*) FROM %s', :relation_name::text) AS rows_command,
    format('DROP TABLE %s', :relation_name::text) AS drop_command
FROM kept AS k
ORDER BY k.name
LIMIT 1;

-- name: retention_configure()$
-- Has values written as text mean the same in every session: CSV is text.
-- session: keeps
SELECT
    set_config('timezone', 'UTC', false)
    || set_config('datestyle', 'ISO', false)
    || set_config('extra_float_digits', '1', false)
    || set_config('bytea_output', 'hex', false)
    || set_config('synchronize_seqscans', 'off', false)
    || set_config('lock_timeout', '3s', false)
    || set_config('daylight.expiring', 'on', false) AS settings;

-- name: retention_last_run()^
-- The newest run.
SELECT
    rl.id,
    rl.started_at,
    rl.ended_at,
    rl.summary
FROM daylight.retention_logs AS rl
ORDER BY rl.ended_at DESC, rl.id DESC
LIMIT 1;

-- name: retention_lock()$
-- Lets one run at a time of this database set rows aside and drop them; null when another one is under way.
-- session: keeps
SELECT pg_try_advisory_lock(hashtextextended('daylight.retention', 0)) AS is_first;

-- name: retention_unlock()$
-- Lets another run begin, at once and not only when the connection is gone.
-- session: keeps
SELECT pg_advisory_unlock(hashtextextended('daylight.retention', 0)) AS was_locked;

-- name: retention_log_insert(started_at, summary)!
-- Notes what a run did.
INSERT INTO daylight.retention_logs (started_at, summary)
VALUES (:started_at::timestamptz, :summary::jsonb);

-- name: retention_days_ago(days)$
-- The moment so many days of 24 hours ago by the server's clock: that of another machine, if it is wrong, would have rows
-- expire early.
SELECT CURRENT_TIMESTAMP - coalesce(:days::int4, 0) * interval '24 hours' AS moment;

-- name: retention_drop_lock()$
-- Waits until no table that was set aside is between its last look for holds and its end.
-- session: keeps
SELECT pg_advisory_lock(hashtextextended('daylight.retention.drop', 0))::text AS locked;

-- name: retention_drop_unlock()$
-- Lets holds be placed again.
-- session: keeps
SELECT pg_advisory_unlock(hashtextextended('daylight.retention.drop', 0)) AS was_locked;

-- name: retention_drop_wait()$
-- In a transaction: waits until what is being dropped is gone.
SELECT pg_advisory_xact_lock_shared(hashtextextended('daylight.retention.drop', 0))::text AS waited;

-- name: retention_restore_commands(table_name, columns, stamp)^
-- The commands that restore rows of a table into a table of their own, which is never the live one.
SELECT
    format('daylight_restored.%I', :table_name::text || '_' || :stamp::text) AS name,
    format(
        'CREATE TABLE daylight_restored.%1$I AS SELECT %2$s FROM daylight.%3$I WITH NO DATA',
        :table_name::text || '_' || :stamp::text,
        string_agg(quote_ident(c.name), ', ' ORDER BY c.position),
        :table_name::text
    ) AS create_command,
    format(
        'COPY daylight_restored.%I (%s) FROM STDIN (FORMAT csv, HEADER match)',
        :table_name::text || '_' || :stamp::text,
        string_agg(quote_ident(c.name), ', ' ORDER BY c.position)
    ) AS copy_command,
    format(
        'COPY (SELECT %s FROM daylight_restored.%I) TO STDOUT (FORMAT csv, HEADER true)',
        string_agg(quote_ident(c.name), ', ' ORDER BY c.position),
        :table_name::text || '_' || :stamp::text
    ) AS export_command
FROM unnest(:columns::text[]) WITH ORDINALITY AS c (name, position);
