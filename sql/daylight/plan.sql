-- Plans of a user's days. Each statement has the user as well: another user's plan is as missing.

-- name: plan_by_id(plan_id, user_id)^
-- A plan of a user.
SELECT
    p.id,
    p.user_id,
    p.title,
    p.description,
    p.location,
    p.start_time,
    p.end_time,
    p.activities,
    p.preferences,
    p.status,
    p.created_at,
    p.updated_at
FROM daylight.plans AS p
WHERE p.id = :plan_id::text AND p.user_id = :user_id::text;

-- name: plan_delete(plan_id, user_id)!
-- Deletes a plan of a user.
DELETE FROM daylight.plans
WHERE id = :plan_id::text AND user_id = :user_id::text;

-- name: plan_insert(id, user_id, title, description, location, start_time, end_time, activities, preferences)<!
-- Stores a plan; no row when the id is taken.
INSERT INTO daylight.plans (
    id, user_id, title, description, location, start_time, end_time, activities, preferences
) VALUES (
    :id::text,
    :user_id::text,
    :title::text,
    :description::text,
    :location::jsonb,
    :start_time::timestamptz,
    :end_time::timestamptz,
    :activities::jsonb,
    :preferences::jsonb
)
ON CONFLICT (id) DO NOTHING
RETURNING
    id,
    user_id,
    title,
    description,
    location,
    start_time,
    end_time,
    activities,
    preferences,
    status,
    created_at,
    updated_at;

-- name: plan_list(user_id, status, before_created_at, before_id, row_limit)
-- Plans of a user, newest first, from before a known plan or from the newest.
SELECT
    p.id,
    p.user_id,
    p.title,
    p.description,
    p.location,
    p.start_time,
    p.end_time,
    p.activities,
    p.preferences,
    p.status,
    p.created_at,
    p.updated_at
FROM daylight.plans AS p
WHERE
    p.user_id = :user_id::text
    AND (:status::text IS NULL OR p.status = :status::text)
    AND (p.created_at, p.id) < (
        COALESCE(:before_created_at::timestamptz, 'infinity'::timestamptz),
        COALESCE(:before_id::text, '')
    )
ORDER BY p.created_at DESC, p.id DESC
LIMIT :row_limit::bigint;

-- name: plan_update(plan_id, user_id, changed, title, description, location, start_time, end_time, activities, preferences, status, expected_at)<!
-- Changes the named columns of a user's plan, and no other: two writers of different columns both win. No row when
-- there is no such plan of the user, or it was changed since the expected moment.
-- retry: idempotent
UPDATE daylight.plans AS p
SET
    title = CASE WHEN 'title' = ANY(:changed::text[]) THEN :title::text ELSE p.title END,
    description = CASE WHEN 'description' = ANY(:changed::text[]) THEN :description::text ELSE p.description END,
    location = CASE WHEN 'location' = ANY(:changed::text[]) THEN :location::jsonb ELSE p.location END,
    start_time = CASE WHEN 'start_time' = ANY(:changed::text[]) THEN :start_time::timestamptz ELSE p.start_time END,
    end_time = CASE WHEN 'end_time' = ANY(:changed::text[]) THEN :end_time::timestamptz ELSE p.end_time END,
    activities = CASE WHEN 'activities' = ANY(:changed::text[]) THEN :activities::jsonb ELSE p.activities END,
    preferences = CASE WHEN 'preferences' = ANY(:changed::text[]) THEN :preferences::jsonb ELSE p.preferences END,
    status = CASE WHEN 'status' = ANY(:changed::text[]) THEN :status::text ELSE p.status END,
    updated_at = CURRENT_TIMESTAMP
WHERE
    p.id = :plan_id::text
    AND p.user_id = :user_id::text
    AND (:expected_at::timestamptz IS NULL OR p.updated_at = :expected_at::timestamptz)
RETURNING
    p.id,
    p.user_id,
    p.title,
    p.description,
    p.location,
    p.start_time,
    p.end_time,
    p.activities,
    p.preferences,
    p.status,
    p.created_at,
    p.updated_at;
