-- What is deleted of a user who wants to be forgotten. The audit log keeps its entries, as the law has it.

-- name: erase_api_usage(user_id, row_limit)!
-- Deletes a portion of what a user's keys were used for.
-- example: user_id='kai', row_limit=5000
DELETE FROM daylight.api_usage
WHERE (id, occurred_at) IN (
        SELECT
            au.id,
            au.occurred_at
        FROM daylight.api_usage AS au
        WHERE au.user_id = :user_id::text
        LIMIT :row_limit::bigint
    );

-- name: erase_errors(user_id)!
-- Makes errors anonymous: the user and the context go, the error stays.
-- accept: SEQ-SCAN there is no index by user, and there are few erasures
UPDATE daylight.error_logs AS el
SET user_id = null, context = '{}'
WHERE el.user_id = :user_id::text;

-- name: erase_locations(user_id)!
-- Deletes the places of a user.
DELETE FROM daylight.locations
WHERE user_id = :user_id::text;

-- name: erase_plans(user_id)!
-- Deletes the plans of a user.
DELETE FROM daylight.plans
WHERE user_id = :user_id::text;

-- name: erase_profile(user_id)!
-- Deletes the profile of a user.
DELETE FROM daylight.user_profiles
WHERE user_id = :user_id::text;

-- name: erase_usage(user_id, row_limit)!
-- Deletes a portion of a user's events.
-- example: user_id='kai', row_limit=5000
DELETE FROM daylight.usage_analytics
WHERE
    user_id = :user_id::text
    AND (id, occurred_at) IN (
        SELECT
            ua.id,
            ua.occurred_at
        FROM daylight.usage_analytics AS ua
        WHERE ua.user_id = :user_id::text
        LIMIT :row_limit::bigint
    );

-- name: erase_user(user_id)!
-- Deletes an account with its sessions, roles and keys; what else is the user's is deleted before.
-- accept: CASCADE what belongs to the account alone goes with it
DELETE FROM daylight.users
WHERE id = :user_id::text;

-- name: hold_of_user(user_id)$
-- Whether a legal hold is about a user, or about everybody.
SELECT EXISTS(
    SELECT
    FROM daylight.legal_holds AS lh
    WHERE lh.released_at IS NULL AND (lh.user_id IS NULL OR lh.user_id = :user_id::text)
) AS is_held;
