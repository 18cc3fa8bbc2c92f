-- What is known for a while: weather, traffic, events. An expired row is never returned, whenever it is removed. Three
-- tables, so three times the same four statements: a table's name is no parameter.

-- name: events_clean(row_limit)!
-- Deletes a portion of the expired events; what another process is deleting is left to it.
-- accept: SEQ-SCAN a portion of what maintenance removes; the more has expired the shorter the scan
-- example: row_limit=5000
DELETE FROM daylight.events_cache
WHERE cache_key IN (
        SELECT c.cache_key
        FROM daylight.events_cache AS c
        WHERE c.expires_at <= CURRENT_TIMESTAMP
        ORDER BY c.expires_at
        LIMIT :row_limit::bigint
        FOR UPDATE SKIP LOCKED
    );

-- name: events_delete(cache_key)!
-- Deletes what is known of events under a key.
DELETE FROM daylight.events_cache
WHERE cache_key = :cache_key::text;

-- name: events_read(cache_key)^
-- The events under a key, and the seconds it is still good for.
SELECT
    c.data,
    extract(EPOCH FROM c.expires_at - clock_timestamp())::float8 AS seconds_left
FROM daylight.events_cache AS c
WHERE c.cache_key = :cache_key::text AND c.expires_at > clock_timestamp();

-- name: events_upsert(cache_key, data, seconds)!
-- Stores events under a key for a while.
-- accept: NOT-HOT the index by expiry is what keeps the table small
-- retry: idempotent
INSERT INTO daylight.events_cache AS c (cache_key, data, stored_at, expires_at)
VALUES (
    :cache_key::text,
    :data::jsonb,
    clock_timestamp(),
    clock_timestamp() + make_interval(secs => :seconds::float8)
)
ON CONFLICT (cache_key) DO UPDATE
    SET data = excluded.data, stored_at = excluded.stored_at, expires_at = excluded.expires_at;

-- name: traffic_clean(row_limit)!
-- Deletes a portion of the expired traffic; what another process is deleting is left to it.
-- accept: SEQ-SCAN a portion of what maintenance removes; the more has expired the shorter the scan
-- example: row_limit=5000
DELETE FROM daylight.traffic_data
WHERE cache_key IN (
        SELECT c.cache_key
        FROM daylight.traffic_data AS c
        WHERE c.expires_at <= CURRENT_TIMESTAMP
        ORDER BY c.expires_at
        LIMIT :row_limit::bigint
        FOR UPDATE SKIP LOCKED
    );

-- name: traffic_delete(cache_key)!
-- Deletes what is known of traffic under a key.
DELETE FROM daylight.traffic_data
WHERE cache_key = :cache_key::text;

-- name: traffic_read(cache_key)^
-- The traffic under a key, and the seconds it is still good for.
SELECT
    c.data,
    extract(EPOCH FROM c.expires_at - clock_timestamp())::float8 AS seconds_left
FROM daylight.traffic_data AS c
WHERE c.cache_key = :cache_key::text AND c.expires_at > clock_timestamp();

-- name: traffic_upsert(cache_key, data, seconds)!
-- Stores traffic under a key for a while.
-- accept: NOT-HOT the index by expiry is what keeps the table small
-- retry: idempotent
INSERT INTO daylight.traffic_data AS c (cache_key, data, stored_at, expires_at)
VALUES (
    :cache_key::text,
    :data::jsonb,
    clock_timestamp(),
    clock_timestamp() + make_interval(secs => :seconds::float8)
)
ON CONFLICT (cache_key) DO UPDATE
    SET data = excluded.data, stored_at = excluded.stored_at, expires_at = excluded.expires_at;

-- name: weather_clean(row_limit)!
-- Deletes a portion of the expired weather; what another process is deleting is left to it.
-- accept: SEQ-SCAN a portion of what maintenance removes; the more has expired the shorter the scan
-- example: row_limit=5000
DELETE FROM daylight.weather_cache
WHERE cache_key IN (
        SELECT c.cache_key
        FROM daylight.weather_cache AS c
        WHERE c.expires_at <= CURRENT_TIMESTAMP
        ORDER BY c.expires_at
        LIMIT :row_limit::bigint
        FOR UPDATE SKIP LOCKED
    );

-- name: weather_delete(cache_key)!
-- Deletes what is known of weather under a key.
DELETE FROM daylight.weather_cache
WHERE cache_key = :cache_key::text;

-- name: weather_read(cache_key)^
-- The weather under a key, and the seconds it is still good for.
SELECT
    c.data,
    extract(EPOCH FROM c.expires_at - clock_timestamp())::float8 AS seconds_left
FROM daylight.weather_cache AS c
WHERE c.cache_key = :cache_key::text AND c.expires_at > clock_timestamp();

-- name: weather_upsert(cache_key, data, seconds)!
-- Stores weather under a key for a while.
-- accept: NOT-HOT the index by expiry is what keeps the table small
-- retry: idempotent
INSERT INTO daylight.weather_cache AS c (cache_key, data, stored_at, expires_at)
VALUES (
    :cache_key::text,
    :data::jsonb,
    clock_timestamp(),
    clock_timestamp() + make_interval(secs => :seconds::float8)
)
ON CONFLICT (cache_key) DO UPDATE
    SET data = excluded.data, stored_at = excluded.stored_at, expires_at = excluded.expires_at;
