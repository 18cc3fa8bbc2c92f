-- Partitions by month of a table with a column of type timestamptz. A name and a bound cannot be parameters of DDL, so
-- these queries answer with the commands that the upkeep then sends. Months are those of UTC.

-- name: partition_configure()$
-- Has months begin where those of UTC do, and commands that are answered mean what they say.
SELECT set_config('timezone', 'UTC', false) AS time_zone;

-- name: partition_expired(table_name, before, batch, forget)
-- Where a table has rows from before a moment. Partitions that end by then can be dropped. Those that have no begin,
-- and the default partition, may have younger rows, too; there old ones are deleted, so many at a time. No trigger
-- hears of what is dropped, so a function may be named that is told up to when rows are gone; before they are, because
-- nobody can read from the begin of the drop to the end of the transaction.
SELECT
    part.name,
    CASE
        WHEN bound.ends_at <= :before::timestamptz
            THEN array_remove(
                    ARRAY[
                        'SELECT ' || to_regproc(:forget::text)::text || '(' || quote_literal(bound.ends_at) || ')',
                        format('DROP TABLE %s', part.name)
                    ],
                    NULL
                )
    END AS drop_commands,
    format('SELECT count(*) FROM ONLY %s WHERE %I < %L', part.name, pa.attname, :before::timestamptz) AS count_command,
    format(
        'DELETE FROM ONLY %1$s WHERE ctid = ANY('
        'ARRAY(SELECT ctid FROM ONLY %1$s WHERE %2$I < %3$L ORDER BY %2$I LIMIT %4$s))',
        part.name,
        pa.attname,
        :before::timestamptz,
        :batch::int4
    ) AS delete_command
FROM pg_partitioned_table AS pp
INNER JOIN pg_attribute AS pa ON pp.partrelid = pa.attrelid AND pp.partattrs[0] = pa.attnum
INNER JOIN pg_inherits AS pi ON pp.partrelid = pi.inhparent
INNER JOIN pg_class AS pc ON pi.inhrelid = pc.oid
INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
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
WHERE
    pp.partrelid = to_regclass(:table_name::text)
    AND (bound.ends_at <= :before::timestamptz OR bound.begins_at IS NULL)
ORDER BY bound.ends_at, part.name;

-- name: partition_missing(table_name, ahead, strays)
-- The months for which a table has no partition: this one and so many to come, and others that are asked for. Each
-- with the commands that make its partition, in one transaction. Rows of the month that are in the default partition
-- move; that is no deletion, so no trigger is to take it for one, and nobody writes to the default partition meanwhile.
-- A partition that is made first and attached then does not keep readers and writers of the others waiting.
WITH wanted AS (
    SELECT date_trunc('month', CURRENT_TIMESTAMP AT TIME ZONE 'UTC') + make_interval(months => later.months) AS begins
    FROM generate_series(0, :ahead::int4) AS later (months)
    UNION
    SELECT s.month::timestamp AS begins
    FROM unnest(:strays::text[]) AS s (month)
)

SELECT
    made.name,
    ARRAY[
        format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING IDENTITY EXCLUDING COMMENTS)', made.name, parent.name),
        format('ALTER TABLE %s OWNER TO %I', made.name, pg_get_userbyid(pc.relowner)),
        format('ALTER TABLE %s DISABLE TRIGGER USER', pp.partdefid::regclass),
        format(
            'WITH moved AS (DELETE FROM %1$s WHERE %2$I >= %3$L AND %2$I < %4$L RETURNING *) '
            'INSERT INTO %5$s SELECT * FROM moved',
            pp.partdefid::regclass,
            pa.attname,
            month.begins_at,
            month.ends_at,
            made.name
        ),
        format('ALTER TABLE %s ENABLE TRIGGER USER', pp.partdefid::regclass),
        format(
            'ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)',
            parent.name,
            made.name,
            month.begins_at,
            month.ends_at
        )
    ] AS commands
FROM pg_partitioned_table AS pp
INNER JOIN pg_attribute AS pa ON pp.partrelid = pa.attrelid AND pp.partattrs[0] = pa.attnum
INNER JOIN pg_class AS pc ON pp.partrelid = pc.oid
INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
CROSS JOIN LATERAL (VALUES (format('%I.%I', pn.nspname, pc.relname))) AS parent (name)
CROSS JOIN wanted AS w
CROSS JOIN
    LATERAL (
        VALUES (w.begins AT TIME ZONE 'UTC', (w.begins + interval '1 month') AT TIME ZONE 'UTC')
    ) AS month (begins_at, ends_at)
CROSS JOIN
    LATERAL (
        VALUES (format('%I.%I', pn.nspname, pc.relname || to_char(w.begins, '_FMYYYY_MM')))
    ) AS made (name)
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
            AND coalesce(substring(said.bounds FROM 'FROM \(''([^'']+)''\)')::timestamptz, '-infinity') < month.ends_at
            AND coalesce(substring(said.bounds FROM 'TO \(''([^'']+)''\)')::timestamptz, 'infinity') > month.begins_at
    )
ORDER BY month.begins_at;

-- name: partition_state(table_name)$
-- What asks the default partition of a table how many rows it has, and of which months; null when the table cannot be
-- kept up so.
SELECT
    format(
        'SELECT count(*), array_agg(DISTINCT date_trunc(''month'', %I AT TIME ZONE ''UTC'')::text) FROM %s',
        pa.attname,
        pp.partdefid::regclass
    ) AS strays_command
FROM pg_partitioned_table AS pp
INNER JOIN pg_attribute AS pa ON pp.partrelid = pa.attrelid AND pp.partattrs[0] = pa.attnum
WHERE
    pp.partrelid = to_regclass(:table_name::text)
    AND pp.partstrat = 'r'
    AND pp.partnatts = 1
    AND pp.partdefid <> 0
    AND pa.atttypid = 'timestamptz'::regtype;
