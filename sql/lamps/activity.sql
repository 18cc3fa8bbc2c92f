-- What happened to lamps and to the system, for audit and statistics.

-- name: activity_copy()#
-- Takes many entries at once, in COPY's binary format; the server fills in id and created_at.
-- The format is quoted because sqruff takes the word alone for a type, and does not read on.
COPY activity_log (
    lamp_id, activity_type, status, details, ip_address, user_agent
) FROM STDIN (FORMAT "binary");

-- name: activity_history(lamp_id, before_created_at, before_id, row_limit)
-- The latest entries of a lamp, newest first, from before a known entry or from the newest.
-- COALESCE instead of OR keeps the comparison usable by the index on (lamp_id, created_at).
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

-- name: activity_statistics(hours)
-- Entries of the last hours, counted in one pass: in all, by type, by status, by hour (UTC).
-- A row belongs to the grouping whose column is not null; the total has none.
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
