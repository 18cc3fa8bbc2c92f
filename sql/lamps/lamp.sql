-- Lamps: their configuration and status.
-- Each row brings the version of the reference data (locations, API configurations), which is the same for all lamps:
-- a process keeps that data and reads it again only when the version has moved. Where many lamps are read at once, the
-- server compares it with the one that the process has, which takes less than to send it with each of them.

-- name: lamp_active_list(known_version)
-- All active lamps, the ones heard of last first, for background processing.
-- replica: ok
-- accept: SEQ-SCAN nearly all lamps are active, and all of these are wanted
-- accept: MANY-ROWS the specification wants them at once; a caller with many takes the stream below
-- accept: BIG-SORT some 80 MB, once for each run of the background processing
SELECT
    lr.lamp_id,
    lr.location_index,
    lr.brightness,
    lr.is_active,
    lr.last_seen,
    (SELECT rv.version = :known_version::uuid FROM reference_version AS rv) AS version_is_known
FROM lamp_registry AS lr
WHERE lr.is_active
ORDER BY lr.last_seen DESC NULLS LAST, lr.lamp_id ASC;

-- name: lamp_active_stream()
-- All active lamps in the order of their ids, which the primary key gives without sorting a million rows.
-- accept: MANY-ROWS they are fetched in batches, by a cursor
SELECT
    lr.lamp_id,
    lr.location_index,
    lr.brightness,
    lr.is_active,
    lr.last_seen,
    (SELECT rv.version FROM reference_version AS rv) AS reference_version
FROM lamp_registry AS lr
WHERE lr.is_active
ORDER BY lr.lamp_id;

-- name: lamp_configuration(lamp_id)^
-- What one active lamp is configured to do.
-- replica: ok
SELECT
    lr.lamp_id,
    lr.location_index,
    lr.brightness,
    lr.is_active,
    lr.last_seen,
    (SELECT rv.version FROM reference_version AS rv) AS reference_version
FROM lamp_registry AS lr
WHERE lr.lamp_id = :lamp_id::uuid AND lr.is_active;

-- name: lamp_configurations(lamp_ids, known_version)
-- What several active lamps are configured to do, in no particular order.
-- replica: ok
SELECT
    lr.lamp_id,
    lr.location_index,
    lr.brightness,
    lr.is_active,
    lr.last_seen,
    (SELECT rv.version = :known_version::uuid FROM reference_version AS rv) AS version_is_known
FROM lamp_registry AS lr
WHERE lr.lamp_id = ANY(:lamp_ids::uuid[]) AND lr.is_active;

-- name: lamp_insert(lamp_id, email, email_key, name, password_hash, location_index, brightness)!
-- Registers a lamp and its user; no row when that e-mail address is taken, however spelt.
-- The unique key decides, not an earlier look: of concurrent registrations one wins.
INSERT INTO lamp_registry (
    lamp_id, email, email_key, name, password_hash, location_index, brightness
) VALUES (
    :lamp_id::uuid,
    :email::text,
    :email_key::text,
    :name::text,
    :password_hash::text,
    :location_index::int4,
    :brightness::int4
)
ON CONFLICT (email_key) DO NOTHING;

-- name: lamp_status_update(lamp_id, is_active)!
-- Sets whether a lamp is in use, and that it was heard of now.
-- accept: NOT-HOT is_active, which has an index, is seldom another one than before; what counts is the value
UPDATE lamp_registry
SET
    is_active = :is_active::boolean,
    last_seen = CURRENT_TIMESTAMP,
    updated_at = CURRENT_TIMESTAMP
WHERE lamp_id = :lamp_id::uuid;
