-- What happened to lamps and to the system, for audit and statistics.

-- name: activity_anonymise(lamp_id)!
-- Leaves of the entries of a lamp what happened and when: no address, no agent, no details. For the owner of the log;
-- the application may not rewrite it.
UPDATE activity_log AS al
SET
    details = NULL,
    ip_address = NULL,
    user_agent = NULL
WHERE al.lamp_id = :lamp_id::uuid;

-- name: activity_copy()#
-- Takes many entries at once, in COPY's binary format; the server fills in id and created_at.
-- The format is quoted because sqruff takes the word alone for a type, and does not read on.
COPY activity_log (
    lamp_id, activity_type, status, details, ip_address, user_agent
) FROM STDIN (FORMAT "binary");

-- name: activity_copy_many()#
-- Takes many entries at once as activity_copy does, each under an id and with a time of its own.
COPY activity_log (
    id,
    lamp_id,
    activity_type,
    status,
    details,
    ip_address,
    user_agent,
    created_at
) FROM STDIN (FORMAT "binary");

-- name: activity_history(lamp_id, before_created_at, before_id, row_limit)
-- The latest entries of a lamp, newest first, from before a known entry or from the newest.
-- COALESCE instead of OR keeps the comparison usable by the index on (lamp_id, created_at).
-- replica: ok
-- example: lamp_id='8a6e0804-2bd0-4672-b79d-d97027f9071a', before_created_at=null, before_id=null, row_limit=50
SELECT
    al.id,
    al.lamp_id,
    al.activity_type,
    al.status,
    al.details,
    al.created_at,
    al.ip_address,
    al.user_agent
FROM activity_log AS al
WHERE
    al.lamp_id = :lamp_id::uuid
    AND (al.created_at, al.id) < (
        COALESCE(:before_created_at::timestamptz, 'infinity'::timestamptz),
        COALESCE(:before_id::bigint, 9223372036854775807)
    )
ORDER BY al.created_at DESC, al.id DESC
LIMIT :row_limit::bigint;

-- name: activity_has_default_rows()$
-- Whether entries are in the default partition of the log, because theirs was not created in time. No role may read a
-- partition, so this reads the log, for the times for which there is no other partition; PostgreSQL then reads no other
-- one. A log without partitions has none. The order makes PostgreSQL stop at the first entry that it finds in the
-- index; in EXISTS it would disregard it.
SELECT
    coalesce(
        bool_or(
            (
                SELECT true
                FROM activity_log AS al
                WHERE al.created_at >= gap.begins_at AND al.created_at < gap.ends_at
                ORDER BY al.created_at
                LIMIT 1
            )
        ),
        false
    ) AS has_default_rows
FROM (
    SELECT
        part.ends_at AS begins_at,
        lead(part.begins_at, 1, 'infinity') OVER (ORDER BY part.begins_at, part.ends_at) AS ends_at
    FROM pg_partitioned_table AS pp
    CROSS JOIN
        LATERAL (
            VALUES ('-infinity'::timestamptz, '-infinity'::timestamptz)
            UNION ALL
            SELECT
                coalesce(substring(said.bounds FROM 'FROM \(''([^'']+)''\)')::timestamptz, '-infinity') AS begins_at,
                coalesce(substring(said.bounds FROM 'TO \(''([^'']+)''\)')::timestamptz, 'infinity') AS ends_at
            FROM pg_inherits AS pi
            INNER JOIN pg_class AS pc ON pi.inhrelid = pc.oid
            CROSS JOIN LATERAL pg_get_expr(pc.relpartbound, pc.oid) AS said (bounds)
            WHERE pi.inhparent = pp.partrelid AND pi.inhrelid <> pp.partdefid
        ) AS part (begins_at, ends_at)
    WHERE pp.partrelid = 'activity_log'::regclass AND pp.partdefid <> 0
) AS gap
WHERE gap.begins_at < gap.ends_at;

-- name: activity_ids(number)$
-- Reserves ids for entries to come, in ascending order; null for none. Those that are not used in the end are gaps.
-- retry: idempotent
SELECT array_agg(nextval('activity_log_id_seq')) AS ids
FROM generate_series(1, :number::int4);

-- name: activity_insert(lamp_id, activity_type, status, details, ip_address, user_agent)!
-- Records one entry, now.
INSERT INTO activity_log (
    lamp_id, activity_type, status, details, ip_address, user_agent, created_at
) VALUES (
    :lamp_id::uuid,
    :activity_type::text,
    :status::text,
    :details::jsonb,
    :ip_address::inet,
    :user_agent::text,
    CURRENT_TIMESTAMP
);

-- name: activity_insert_many(ids, lamp_ids, activity_types, statuses, documents, ip_addresses, user_agents, times)!
-- Records many entries, each under an id of its own; no row for those that are there already. For what
-- activity_copy_many could not take: it is slower, but it can be repeated, with the same times.
-- ON CONFLICT names no key, because that of a log in partitions has the time as well.
-- retry: idempotent
INSERT INTO activity_log (
    id, lamp_id, activity_type, status, details, ip_address, user_agent, created_at
)
SELECT
    e.id,
    e.lamp_id,
    e.activity_type,
    e.status,
    e.details,
    e.ip_address,
    e.user_agent,
    e.created_at
FROM
    unnest(
        :ids::bigint[],
        :lamp_ids::uuid[],
        :activity_types::text[],
        :statuses::text[],
        :documents::jsonb[],
        :ip_addresses::inet[],
        :user_agents::text[],
        :times::timestamptz[]
    ) AS e (id, lamp_id, activity_type, status, details, ip_address, user_agent, created_at)
ON CONFLICT DO NOTHING;

-- name: activity_insert_once(id, lamp_id, activity_type, status, details, ip_address, user_agent, created_at)!
-- Records one entry under an id of its own; no row if it is there already, with the same time.
-- ON CONFLICT names no key, because that of a log in partitions has the time as well.
-- retry: idempotent
INSERT INTO activity_log (
    id, lamp_id, activity_type, status, details, ip_address, user_agent, created_at
) VALUES (
    :id::bigint,
    :lamp_id::uuid,
    :activity_type::text,
    :status::text,
    :details::jsonb,
    :ip_address::inet,
    :user_agent::text,
    :created_at::timestamptz
)
ON CONFLICT DO NOTHING;

-- name: activity_roll_up(hours, portion)$
-- Counts a portion of the entries that are over, as far back as these hours or, without a number, as there are any.
-- Returns whether there is more to do now. A transaction by itself: migration 0014 says why.
-- retry: idempotent
-- example: hours=24, portion=20000
SELECT activity_roll_up(
    COALESCE(CURRENT_TIMESTAMP - make_interval(hours => :hours::int4), '-infinity'::timestamptz),
    :portion::bigint
) AS is_more;

-- name: activity_statistics(hours, allow_unrolled)
-- Entries of the last hours: in all, by type, by status, by hour (UTC); active_lamps is of all of them in each row.
-- A row belongs to the grouping whose column is not null; the total has none. No row at all if not allow_unrolled, and
-- so much is not rolled up that it should be before this is asked for again.
-- What is counted is a whole number of minutes up to rolled_until, taken from as few rows as cover it: from the minutes
-- up to the first ten, the tens up to the first hour, the hours up to the first six, the sixes. Statuses are taken from
-- all hours, because their sums are the entries of the hour. The rest is read. A lamp is counted where its latest entry
-- is, so what the rest adds are lamps without a later one that is counted.
-- MATERIALIZED, and bounds that the planner cannot see: else it would take the rest for a third of the log. The clock
-- says them once more, so that partitions which are too old are left out before anything else is done with them.
-- replica: ok
-- example: hours=24, allow_unrolled=true
WITH stale AS MATERIALIZED (
    SELECT max(rs.minute) + interval '1 minute' AS until
    FROM activity_rollup_stale AS rs
    CROSS JOIN activity_rollup AS ar
    WHERE rs.everything OR rs.minute < ar.rolled_until
),

bounds AS MATERIALIZED (
    SELECT
        t.since,
        t.counted_from,
        t.counted_until,
        activity_rollup_next(10, t.counted_from) AS tens_from,
        activity_rollup_next(60, t.counted_from) AS hours_from,
        activity_rollup_next(360, t.counted_from) AS sixes_from
    FROM (
        SELECT
            w.since,
            CASE WHEN r.counted_from < r.rolled_until THEN r.counted_from ELSE 'infinity' END AS counted_from,
            CASE WHEN r.counted_from < r.rolled_until THEN r.rolled_until ELSE 'infinity' END AS counted_until
        FROM (SELECT CURRENT_TIMESTAMP - make_interval(hours => :hours::int4) AS since) AS w
        LEFT JOIN LATERAL (
            SELECT
                ar.rolled_until,
                greatest(
                    activity_rollup_next(1, w.since),
                    ar.rolled_from,
                    s.until
                ) AS counted_from
            FROM activity_rollup AS ar
            CROSS JOIN stale AS s
            -- Who may not see every entry must not see their number.
            WHERE NOT row_security_active('activity_log'::regclass)
        ) AS r ON true
    ) AS t
    WHERE
        :allow_unrolled::boolean
        OR (
            t.counted_from <= t.since + interval '1 minute'
            AND t.counted_until > CURRENT_TIMESTAMP - interval '2 minutes'
        )
),

rest AS MATERIALIZED (
    SELECT
        l.activity_type,
        l.status,
        l.lamp_id,
        date_bin('1 hour', l.created_at, '2000-01-01 00:00:00+00') AS hour
    FROM bounds AS b
    CROSS JOIN LATERAL (
        SELECT
            al.activity_type,
            al.status,
            al.lamp_id,
            al.created_at
        FROM activity_log AS al
        WHERE
            al.created_at >= b.since
            AND al.created_at < b.counted_from
            AND al.created_at >= CURRENT_TIMESTAMP - make_interval(hours => :hours::int4)
        UNION ALL
        SELECT
            al.activity_type,
            al.status,
            al.lamp_id,
            al.created_at
        FROM activity_log AS al
        WHERE
            al.created_at >= b.counted_until
            AND al.created_at < 'infinity'
            AND al.created_at >= CURRENT_TIMESTAMP - make_interval(hours => :hours::int4)
    ) AS l
),

-- Each width by itself: joined with a list of them, a large table is planned as if the index were of no use.
counted AS MATERIALIZED (
    SELECT
        c.counted,
        c.name,
        c.began,
        c.entries
    FROM bounds AS b
    CROSS JOIN LATERAL (
        SELECT
            rc.counted,
            rc.name,
            rc.began,
            rc.entries
        FROM activity_rollup_count AS rc
        WHERE
            rc.minutes = 360
            AND rc.began >= b.sixes_from
            AND rc.began < 'infinity'
            AND rc.counted <> 'status'
            AND rc.entries > 0
        UNION ALL
        SELECT
            rc.counted,
            rc.name,
            rc.began,
            rc.entries
        FROM activity_rollup_count AS rc
        WHERE
            rc.minutes = 60
            AND rc.began >= b.sixes_from
            AND rc.began < 'infinity'
            AND rc.counted = 'status'
            AND rc.entries > 0
        UNION ALL
        SELECT
            rc.counted,
            rc.name,
            rc.began,
            rc.entries
        FROM activity_rollup_count AS rc
        WHERE rc.minutes = 60 AND rc.began >= b.hours_from AND rc.began < b.sixes_from AND rc.entries > 0
        UNION ALL
        SELECT
            rc.counted,
            rc.name,
            rc.began,
            rc.entries
        FROM activity_rollup_count AS rc
        WHERE rc.minutes = 10 AND rc.began >= b.tens_from AND rc.began < b.hours_from AND rc.entries > 0
        UNION ALL
        SELECT
            rc.counted,
            rc.name,
            rc.began,
            rc.entries
        FROM activity_rollup_count AS rc
        WHERE rc.minutes = 1 AND rc.began >= b.counted_from AND rc.began < b.tens_from AND rc.entries > 0
    ) AS c
),

parts AS (
    SELECT
        r.activity_type,
        r.status,
        r.hour,
        1 AS entries
    FROM rest AS r
    UNION ALL
    SELECT
        CASE c.counted WHEN 'type' THEN c.name END AS activity_type,
        CASE c.counted WHEN 'status' THEN c.name END AS status,
        CASE c.counted WHEN 'status' THEN date_bin('1 hour', c.began, '2000-01-01 00:00:00+00') END AS hour,
        c.entries
    FROM counted AS c
    WHERE c.counted <> 'lamp'
)

SELECT
    p.activity_type,
    p.status,
    p.hour,
    COALESCE(
        CASE GROUPING(p.activity_type)
            WHEN 0 THEN sum(p.entries)
            ELSE sum(p.entries) FILTER (WHERE p.status IS NOT NULL)
        END,
        0
    )::bigint AS entries,
    (
        (
            SELECT COALESCE(sum(c.entries), 0)
            FROM counted AS c
            WHERE c.counted = 'lamp'
        )
        + (
            SELECT count(*)
            FROM (
                SELECT DISTINCT rest.lamp_id
                FROM rest
                WHERE rest.lamp_id IS NOT NULL
            ) AS r
            CROSS JOIN bounds AS b
            WHERE
                b.counted_from = 'infinity'
                OR COALESCE(
                    (
                        SELECT rl.latest
                        FROM activity_rollup_lamp AS rl
                        WHERE rl.lamp_id = r.lamp_id
                    ) < b.counted_from,
                    true
                )
        )
    )::bigint AS active_lamps,
    CURRENT_TIMESTAMP AS measured_at
FROM parts AS p
GROUP BY GROUPING SETS ((), (p.activity_type), (p.status), (p.hour))
-- A count by type has neither status nor hour, and one by status no type.
HAVING
    EXISTS (SELECT FROM bounds)
    AND (
        GROUPING(p.activity_type, p.status, p.hour) = 7
        OR num_nonnulls(p.activity_type, p.status, p.hour) = 1
    );
