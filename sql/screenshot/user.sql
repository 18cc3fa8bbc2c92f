-- Users: who may sign in, and what they prefer. What a password is compared with is read by user_password_hash alone.

-- name: user_by_azure_id(azure_id)^
-- The user with an account at Azure.
-- accept: ONE-OF-MANY the index on it is unique where it is not null
SELECT
    u.id,
    u.email,
    u.first_name,
    u.last_name,
    u.display_name,
    u.avatar,
    u.status,
    u.role,
    u.auth_provider,
    u.azure_id,
    u.google_id,
    u.github_id,
    u.email_verified,
    u.email_verified_at,
    u.last_login_at,
    u.last_login_ip,
    u.last_login_user_agent,
    u.login_count,
    u.password_changed_at,
    u.preferences,
    u.metadata,
    u.created_at,
    u.updated_at,
    NULL::text AS password_hash
FROM screenshot.users AS u
WHERE u.azure_id = :azure_id::text;

-- name: user_by_email(email_key)^
-- The user with an e-mail address, in the spelling under which it is found.
SELECT
    u.id,
    u.email,
    u.first_name,
    u.last_name,
    u.display_name,
    u.avatar,
    u.status,
    u.role,
    u.auth_provider,
    u.azure_id,
    u.google_id,
    u.github_id,
    u.email_verified,
    u.email_verified_at,
    u.last_login_at,
    u.last_login_ip,
    u.last_login_user_agent,
    u.login_count,
    u.password_changed_at,
    u.preferences,
    u.metadata,
    u.created_at,
    u.updated_at,
    NULL::text AS password_hash
FROM screenshot.users AS u
WHERE u.email_key = :email_key::text;

-- name: user_by_github_id(github_id)^
-- The user with an account at GitHub.
-- accept: ONE-OF-MANY the index on it is unique where it is not null
SELECT
    u.id,
    u.email,
    u.first_name,
    u.last_name,
    u.display_name,
    u.avatar,
    u.status,
    u.role,
    u.auth_provider,
    u.azure_id,
    u.google_id,
    u.github_id,
    u.email_verified,
    u.email_verified_at,
    u.last_login_at,
    u.last_login_ip,
    u.last_login_user_agent,
    u.login_count,
    u.password_changed_at,
    u.preferences,
    u.metadata,
    u.created_at,
    u.updated_at,
    NULL::text AS password_hash
FROM screenshot.users AS u
WHERE u.github_id = :github_id::text;

-- name: user_by_google_id(google_id)^
-- The user with an account at Google.
-- accept: ONE-OF-MANY the index on it is unique where it is not null
SELECT
    u.id,
    u.email,
    u.first_name,
    u.last_name,
    u.display_name,
    u.avatar,
    u.status,
    u.role,
    u.auth_provider,
    u.azure_id,
    u.google_id,
    u.github_id,
    u.email_verified,
    u.email_verified_at,
    u.last_login_at,
    u.last_login_ip,
    u.last_login_user_agent,
    u.login_count,
    u.password_changed_at,
    u.preferences,
    u.metadata,
    u.created_at,
    u.updated_at,
    NULL::text AS password_hash
FROM screenshot.users AS u
WHERE u.google_id = :google_id::text;

-- name: user_by_id(id)^
-- A user.
SELECT
    u.id,
    u.email,
    u.first_name,
    u.last_name,
    u.display_name,
    u.avatar,
    u.status,
    u.role,
    u.auth_provider,
    u.azure_id,
    u.google_id,
    u.github_id,
    u.email_verified,
    u.email_verified_at,
    u.last_login_at,
    u.last_login_ip,
    u.last_login_user_agent,
    u.login_count,
    u.password_changed_at,
    u.preferences,
    u.metadata,
    u.created_at,
    u.updated_at,
    NULL::text AS password_hash
FROM screenshot.users AS u
WHERE u.id = :id::uuid;

-- name: user_by_preference(preference, row_limit)
-- Users whose preferences contain a document, in no order.
-- plan: custom
-- example: preference='{"theme": "dark"}', row_limit=100
SELECT
    u.id,
    u.email,
    u.first_name,
    u.last_name,
    u.display_name,
    u.avatar,
    u.status,
    u.role,
    u.auth_provider,
    u.azure_id,
    u.google_id,
    u.github_id,
    u.email_verified,
    u.email_verified_at,
    u.last_login_at,
    u.last_login_ip,
    u.last_login_user_agent,
    u.login_count,
    u.password_changed_at,
    u.preferences,
    u.metadata,
    u.created_at,
    u.updated_at,
    NULL::text AS password_hash
FROM screenshot.users AS u
WHERE u.preferences @> :preference::jsonb
LIMIT :row_limit::int8;

-- name: user_delete(id)!
-- Deletes a user with all projects, codes, images and sessions. Stored objects and audit entries stay without it.
-- accept: CASCADE what belongs to it goes with it
DELETE FROM screenshot.users AS u
WHERE u.id = :id::uuid;

-- name: user_insert(id, email, email_key, first_name, last_name, display_name, avatar, password_hash, status, role, auth_provider, azure_id, google_id, github_id, email_verified, preferences, metadata)<!
-- Stores a new user.
INSERT INTO screenshot.users (
    id,
    email,
    email_key,
    first_name,
    last_name,
    display_name,
    avatar,
    password_hash,
    status,
    role,
    auth_provider,
    azure_id,
    google_id,
    github_id,
    email_verified,
    preferences,
    metadata
)
VALUES (
    :id::uuid,
    :email::text,
    :email_key::text,
    :first_name::text,
    :last_name::text,
    :display_name::text,
    :avatar::text,
    :password_hash::text,
    :status::text,
    :role::text,
    :auth_provider::text,
    :azure_id::text,
    :google_id::text,
    :github_id::text,
    :email_verified::boolean,
    :preferences::jsonb,
    :metadata::jsonb
)
RETURNING
    id,
    email,
    first_name,
    last_name,
    display_name,
    avatar,
    status,
    role,
    auth_provider,
    azure_id,
    google_id,
    github_id,
    email_verified,
    email_verified_at,
    last_login_at,
    last_login_ip,
    last_login_user_agent,
    login_count,
    password_changed_at,
    preferences,
    metadata,
    created_at,
    updated_at,
    NULL::text AS password_hash;

-- name: user_list(status, after_created_at, after_id, row_limit)
-- Users, the oldest first, from behind a known one on; of one status, or all when status is null.
-- plan: custom
-- example: status=null, after_created_at=null, after_id=null, row_limit=100
-- example: status='active', after_created_at='2026-01-01 00:00:00+00', after_id='8a6e0804-2bd0-4672-b79d-d97027f9071a', row_limit=100
SELECT
    u.id,
    u.email,
    u.first_name,
    u.last_name,
    u.display_name,
    u.avatar,
    u.status,
    u.role,
    u.auth_provider,
    u.azure_id,
    u.google_id,
    u.github_id,
    u.email_verified,
    u.email_verified_at,
    u.last_login_at,
    u.last_login_ip,
    u.last_login_user_agent,
    u.login_count,
    u.password_changed_at,
    u.preferences,
    u.metadata,
    u.created_at,
    u.updated_at,
    NULL::text AS password_hash
FROM screenshot.users AS u
WHERE
    (:status::text IS NULL OR u.status = :status::text)
    AND (:after_id::uuid IS NULL OR (u.created_at, u.id) > (:after_created_at::timestamptz, :after_id::uuid))
ORDER BY u.created_at, u.id
LIMIT :row_limit::int8;

-- name: user_login(id, ip_address, user_agent)!
-- Counts a login. Not renewing updated_at, it is no change that a save could lose.
UPDATE screenshot.users AS u
SET
    last_login_at = clock_timestamp(),
    last_login_ip = :ip_address::inet,
    last_login_user_agent = :user_agent::text,
    login_count = u.login_count + 1
WHERE u.id = :id::uuid;

-- name: user_metadata_merge(id, changes)$
-- Merges top-level keys into the metadata; a key whose value is null is removed.
UPDATE screenshot.users AS u
SET
    metadata = (u.metadata || :changes::jsonb) - ARRAY(
        SELECT c.key
        FROM jsonb_each(:changes::jsonb) AS c
        WHERE c.value = 'null'
    ),
    updated_at = clock_timestamp()
WHERE u.id = :id::uuid
RETURNING u.metadata;

-- name: user_password_hash(email_key)$
-- What the password of an active user with an e-mail address is compared with.
SELECT u.password_hash
FROM screenshot.users AS u
WHERE u.email_key = :email_key::text AND u.status = 'active';

-- name: user_preferences_merge(id, changes)$
-- Merges top-level keys into the preferences; a key whose value is null is removed.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.users AS u
SET
    preferences = (u.preferences || :changes::jsonb) - ARRAY(
        SELECT c.key
        FROM jsonb_each(:changes::jsonb) AS c
        WHERE c.value = 'null'
    ),
    updated_at = clock_timestamp()
WHERE u.id = :id::uuid
RETURNING u.preferences;

-- name: user_reset_begin(email_key, token, seconds)!
-- Stores the hash of a token with which an active user may choose another password.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.users AS u
SET
    reset_password_token = :token::text,
    reset_password_expires_at = clock_timestamp() + make_interval(secs => :seconds::int4)
WHERE u.email_key = :email_key::text AND u.status = 'active';

-- name: user_reset_finish(token, password_hash)$
-- Replaces the password hash for a token that has not expired, once; the id of the user.
-- accept: ONE-OF-MANY the index on it is unique where it is not null
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.users AS u
SET
    password_hash = :password_hash::text,
    password_changed_at = clock_timestamp(),
    reset_password_token = NULL,
    reset_password_expires_at = NULL,
    updated_at = clock_timestamp()
WHERE u.reset_password_token = :token::text AND u.reset_password_expires_at > clock_timestamp()
RETURNING u.id;

-- name: user_status(id, status)!
-- Gives a user another status.
UPDATE screenshot.users AS u
SET status = :status::text, updated_at = clock_timestamp()
WHERE u.id = :id::uuid;

-- name: user_update(id, email, email_key, first_name, last_name, display_name, avatar, password_hash, status, role, auth_provider, azure_id, google_id, github_id, email_verified, preferences, metadata, seen_at)<!
-- Changes a user that has not been changed since it was read; no row otherwise. Without a password hash the
-- stored one stays.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.users AS u
SET
    email = :email::text,
    email_key = :email_key::text,
    first_name = :first_name::text,
    last_name = :last_name::text,
    display_name = :display_name::text,
    avatar = :avatar::text,
    password_hash = coalesce(:password_hash::text, u.password_hash),
    status = :status::text,
    role = :role::text,
    auth_provider = :auth_provider::text,
    azure_id = :azure_id::text,
    google_id = :google_id::text,
    github_id = :github_id::text,
    email_verified = :email_verified::boolean,
    preferences = :preferences::jsonb,
    metadata = :metadata::jsonb,
    password_changed_at = CASE WHEN :password_hash::text IS NULL THEN u.password_changed_at ELSE clock_timestamp() END,
    updated_at = clock_timestamp()
WHERE u.id = :id::uuid AND u.updated_at = :seen_at::timestamptz
RETURNING
    u.id,
    u.email,
    u.first_name,
    u.last_name,
    u.display_name,
    u.avatar,
    u.status,
    u.role,
    u.auth_provider,
    u.azure_id,
    u.google_id,
    u.github_id,
    u.email_verified,
    u.email_verified_at,
    u.last_login_at,
    u.last_login_ip,
    u.last_login_user_agent,
    u.login_count,
    u.password_changed_at,
    u.preferences,
    u.metadata,
    u.created_at,
    u.updated_at,
    NULL::text AS password_hash;

-- name: user_verification_begin(id, token, seconds)!
-- Stores the hash of a token that shows that an e-mail address is the user's.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.users AS u
SET
    email_verification_token = :token::text,
    email_verification_expires_at = clock_timestamp() + make_interval(secs => :seconds::int4)
WHERE u.id = :id::uuid;

-- name: user_verification_finish(token)$
-- Marks the e-mail address as verified for a token that has not expired, once; the id of the user.
-- accept: ONE-OF-MANY the index on it is unique where it is not null
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.users AS u
SET
    email_verified = true,
    email_verified_at = clock_timestamp(),
    email_verification_token = NULL,
    email_verification_expires_at = NULL,
    updated_at = clock_timestamp()
WHERE u.email_verification_token = :token::text AND u.email_verification_expires_at > clock_timestamp()
RETURNING u.id;
