-- Partitions by month, week or day of a table with a column of type timestamptz. A name and a bound cannot be
-- parameters of DDL, so these queries return the commands that the maintenance then sends. Periods are those of UTC,
-- weeks begin on Monday.

-- name: partition_configure()$
-- Has periods begin where those of UTC do, and times in commands and comments mean what they say.
-- session: keeps
SELECT
    set_config('timezone', 'UTC', false) AS time_zone,
    set_config('datestyle', 'ISO', false) AS date_style;

-- name: partition_default(table_name, time_column, unit)$
-- The statement that counts the rows of a table's default partition, and lists their periods; null when the table is
-- not one that can be maintained.
SELECT
    format(
        'SELECT count(*), array_agg(DISTINCT date_trunc(%L, %I AT TIME ZONE ''UTC'')::text) FROM %s',
        :unit::text,
        pa.attname,
        pp.partdefid::regclass
    ) AS count_command
FROM pg_partitioned_table AS pp
INNER JOIN pg_attribute AS pa ON pp.partrelid = pa.attrelid AND pp.partattrs[0] = pa.attnum
WHERE
    pp.partrelid = to_regclass(:table_name::text)
    AND pp.partstrat = 'r'
    AND pp.partnatts = 1
    AND pp.partdefid <> 0
    AND pa.attname = :time_column::text
    AND pa.atttypid = 'timestamptz'::regtype;

-- name: partition_detached(table_name)
-- The partitions that were detached from a table to be archived, and are still there, oldest first. Their comment says
-- so: there is nothing else that a later run, or an operator, could know them by.
SELECT
    found.name,
    nullif(substring(found.note FROM ', from (.*) to '), '-infinity')::timestamptz AS begins_at,
    coalesce(substring(found.note FROM ' to (.*)$')::timestamptz, CURRENT_TIMESTAMP) AS ends_at,
    format('DROP TABLE %s', found.name) AS drop_command
FROM pg_class AS parent
INNER JOIN pg_namespace AS pnp ON parent.relnamespace = pnp.oid
CROSS JOIN
    LATERAL (
        SELECT
            pd.description AS note,
            format('%I.%I', pn.nspname, pc.relname) AS name
        FROM pg_description AS pd
        INNER JOIN pg_class AS pc ON pd.objoid = pc.oid
        INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
        WHERE
            pd.classoid = 'pg_class'::regclass
            AND pd.objsubid = 0
            AND pc.relkind = 'r'
            AND NOT pc.relispartition
            AND starts_with(pd.description, format('expired partition of %I.%I, from ', pnp.nspname, parent.relname))
    ) AS found
WHERE parent.oid = to_regclass(:table_name::text)
ORDER BY ends_at, found.name;

-- name: partition_expired(table_name, before, batch, on_drop)
-- Where a table has rows from before a moment. Partitions that end by then can be dropped, or detached, under another
-- name, so that a late row can have a partition again. Those that have no begin, and the default partition, may have
-- younger rows, too; there old ones are deleted, so many at a time, or on a Citus cluster at once. Triggers do not fire for what is dropped, so a
-- function may be named that is called with the time up to which rows are gone; before they are, because no session can
-- read the table from the begin of the drop to the end of the transaction.
SELECT
    part.name,
    bound.begins_at,
    bound.ends_at,
    coalesce(bound.ends_at <= :before::timestamptz, false) AS is_over,
    coalesce(
        array_remove(ARRAY[call.command, format('DROP TABLE %s', part.name)], NULL), ARRAY[]::text[]
    ) AS drop_commands,
    coalesce(
        array_remove(
            ARRAY[
                call.command,
                format('ALTER TABLE %s DETACH PARTITION %s', parent.name, part.name),
                format('ALTER TABLE %s RENAME TO %I', part.name, aside.name),
                format(
                    'COMMENT ON TABLE %I.%I IS %L',
                    pn.nspname,
                    aside.name,
                    format(
                        'expired partition of %s, from %s to %s',
                        parent.name,
                        coalesce(bound.begins_at, '-infinity'),
                        bound.ends_at
                    )
                )
            ],
            NULL
        ),
        ARRAY[]::text[]
    ) AS detach_commands,
    format('SELECT count(*) FROM ONLY %s WHERE %I < %L', part.name, pa.attname, :before::timestamptz) AS count_command,
    format(
        CASE
            WHEN
                EXISTS (
                    SELECT 1 AS found
                    FROM pg_trigger AS pt
                    INNER JOIN pg_proc AS ppt ON pt.tgfoid = ppt.oid
                    WHERE pt.tgrelid = pc.oid AND ppt.proname = 'citus_truncate_trigger'
                )
                THEN 'DELETE FROM %1$s WHERE %2$I < %3$L'
            ELSE
                'DELETE FROM ONLY %1$s WHERE ctid = ANY('
                'ARRAY(SELECT ctid FROM ONLY %1$s WHERE %2$I < %3$L ORDER BY %2$I LIMIT %4$s))'
        END,
        part.name,
        pa.attname,
        :before::timestamptz,
        :batch::int4
    ) AS delete_command
FROM pg_partitioned_table AS pp
INNER JOIN pg_attribute AS pa ON pp.partrelid = pa.attrelid AND pp.partattrs[0] = pa.attnum
INNER JOIN pg_class AS pcp ON pp.partrelid = pcp.oid
INNER JOIN pg_namespace AS pnp ON pcp.relnamespace = pnp.oid
INNER JOIN pg_inherits AS pi ON pp.partrelid = pi.inhparent
INNER JOIN pg_class AS pc ON pi.inhrelid = pc.oid
INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
CROSS JOIN LATERAL (VALUES (format('%I.%I', pnp.nspname, pcp.relname))) AS parent (name)
CROSS JOIN
    LATERAL (
        VALUES (format('%I.%I', pn.nspname, pc.relname), pg_get_expr(pc.relpartbound, pc.oid))
    ) AS part (name, bounds)
CROSS JOIN
    LATERAL (
        VALUES
        (
            substring(part.bounds FROM 'FROM \(''([^'']+)''\)')::timestamptz,
            substring(part.bounds FROM 'TO \(''([^'']+)''\)')::timestamptz
        )
    ) AS bound (begins_at, ends_at)
-- Of 63 bytes that a name may have, the time takes 24.
CROSS JOIN
    LATERAL (
        VALUES (left(pc.relname::text, 39) || to_char(clock_timestamp(), '_"expired"_YYMMDDHH24MISSMS'))
    ) AS aside (name)
CROSS JOIN
    LATERAL (
        VALUES ('SELECT ' || to_regproc(:on_drop::text)::text || '(' || quote_literal(bound.ends_at) || ')')
    ) AS call (command)
WHERE
    pp.partrelid = to_regclass(:table_name::text)
    AND (bound.ends_at <= :before::timestamptz OR bound.begins_at IS NULL)
ORDER BY bound.ends_at, part.name;

-- name: partition_missing(table_name, unit, ahead, periods)
-- The periods for which a table has no partition: this one and so many to come, and others that are given. Each with
-- the commands that create its partition, in one transaction. Rows of the period that are in the default partition
-- move; that is no deletion, so no trigger is to take it for one, and no session writes to the default partition
-- meanwhile. A partition that is created first and attached then does not keep readers and writers of the others
-- waiting. Triggers for each row come with the table; those on TRUNCATE do not, and are copied. On a Citus cluster, whose
-- tables have none, a lock does what else the triggers' absence does.
WITH wanted AS (
    SELECT
        date_trunc(:unit::text, CURRENT_TIMESTAMP AT TIME ZONE 'UTC')
        + later.number * ('1 ' || :unit::text)::interval AS begins
    FROM generate_series(0, :ahead::int4) AS later (number)
    UNION
    SELECT p.period::timestamp AS begins
    FROM unnest(:periods::text[]) AS p (period)
)

SELECT
    created.name,
    coalesce(
        array_remove(ARRAY[
            format(
                'CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING IDENTITY EXCLUDING COMMENTS)',
                created.name,
                parent.name
            ),
            format('ALTER TABLE %s OWNER TO %I', created.name, pg_get_userbyid(pc.relowner)),
            format(
                CASE
                    WHEN node.is_cluster THEN 'LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE'
                    ELSE 'ALTER TABLE %s DISABLE TRIGGER USER'
                END,
                pp.partdefid::regclass
            ),
            format(
                'WITH moved AS (DELETE FROM %1$s WHERE %2$I >= %3$L AND %2$I < %4$L RETURNING *) '
                'INSERT INTO %5$s (%6$s) SELECT %6$s FROM moved',
                pp.partdefid::regclass,
                pa.attname,
                period.begins_at,
                period.ends_at,
                created.name,
                written.columns
            ),
            CASE WHEN NOT node.is_cluster THEN format('ALTER TABLE %s ENABLE TRIGGER USER', pp.partdefid::regclass) END,
            format(
                'ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)',
                parent.name,
                created.name,
                period.begins_at,
                period.ends_at
            )
        ], NULL)
        || ARRAY(
            SELECT
                replace(
                    pg_get_triggerdef(pt.oid),
                    format(' TRUNCATE ON %s ', parent.name),
                    format(' TRUNCATE ON %s ', created.name)
                )
            FROM pg_trigger AS pt
            -- TRIGGER_TYPE_TRUNCATE
            WHERE pt.tgrelid = pp.partrelid AND pt.tgtype & 32 <> 0 AND NOT pt.tgisinternal
            ORDER BY pt.tgname
        ),
        ARRAY[]::text[]
    ) AS commands
FROM pg_partitioned_table AS pp
INNER JOIN pg_attribute AS pa ON pp.partrelid = pa.attrelid AND pp.partattrs[0] = pa.attnum
INNER JOIN pg_class AS pc ON pp.partrelid = pc.oid
INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
CROSS JOIN LATERAL (VALUES (format('%I.%I', pn.nspname, pc.relname))) AS parent (name)
CROSS JOIN
    LATERAL (
        -- A generated column cannot be written to.
        SELECT string_agg(quote_ident(paw.attname), ', ' ORDER BY paw.attnum) AS columns
        FROM pg_attribute AS paw
        WHERE paw.attrelid = pp.partrelid AND paw.attnum > 0 AND NOT paw.attisdropped AND paw.attgenerated = ''
    ) AS written
CROSS JOIN
    LATERAL (
        SELECT count(*) > 0 AS is_cluster
        FROM pg_trigger AS ptn
        INNER JOIN pg_proc AS ppn ON ptn.tgfoid = ppn.oid
        WHERE ptn.tgrelid = pp.partdefid AND ppn.proname = 'citus_truncate_trigger'
    ) AS node
CROSS JOIN wanted AS w
CROSS JOIN
    LATERAL (
        VALUES (w.begins AT TIME ZONE 'UTC', (w.begins + ('1 ' || :unit::text)::interval) AT TIME ZONE 'UTC')
    ) AS period (begins_at, ends_at)
CROSS JOIN
    LATERAL (
        VALUES
        (
            format(
                '%I.%I',
                pn.nspname,
                pc.relname || to_char(
                    w.begins,
                    CASE :unit::text
                        WHEN 'month' THEN '_FMYYYY_MM'
                        WHEN 'week' THEN '_FMIYYY_"w"IW'
                        ELSE '_FMYYYY_MM_DD'
                    END
                )
            )
        )
    ) AS created (name)
WHERE
    pp.partrelid = to_regclass(:table_name::text)
    AND NOT EXISTS (
        SELECT
        FROM pg_inherits AS pi
        INNER JOIN pg_class AS pcp ON pi.inhrelid = pcp.oid
        CROSS JOIN LATERAL pg_get_expr(pcp.relpartbound, pcp.oid) AS said (bounds)
        WHERE
            pi.inhparent = pp.partrelid
            AND pi.inhrelid <> pp.partdefid
            AND coalesce(substring(said.bounds FROM 'FROM \(''([^'']+)''\)')::timestamptz, '-infinity') < period.ends_at
            AND coalesce(substring(said.bounds FROM 'TO \(''([^'']+)''\)')::timestamptz, 'infinity') > period.begins_at
    )
ORDER BY period.begins_at;
