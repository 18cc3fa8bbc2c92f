-- Users: who runs commands. Names and addresses are unique by their keys; passwords, keys and tokens are hashes.

-- name: user_anonymise(row_id)!
-- Takes out of a user all that tells who it is; the row stays, so that counts stay.
-- Run together with audit_anonymise and command_anonymise.
-- accept: NOT-HOT done once
UPDATE specify.users AS u
SET
    username = 'user-' || u.id,
    username_key = 'user-' || u.id,
    email = 'user-' || u.id || '@invalid',
    email_key = 'user-' || u.id || '@invalid',
    full_name = NULL,
    password_hash = ''::bytea,
    api_key_hash = NULL,
    api_key_preview = NULL,
    is_active = false,
    last_login_at = NULL,
    meta = '{}'::jsonb,
    updated_at = CURRENT_TIMESTAMP
WHERE u.id = :row_id::bigint;

-- name: user_by_api_key(api_key_hash)^
-- The user whose API key has this hash.
SELECT
    u.id,
    u.username,
    u.email,
    u.full_name,
    u.password_hash,
    u.api_key_preview,
    u.is_active,
    u.is_admin,
    u.created_at,
    u.updated_at,
    u.last_login_at,
    u.meta,
    (
        SELECT count(*)
        FROM specify.projects AS p
        WHERE p.owner_id = u.id AND p.is_active
    ) AS active_projects_count
FROM specify.users AS u
WHERE u.api_key_hash = :api_key_hash::text;

-- name: user_by_email(email, email_key)^
-- The user with this address, spelled so; the key is what the index knows.
SELECT
    u.id,
    u.username,
    u.email,
    u.full_name,
    u.password_hash,
    u.api_key_preview,
    u.is_active,
    u.is_admin,
    u.created_at,
    u.updated_at,
    u.last_login_at,
    u.meta,
    (
        SELECT count(*)
        FROM specify.projects AS p
        WHERE p.owner_id = u.id AND p.is_active
    ) AS active_projects_count
FROM specify.users AS u
WHERE u.email_key = :email_key::text AND u.email = :email::text;

-- name: user_by_id(row_id)^
-- A user by its id.
SELECT
    u.id,
    u.username,
    u.email,
    u.full_name,
    u.password_hash,
    u.api_key_preview,
    u.is_active,
    u.is_admin,
    u.created_at,
    u.updated_at,
    u.last_login_at,
    u.meta,
    (
        SELECT count(*)
        FROM specify.projects AS p
        WHERE p.owner_id = u.id AND p.is_active
    ) AS active_projects_count
FROM specify.users AS u
WHERE u.id = :row_id::bigint;

-- name: user_by_username(username, username_key)^
-- The user with this name, spelled so; the key is what the index knows.
SELECT
    u.id,
    u.username,
    u.email,
    u.full_name,
    u.password_hash,
    u.api_key_preview,
    u.is_active,
    u.is_admin,
    u.created_at,
    u.updated_at,
    u.last_login_at,
    u.meta,
    (
        SELECT count(*)
        FROM specify.projects AS p
        WHERE p.owner_id = u.id AND p.is_active
    ) AS active_projects_count
FROM specify.users AS u
WHERE u.username_key = :username_key::text AND u.username = :username::text;

-- name: user_count()$
-- How many users there are.
SELECT count(*) AS total
FROM specify.users;

-- name: user_delete(row_id)!
-- Deletes a user, and what belongs to it.
-- accept: CASCADE projects and sessions go with their user; commands and audit rows stay without one
DELETE FROM specify.users AS u
WHERE u.id = :row_id::bigint;

-- name: user_insert(documents)
-- Inserts users, given as a JSON array of objects; leaves out those whose unique keys are taken.
INSERT INTO specify.users (
    id,
    username,
    username_key,
    email,
    email_key,
    full_name,
    password_hash,
    api_key_hash,
    api_key_preview,
    is_active,
    is_admin,
    last_login_at,
    meta
)
SELECT
    coalesce(r.id, nextval('specify.users_id_seq')) AS id,
    r.username,
    r.username_key,
    r.email,
    r.email_key,
    r.full_name,
    r.password_hash,
    r.api_key_hash,
    r.api_key_preview,
    r.is_active,
    r.is_admin,
    r.last_login_at,
    r.meta
FROM jsonb_to_recordset(:documents::jsonb) AS r (
        id bigint,
        username text,
        username_key text,
        email text,
        email_key text,
        full_name text,
        password_hash bytea,
        api_key_hash text,
        api_key_preview text,
        is_active boolean,
        is_admin boolean,
        last_login_at timestamptz,
        meta jsonb
    )
ON CONFLICT DO NOTHING
RETURNING
    id,
    username,
    email,
    full_name,
    password_hash,
    api_key_preview,
    is_active,
    is_admin,
    created_at,
    updated_at,
    last_login_at,
    meta,
    0::bigint AS active_projects_count;

-- name: user_list(is_active, is_admin, row_limit, row_offset)
-- Users by id, of one kind or of any.
-- plan: custom
-- example: is_active=true, is_admin=null, row_limit=100, row_offset=0
-- example: is_active=null, is_admin=true, row_limit=100, row_offset=0
SELECT
    u.id,
    u.username,
    u.email,
    u.full_name,
    u.password_hash,
    u.api_key_preview,
    u.is_active,
    u.is_admin,
    u.created_at,
    u.updated_at,
    u.last_login_at,
    u.meta,
    (
        SELECT count(*)
        FROM specify.projects AS p
        WHERE p.owner_id = u.id AND p.is_active
    ) AS active_projects_count
FROM specify.users AS u
WHERE
    (:is_active::boolean IS NULL OR u.is_active = :is_active::boolean)
    AND (:is_admin::boolean IS NULL OR u.is_admin = :is_admin::boolean)
ORDER BY u.id
LIMIT :row_limit::bigint OFFSET :row_offset::bigint;

-- name: user_login(row_id)<!
-- Records that a user has logged in.
UPDATE specify.users AS u
SET
    last_login_at = CURRENT_TIMESTAMP,
    updated_at = CURRENT_TIMESTAMP
WHERE u.id = :row_id::bigint
RETURNING
    u.id,
    u.username,
    u.email,
    u.full_name,
    u.password_hash,
    u.api_key_preview,
    u.is_active,
    u.is_admin,
    u.created_at,
    u.updated_at,
    u.last_login_at,
    u.meta,
    (
        SELECT count(*)
        FROM specify.projects AS p
        WHERE p.owner_id = u.id AND p.is_active
    ) AS active_projects_count;

-- name: user_names(ids)
-- The names of users.
SELECT
    u.id,
    u.username
FROM specify.users AS u
WHERE u.id = ANY(:ids::bigint[]);

-- name: user_page(row_order, row_limit, row_offset)
-- A page of users in one of several orders, each row behind the number of all; beyond the end a row without user.
-- plan: custom
-- example: row_order='id', row_limit=20, row_offset=0
SELECT
    t.total,
    u.id,
    u.username,
    u.email,
    u.full_name,
    u.password_hash,
    u.api_key_preview,
    u.is_active,
    u.is_admin,
    u.created_at,
    u.updated_at,
    u.last_login_at,
    u.meta,
    (
        SELECT count(*)
        FROM specify.projects AS p
        WHERE p.owner_id = u.id AND p.is_active
    ) AS active_projects_count
FROM (
    SELECT count(*) AS total
    FROM specify.users
) AS t
LEFT JOIN (
    (
        SELECT
            u.id,
            row_number() OVER (ORDER BY u.id) AS place
        FROM specify.users AS u
        WHERE :row_order::text = 'id'
        ORDER BY u.id
        LIMIT :row_limit::bigint OFFSET :row_offset::bigint
    )
    UNION ALL
    (
        SELECT
            u.id,
            row_number() OVER (ORDER BY u.id DESC) AS place
        FROM specify.users AS u
        WHERE :row_order::text = '-id'
        ORDER BY u.id DESC
        LIMIT :row_limit::bigint OFFSET :row_offset::bigint
    )
    UNION ALL
    (
        SELECT
            u.id,
            row_number() OVER (ORDER BY u.username, u.id) AS place
        FROM specify.users AS u
        WHERE :row_order::text = 'username'
        ORDER BY u.username, u.id
        LIMIT :row_limit::bigint OFFSET :row_offset::bigint
    )
) AS o ON true
LEFT JOIN specify.users AS u ON o.id = u.id
ORDER BY o.place;

-- name: user_rotate_api_key(row_id, api_key_hash, api_key_preview)!
-- Gives a user another API key in place of the one before.
-- accept: NOT-HOT it is found by this column
UPDATE specify.users AS u
SET
    api_key_hash = :api_key_hash::text,
    api_key_preview = :api_key_preview::text,
    updated_at = CURRENT_TIMESTAMP
WHERE u.id = :row_id::bigint;

-- name: user_search(query, pattern, row_limit)
-- Users with a text in their name, address or full name: the name itself first, then names that begin so.
-- accept: SEQ-SCAN a substring has no index here; migrations/specify_trgm gives it one
SELECT
    u.id,
    u.username,
    u.email,
    u.full_name,
    u.password_hash,
    u.api_key_preview,
    u.is_active,
    u.is_admin,
    u.created_at,
    u.updated_at,
    u.last_login_at,
    u.meta,
    (
        SELECT count(*)
        FROM specify.projects AS p
        WHERE p.owner_id = u.id AND p.is_active
    ) AS active_projects_count
FROM specify.users AS u
WHERE u.username ILIKE :pattern::text OR u.email ILIKE :pattern::text OR u.full_name ILIKE :pattern::text
ORDER BY
    lower(u.username) = lower(:query::text) DESC,
    starts_with(lower(u.username), lower(:query::text)) DESC,
    u.id
LIMIT :row_limit::bigint;

-- name: user_taken(username_keys, email_keys)
-- The keys of users that are there already.
SELECT
    u.username_key,
    u.email_key
FROM specify.users AS u
WHERE u.username_key = ANY(:username_keys::text[]) OR u.email_key = ANY(:email_keys::text[]);

-- name: user_update(documents)
-- Updates users by id, each by a JSON object of an array; a key that it lacks is a column that stays.
-- By ascending id, so that two such updates wait for each other and do not deadlock.
-- accept: NOT-HOT where no indexed value differs, the update is one all the same
UPDATE specify.users AS u
SET
    username = CASE WHEN d.doc ? 'username' THEN d.doc ->> 'username' ELSE u.username END,
    username_key = CASE WHEN d.doc ? 'username_key' THEN d.doc ->> 'username_key' ELSE u.username_key END,
    email = CASE WHEN d.doc ? 'email' THEN d.doc ->> 'email' ELSE u.email END,
    email_key = CASE WHEN d.doc ? 'email_key' THEN d.doc ->> 'email_key' ELSE u.email_key END,
    full_name = CASE WHEN d.doc ? 'full_name' THEN d.doc ->> 'full_name' ELSE u.full_name END,
    password_hash = CASE WHEN d.doc ? 'password_hash' THEN (d.doc ->> 'password_hash')::bytea ELSE u.password_hash END,
    api_key_hash = CASE WHEN d.doc ? 'api_key_hash' THEN d.doc ->> 'api_key_hash' ELSE u.api_key_hash END,
    api_key_preview = CASE WHEN d.doc ? 'api_key_preview' THEN d.doc ->> 'api_key_preview' ELSE u.api_key_preview END,
    is_active = CASE WHEN d.doc ? 'is_active' THEN (d.doc ->> 'is_active')::boolean ELSE u.is_active END,
    is_admin = CASE WHEN d.doc ? 'is_admin' THEN (d.doc ->> 'is_admin')::boolean ELSE u.is_admin END,
    last_login_at
    = CASE WHEN d.doc ? 'last_login_at' THEN (d.doc ->> 'last_login_at')::timestamptz ELSE u.last_login_at END,
    meta = CASE WHEN d.doc ? 'meta' THEN d.doc -> 'meta' ELSE u.meta END,
    updated_at = CURRENT_TIMESTAMP
FROM (
    SELECT
        l.id,
        e.doc
    FROM jsonb_array_elements(:documents::jsonb) AS e (doc)
    INNER JOIN specify.users AS l ON l.id = (e.doc ->> 'id')::bigint
    ORDER BY l.id
    FOR NO KEY UPDATE OF l
) AS d
WHERE u.id = d.id
RETURNING
    u.id,
    u.username,
    u.email,
    u.full_name,
    u.password_hash,
    u.api_key_preview,
    u.is_active,
    u.is_admin,
    u.created_at,
    u.updated_at,
    u.last_login_at,
    u.meta,
    (
        SELECT count(*)
        FROM specify.projects AS p
        WHERE p.owner_id = u.id AND p.is_active
    ) AS active_projects_count;
