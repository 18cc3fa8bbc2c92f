-- Where users were. Each statement has the user as well: another user's entry is as missing.

-- name: history_by_id(history_id, user_id)^
-- An entry of a user.
SELECT
    lh.id,
    lh.user_id,
    lh.location,
    lh.activity,
    lh.metadata,
    lh.recorded_at,
    lh.created_at,
    lh.updated_at
FROM daylight.location_history AS lh
WHERE lh.id = :history_id::text AND lh.user_id = :user_id::text
ORDER BY lh.recorded_at
LIMIT 1;

-- name: history_copy()#
-- Takes many entries at once, in COPY's binary format; the server fills in created_at and updated_at.
COPY daylight.location_history (
    id, user_id, location, lat, lng, activity, metadata, recorded_at
) FROM STDIN (FORMAT "binary");

-- name: history_days(user_id, since, until, time_zone)
-- What each local day of a user had: how many entries, the first and the last, and the box around them.
SELECT
    (lh.recorded_at AT TIME ZONE COALESCE(:time_zone::text, 'UTC'))::date AS day,
    count(*) AS points,
    min(lh.recorded_at) AS first_at,
    max(lh.recorded_at) AS last_at,
    min(lh.lat) AS south,
    max(lh.lat) AS north,
    min(lh.lng) AS west,
    max(lh.lng) AS east
FROM daylight.location_history AS lh
WHERE
    lh.user_id = :user_id::text
    AND lh.recorded_at >= :since::timestamptz
    AND lh.recorded_at < :until::timestamptz
GROUP BY (lh.recorded_at AT TIME ZONE COALESCE(:time_zone::text, 'UTC'))::date
ORDER BY (lh.recorded_at AT TIME ZONE COALESCE(:time_zone::text, 'UTC'))::date;

-- name: history_delete(history_id, user_id)!
-- Deletes an entry of a user, unless it is under a legal hold. Holds are read first, for a cluster has them elsewhere.
WITH hold AS MATERIALIZED (
    SELECT
        h.since,
        h.until
    FROM daylight.legal_holds AS h
    WHERE
        h.released_at IS NULL
        AND (h.table_name IS NULL OR h.table_name = 'location_history')
        AND (h.user_id IS NULL OR h.user_id = :user_id::text)
)

DELETE FROM daylight.location_history AS lh
WHERE
    lh.id = :history_id::text
    AND lh.user_id = :user_id::text
    AND NOT EXISTS (
        SELECT
        FROM hold AS h
        WHERE (h.since IS NULL OR lh.recorded_at >= h.since) AND (h.until IS NULL OR lh.recorded_at < h.until)
    );

-- name: history_delete_range(user_id, since, until, row_limit)!
-- Deletes a portion of a user's entries between two moments, both included, unless they are under a legal hold.
WITH hold AS MATERIALIZED (
    SELECT
        h.since,
        h.until
    FROM daylight.legal_holds AS h
    WHERE
        h.released_at IS NULL
        AND (h.table_name IS NULL OR h.table_name = 'location_history')
        AND (h.user_id IS NULL OR h.user_id = :user_id::text)
),

doomed AS MATERIALIZED (
    SELECT
        lh.id,
        lh.recorded_at
    FROM daylight.location_history AS lh
    WHERE
        lh.user_id = :user_id::text
        AND lh.recorded_at >= :since::timestamptz
        AND lh.recorded_at <= :until::timestamptz
        AND NOT EXISTS (
            SELECT
            FROM hold AS h
            WHERE (h.since IS NULL OR lh.recorded_at >= h.since) AND (h.until IS NULL OR lh.recorded_at < h.until)
        )
    LIMIT :row_limit::bigint
)

DELETE FROM daylight.location_history AS lh
USING doomed AS d
WHERE
    lh.id = d.id
    AND lh.user_id = :user_id::text
    AND lh.recorded_at = d.recorded_at
    AND lh.recorded_at >= :since::timestamptz
    AND lh.recorded_at <= :until::timestamptz;

-- name: history_insert(id, user_id, location, lat, lng, activity, metadata, recorded_at)<!
-- Stores an entry, or returns the one that the user has with this id and time: the update changes nothing.
INSERT INTO daylight.location_history (
    id, user_id, location, lat, lng, activity, metadata, recorded_at
) VALUES (
    :id::text,
    :user_id::text,
    :location::jsonb,
    :lat::float8,
    :lng::float8,
    :activity::text,
    :metadata::jsonb,
    COALESCE(:recorded_at::timestamptz, CURRENT_TIMESTAMP)
)
ON CONFLICT (id, user_id, recorded_at) DO UPDATE SET id = excluded.id
RETURNING id, user_id, location, activity, metadata, recorded_at, created_at, updated_at;

-- name: history_latest(user_id, before_recorded_at, before_id, row_limit)
-- The latest entries of a user, newest first, from before a known entry or from the newest.
SELECT
    lh.id,
    lh.user_id,
    lh.location,
    lh.activity,
    lh.metadata,
    lh.recorded_at,
    lh.created_at,
    lh.updated_at
FROM daylight.location_history AS lh
WHERE
    lh.user_id = :user_id::text
    AND (lh.recorded_at, lh.id) < (
        COALESCE(:before_recorded_at::timestamptz, 'infinity'::timestamptz),
        COALESCE(:before_id::text, '')
    )
ORDER BY lh.recorded_at DESC, lh.id DESC
LIMIT :row_limit::bigint;

-- name: history_merge(ids, user_ids, locations, lats, lngs, activities, documents, times)$
-- Stores those of many entries that are not there yet, for an upload that is repeated; returns how many. They are
-- counted here, because of an INSERT ... SELECT a cluster says how many rows it was given.
-- accept: ALL-SHARDS entries of many users are in many shards
-- retry: idempotent
WITH stored AS (
    INSERT INTO daylight.location_history (
        id, user_id, location, lat, lng, activity, metadata, recorded_at
    )
    SELECT
        e.id,
        e.user_id,
        e.location,
        e.lat,
        e.lng,
        e.activity,
        e.metadata,
        e.recorded_at
    FROM
        unnest(
            :ids::text[],
            :user_ids::text[],
            :locations::jsonb[],
            :lats::float8[],
            :lngs::float8[],
            :activities::text[],
            :documents::jsonb[],
            :times::timestamptz[]
        ) AS e (id, user_id, location, lat, lng, activity, metadata, recorded_at)
    ON CONFLICT (id, user_id, recorded_at) DO NOTHING
    RETURNING id
)

SELECT count(*) AS stored_count
FROM stored;

-- name: history_range(user_id, since, until, after_recorded_at, after_id, row_limit)
-- Entries of a user between two moments, both included, oldest first, from behind a known entry or from the first.
SELECT
    lh.id,
    lh.user_id,
    lh.location,
    lh.activity,
    lh.metadata,
    lh.recorded_at,
    lh.created_at,
    lh.updated_at
FROM daylight.location_history AS lh
WHERE
    lh.user_id = :user_id::text
    AND lh.recorded_at >= :since::timestamptz
    AND lh.recorded_at <= :until::timestamptz
    AND (lh.recorded_at, lh.id) > (
        COALESCE(:after_recorded_at::timestamptz, '-infinity'::timestamptz),
        COALESCE(:after_id::text, '')
    )
ORDER BY lh.recorded_at, lh.id
LIMIT :row_limit::bigint;
