-- Accounts and their profiles.

-- name: profile_by_user(user_id)^
-- The profile of a user.
SELECT
    up.user_id,
    up.first_name,
    up.last_name,
    up.avatar,
    up.timezone,
    up.preferences,
    up.settings,
    up.created_at,
    up.updated_at
FROM daylight.user_profiles AS up
WHERE up.user_id = :user_id::text;

-- name: profile_insert(user_id, first_name, last_name, avatar, timezone, preferences, settings)<!
-- Stores the profile of a new user.
INSERT INTO daylight.user_profiles (user_id, first_name, last_name, avatar, timezone, preferences, settings)
VALUES (
    :user_id::text,
    :first_name::text,
    :last_name::text,
    :avatar::text,
    :timezone::text,
    :preferences::jsonb,
    :settings::jsonb
)
RETURNING user_id, first_name, last_name, avatar, timezone, preferences, settings, created_at, updated_at;

-- name: profile_update(user_id, changed, first_name, last_name, avatar, timezone, preferences, settings, expected_at)<!
-- Changes the named columns of a profile, and no other: two writers of different columns both win. No row when there is
-- no such profile, or it was changed since the expected moment.
-- retry: idempotent
UPDATE daylight.user_profiles AS up
SET
    first_name = CASE WHEN 'first_name' = ANY(:changed::text[]) THEN :first_name::text ELSE up.first_name END,
    last_name = CASE WHEN 'last_name' = ANY(:changed::text[]) THEN :last_name::text ELSE up.last_name END,
    avatar = CASE WHEN 'avatar' = ANY(:changed::text[]) THEN :avatar::text ELSE up.avatar END,
    timezone = CASE WHEN 'timezone' = ANY(:changed::text[]) THEN :timezone::text ELSE up.timezone END,
    preferences = CASE WHEN 'preferences' = ANY(:changed::text[]) THEN :preferences::jsonb ELSE up.preferences END,
    settings = CASE WHEN 'settings' = ANY(:changed::text[]) THEN :settings::jsonb ELSE up.settings END,
    updated_at = CURRENT_TIMESTAMP
WHERE
    up.user_id = :user_id::text
    AND (:expected_at::timestamptz IS NULL OR up.updated_at = :expected_at::timestamptz)
RETURNING
    up.user_id,
    up.first_name,
    up.last_name,
    up.avatar,
    up.timezone,
    up.preferences,
    up.settings,
    up.created_at,
    up.updated_at;

-- name: user_by_email(email_key)^
-- The user with an e-mail address, in the spelling under which it is found.
SELECT
    u.id,
    u.email,
    u.username,
    u.is_active,
    u.email_verified,
    u.created_at,
    u.updated_at,
    u.last_login_at
FROM daylight.users AS u
WHERE u.email_key = :email_key::text;

-- name: user_by_id(user_id)^
-- A user.
SELECT
    u.id,
    u.email,
    u.username,
    u.is_active,
    u.email_verified,
    u.created_at,
    u.updated_at,
    u.last_login_at
FROM daylight.users AS u
WHERE u.id = :user_id::text;

-- name: user_insert(id, email, email_key, username, username_key, password_hash)<!
-- Registers a user; no row when the id is taken. A taken e-mail address or username violates its constraint.
INSERT INTO daylight.users (id, email, email_key, username, username_key, password_hash)
VALUES (
    :id::text,
    :email::text,
    :email_key::text,
    :username::text,
    :username_key::text,
    :password_hash::text
)
ON CONFLICT (id) DO NOTHING
RETURNING id, email, username, is_active, email_verified, created_at, updated_at, last_login_at;

-- name: user_password_hash(email_key)$
-- The password hash of an active user, to be compared in constant time by the caller.
SELECT u.password_hash
FROM daylight.users AS u
WHERE u.email_key = :email_key::text AND u.is_active;

-- name: user_touch(user_id)!
-- Notes that a user was active, once a day at the most: retention counts in years.
-- retry: idempotent
UPDATE daylight.users AS u
SET last_active_at = CURRENT_TIMESTAMP
WHERE
    u.id = :user_id::text
    AND u.is_active
    AND u.last_active_at < CURRENT_TIMESTAMP - interval '1 day';

-- name: user_update(user_id, changed, email, email_key, username, username_key, password_hash, is_active, email_verified, last_login_at, expected_at)<!
-- Changes the named columns of a user, and no other: two writers of different columns both win. No row when there is no
-- accept: NOT-HOT addresses and names change rarely
-- such user, or it was changed since the expected moment. A user that is activated or logs in was active now.
-- retry: idempotent
UPDATE daylight.users AS u
SET
    email = CASE WHEN 'email' = ANY(:changed::text[]) THEN :email::text ELSE u.email END,
    email_key = CASE WHEN 'email' = ANY(:changed::text[]) THEN :email_key::text ELSE u.email_key END,
    username = CASE WHEN 'username' = ANY(:changed::text[]) THEN :username::text ELSE u.username END,
    username_key = CASE WHEN 'username' = ANY(:changed::text[]) THEN :username_key::text ELSE u.username_key END,
    password_hash = CASE
        WHEN 'password_hash' = ANY(:changed::text[]) THEN :password_hash::text ELSE u.password_hash
    END,
    is_active = CASE WHEN 'is_active' = ANY(:changed::text[]) THEN :is_active::boolean ELSE u.is_active END,
    email_verified = CASE
        WHEN 'email_verified' = ANY(:changed::text[]) THEN :email_verified::boolean ELSE u.email_verified
    END,
    last_login_at = CASE
        WHEN 'last_login_at' = ANY(:changed::text[]) THEN :last_login_at::timestamptz ELSE u.last_login_at
    END,
    last_active_at = CASE
        WHEN :changed::text[] && ARRAY['is_active', 'last_login_at'] THEN CURRENT_TIMESTAMP ELSE u.last_active_at
    END,
    updated_at = CURRENT_TIMESTAMP
WHERE
    u.id = :user_id::text
    AND (:expected_at::timestamptz IS NULL OR u.updated_at = :expected_at::timestamptz)
RETURNING u.id, u.email, u.username, u.is_active, u.email_verified, u.created_at, u.updated_at, u.last_login_at;
