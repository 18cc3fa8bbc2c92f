-- What happened to lamps and to the system, for audit and statistics.

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

-- name: activity_ids(number)
-- Reserves ids for entries to come. Those that are not used in the end are gaps.
-- retry: idempotent
SELECT nextval('activity_log_id_seq') AS id
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

-- name: activity_statistics(hours)
-- Entries of the last hours, counted in one pass: in all, by type, by status, by hour (UTC).
-- A row belongs to the grouping whose column is not null; the total has none.
-- replica: ok
-- example: hours=24
-- accept: MANY-ROWS a row for each hour and each kind; that date_trunc leaves so few, the planner cannot know
-- accept: BIG-SORT a day's entries are about 40 MB, and only operators ask for them
SELECT
    al.activity_type,
    al.status,
    date_trunc('hour', al.created_at, 'UTC') AS hour,
    count(*) AS entries,
    count(DISTINCT al.lamp_id) AS active_lamps,
    CURRENT_TIMESTAMP AS measured_at
FROM activity_log AS al
WHERE al.created_at >= CURRENT_TIMESTAMP - make_interval(hours => :hours::int4)
GROUP BY GROUPING SETS (
    (),
    (al.activity_type),
    (al.status),
    (date_trunc('hour', al.created_at, 'UTC'))
);
