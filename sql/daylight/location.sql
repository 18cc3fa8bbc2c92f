-- Places that a user keeps. Each statement has the user as well: another user's place is as missing.

-- name: location_delete(location_id, user_id)!
-- Deletes a place of a user.
DELETE FROM daylight.locations
WHERE id = :location_id::text AND user_id = :user_id::text;

-- name: location_insert(id, user_id, name, lat, lng, address, type, notes, tags, visited_at)<!
-- Stores a place; no row when the id is taken.
INSERT INTO daylight.locations (
    id, user_id, name, lat, lng, address, type, notes, tags, visited_at
) VALUES (
    :id::text,
    :user_id::text,
    :name::text,
    :lat::float8,
    :lng::float8,
    :address::text,
    :type::text,
    :notes::text,
    :tags::jsonb,
    :visited_at::timestamptz
)
ON CONFLICT (id) DO NOTHING
RETURNING id, user_id, name, lat, lng, address, type, notes, tags, created_at, updated_at, visited_at;

-- name: location_list(user_id, type)
-- Places of a user, newest first; of one type, or all.
SELECT
    l.id,
    l.user_id,
    l.name,
    l.lat,
    l.lng,
    l.address,
    l.type,
    l.notes,
    l.tags,
    l.created_at,
    l.updated_at,
    l.visited_at
FROM daylight.locations AS l
WHERE l.user_id = :user_id::text AND (:type::text IS NULL OR l.type = :type::text)
ORDER BY l.created_at DESC, l.id DESC
LIMIT 10000;

-- name: location_near(user_id, lat, lng, metres, row_limit)
-- Places of a user within a distance, nearest first, by the haversine formula on a sphere of 6,371,008.8 metres.
SELECT
    l.id,
    l.user_id,
    l.name,
    l.lat,
    l.lng,
    l.address,
    l.type,
    l.notes,
    l.tags,
    l.created_at,
    l.updated_at,
    l.visited_at
FROM daylight.locations AS l
CROSS JOIN
    LATERAL (
        VALUES (
            2 * 6371008.8 * asin(
                sqrt(
                    least(
                        1,
                        power(sind((l.lat - :lat::float8) / 2), 2)
                        + cosd(l.lat) * cosd(:lat::float8) * power(sind((l.lng - :lng::float8) / 2), 2)
                    )
                )
            )
        )
    ) AS away (metres)
WHERE l.user_id = :user_id::text AND away.metres <= :metres::float8
ORDER BY away.metres, l.id
LIMIT :row_limit::bigint;

-- name: location_update(location_id, user_id, changed, name, lat, lng, address, type, notes, tags, visited_at)<!
-- Changes the named columns of a user's place, and no other.
-- accept: NOT-HOT retention goes by the last change
-- retry: idempotent
UPDATE daylight.locations AS l
SET
    name = CASE WHEN 'name' = ANY(:changed::text[]) THEN :name::text ELSE l.name END,
    lat = CASE WHEN 'lat' = ANY(:changed::text[]) THEN :lat::float8 ELSE l.lat END,
    lng = CASE WHEN 'lng' = ANY(:changed::text[]) THEN :lng::float8 ELSE l.lng END,
    address = CASE WHEN 'address' = ANY(:changed::text[]) THEN :address::text ELSE l.address END,
    type = CASE WHEN 'type' = ANY(:changed::text[]) THEN :type::text ELSE l.type END,
    notes = CASE WHEN 'notes' = ANY(:changed::text[]) THEN :notes::text ELSE l.notes END,
    tags = CASE WHEN 'tags' = ANY(:changed::text[]) THEN :tags::jsonb ELSE l.tags END,
    visited_at = CASE WHEN 'visited_at' = ANY(:changed::text[]) THEN :visited_at::timestamptz ELSE l.visited_at END,
    updated_at = CURRENT_TIMESTAMP
WHERE l.id = :location_id::text AND l.user_id = :user_id::text
RETURNING
    l.id,
    l.user_id,
    l.name,
    l.lat,
    l.lng,
    l.address,
    l.type,
    l.notes,
    l.tags,
    l.created_at,
    l.updated_at,
    l.visited_at;
