-- Cache entries: texts that expire, and how often each was read.

-- name: cache_all(row_limit, row_offset)
-- All cache entries by id, a stretch of them.
-- plan: custom
-- example: row_limit=100, row_offset=0
SELECT
    ce.id,
    ce.key,
    ce.value,
    ce.value_hash,
    ce.size_bytes,
    ce.created_at,
    ce.expires_at,
    ce.access_count,
    ce.last_accessed_at,
    ce.meta
FROM specify.cache_entries AS ce
ORDER BY ce.id
LIMIT :row_limit::bigint OFFSET :row_offset::bigint;

-- name: cache_by_id(row_id)^
-- A cache entry by its id.
SELECT
    ce.id,
    ce.key,
    ce.value,
    ce.value_hash,
    ce.size_bytes,
    ce.created_at,
    ce.expires_at,
    ce.access_count,
    ce.last_accessed_at,
    ce.meta
FROM specify.cache_entries AS ce
WHERE ce.id = :row_id::bigint;

-- name: cache_by_key(key)^
-- An entry by its key, also an expired one.
SELECT
    ce.id,
    ce.key,
    ce.value,
    ce.value_hash,
    ce.size_bytes,
    ce.created_at,
    ce.expires_at,
    ce.access_count,
    ce.last_accessed_at,
    ce.meta
FROM specify.cache_entries AS ce
WHERE ce.key = :key::text;

-- name: cache_clean(batch)!
-- Deletes expired entries, so many at a time. Several may do this at once; each takes others.
DELETE FROM specify.cache_entries AS ce
WHERE ce.id = ANY(
        ARRAY(
            SELECT e.id
            FROM specify.cache_entries AS e
            WHERE e.expires_at <= clock_timestamp()
            ORDER BY e.expires_at
            LIMIT :batch::bigint
            FOR UPDATE SKIP LOCKED
        )
    );

-- name: cache_count()$
-- How many cache entries there are.
SELECT count(*) AS total
FROM specify.cache_entries;

-- name: cache_delete(row_id)!
-- Deletes a cache entry.
DELETE FROM specify.cache_entries AS ce
WHERE ce.id = :row_id::bigint;

-- name: cache_expired(row_limit)
-- The entries that have expired.
SELECT
    ce.id,
    ce.key,
    ce.value,
    ce.value_hash,
    ce.size_bytes,
    ce.created_at,
    ce.expires_at,
    ce.access_count,
    ce.last_accessed_at,
    ce.meta
FROM specify.cache_entries AS ce
WHERE ce.expires_at <= clock_timestamp()
ORDER BY ce.expires_at, ce.id
LIMIT :row_limit::bigint;

-- name: cache_insert(documents)
-- Inserts cache entries, given as a JSON array of objects; leaves out those whose unique keys are taken.
INSERT INTO specify.cache_entries (
    id, key, value, value_hash, size_bytes, expires_at, meta
)
SELECT
    coalesce(r.id, nextval('specify.cache_entries_id_seq')) AS id,
    r.key,
    r.value,
    r.value_hash,
    r.size_bytes,
    r.expires_at,
    r.meta
FROM jsonb_to_recordset(:documents::jsonb) AS r (
        id bigint,
        key text,
        value text,
        value_hash text,
        size_bytes bigint,
        expires_at timestamptz,
        meta jsonb
    )
ON CONFLICT DO NOTHING
RETURNING
    id,
    key,
    value,
    value_hash,
    size_bytes,
    created_at,
    expires_at,
    access_count,
    last_accessed_at,
    meta;

-- name: cache_page(row_order, row_limit, row_offset)
-- A page of cache entries in one of several orders, each row behind the number of all; beyond the end a row without cache entry.
-- plan: custom
-- example: row_order='id', row_limit=20, row_offset=0
SELECT
    t.total,
    ce.id,
    ce.key,
    ce.value,
    ce.value_hash,
    ce.size_bytes,
    ce.created_at,
    ce.expires_at,
    ce.access_count,
    ce.last_accessed_at,
    ce.meta
FROM (
    SELECT count(*) AS total
    FROM specify.cache_entries
) AS t
LEFT JOIN (
    (
        SELECT
            ce.id,
            row_number() OVER (ORDER BY ce.id) AS place
        FROM specify.cache_entries AS ce
        WHERE :row_order::text = 'id'
        ORDER BY ce.id
        LIMIT :row_limit::bigint OFFSET :row_offset::bigint
    )
    UNION ALL
    (
        SELECT
            ce.id,
            row_number() OVER (ORDER BY ce.id DESC) AS place
        FROM specify.cache_entries AS ce
        WHERE :row_order::text = '-id'
        ORDER BY ce.id DESC
        LIMIT :row_limit::bigint OFFSET :row_offset::bigint
    )
) AS o ON true
LEFT JOIN specify.cache_entries AS ce ON o.id = ce.id
ORDER BY o.place;

-- name: cache_read(key)$
-- The value of an entry that has not expired; the read is not counted.
SELECT ce.value
FROM specify.cache_entries AS ce
WHERE ce.key = :key::text AND coalesce(ce.expires_at > clock_timestamp(), true);

-- name: cache_remove(key)!
-- Deletes an entry by its key.
DELETE FROM specify.cache_entries AS ce
WHERE ce.key = :key::text;

-- name: cache_set(key, value, value_hash, size_bytes, ttl_seconds)<!
-- Sets a value, new or not, for so many seconds, or until it is deleted when they are null. The count of reads stays.
-- accept: NOT-HOT expired entries are found by this column
INSERT INTO specify.cache_entries AS ce (key, value, value_hash, size_bytes, expires_at)
VALUES (
    :key::text,
    :value::text,
    :value_hash::text,
    :size_bytes::bigint,
    clock_timestamp() + make_interval(secs => :ttl_seconds::float8)
)
ON CONFLICT (key) DO UPDATE
    SET
        value = excluded.value,
        value_hash = excluded.value_hash,
        size_bytes = excluded.size_bytes,
        expires_at = excluded.expires_at
RETURNING
    ce.id,
    ce.key,
    ce.value,
    ce.value_hash,
    ce.size_bytes,
    ce.created_at,
    ce.expires_at,
    ce.access_count,
    ce.last_accessed_at,
    ce.meta;

-- name: cache_statistics()^
-- How many entries there are, how many of them have expired, their bytes, and how often they were read.
-- accept: SEQ-SCAN asked by an operator
SELECT
    count(*) AS entries,
    count(*) FILTER (WHERE ce.expires_at <= clock_timestamp()) AS expired,
    coalesce(sum(ce.size_bytes), 0)::bigint AS size_bytes,
    coalesce(sum(ce.access_count), 0)::bigint AS reads
FROM specify.cache_entries AS ce;

-- name: cache_take(key)<!
-- The value of an entry that has not expired, and counts that it was read, in one statement, so that none is lost.
UPDATE specify.cache_entries AS ce
SET
    access_count = ce.access_count + 1,
    last_accessed_at = clock_timestamp()
WHERE ce.key = :key::text AND coalesce(ce.expires_at > clock_timestamp(), true)
RETURNING ce.value;

-- name: cache_update(documents)
-- Updates cache entries by id, each by a JSON object of an array; a key that it lacks is a column that stays.
-- By ascending id, so that two such updates wait for each other and do not deadlock.
-- accept: NOT-HOT where no indexed value differs, the update is one all the same
UPDATE specify.cache_entries AS ce
SET
    key = CASE WHEN d.doc ? 'key' THEN d.doc ->> 'key' ELSE ce.key END,
    value = CASE WHEN d.doc ? 'value' THEN d.doc ->> 'value' ELSE ce.value END,
    value_hash = CASE WHEN d.doc ? 'value_hash' THEN d.doc ->> 'value_hash' ELSE ce.value_hash END,
    size_bytes = CASE WHEN d.doc ? 'size_bytes' THEN (d.doc ->> 'size_bytes')::bigint ELSE ce.size_bytes END,
    expires_at = CASE WHEN d.doc ? 'expires_at' THEN (d.doc ->> 'expires_at')::timestamptz ELSE ce.expires_at END,
    meta = CASE WHEN d.doc ? 'meta' THEN d.doc -> 'meta' ELSE ce.meta END
FROM (
    SELECT
        l.id,
        e.doc
    FROM jsonb_array_elements(:documents::jsonb) AS e (doc)
    INNER JOIN specify.cache_entries AS l ON l.id = (e.doc ->> 'id')::bigint
    ORDER BY l.id
    FOR NO KEY UPDATE OF l
) AS d
WHERE ce.id = d.id
RETURNING
    ce.id,
    ce.key,
    ce.value,
    ce.value_hash,
    ce.size_bytes,
    ce.created_at,
    ce.expires_at,
    ce.access_count,
    ce.last_accessed_at,
    ce.meta;
