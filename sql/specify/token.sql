-- Session tokens of users: found by their hash alone.

-- name: token_all(row_limit, row_offset)
-- All session tokens by id, a stretch of them.
-- plan: custom
-- example: row_limit=100, row_offset=0
SELECT
    st.id,
    st.user_id,
    st.created_at,
    st.expires_at,
    st.last_used_at,
    st.ip_address,
    st.user_agent,
    st.is_active,
    st.meta
FROM specify.session_tokens AS st
ORDER BY st.id
LIMIT :row_limit::bigint OFFSET :row_offset::bigint;

-- name: token_begin(token_hash, user_id, ttl_seconds, ip_address, user_agent, meta)<!
-- Begins a session that ends by itself.
INSERT INTO specify.session_tokens (token_hash, user_id, expires_at, ip_address, user_agent, meta)
VALUES (
    :token_hash::text,
    :user_id::bigint,
    clock_timestamp() + make_interval(secs => :ttl_seconds::float8),
    :ip_address::inet,
    :user_agent::text,
    :meta::jsonb
)
RETURNING
    id,
    user_id,
    created_at,
    expires_at,
    last_used_at,
    ip_address,
    user_agent,
    is_active,
    meta;

-- name: token_by_id(row_id)^
-- A session token by its id.
SELECT
    st.id,
    st.user_id,
    st.created_at,
    st.expires_at,
    st.last_used_at,
    st.ip_address,
    st.user_agent,
    st.is_active,
    st.meta
FROM specify.session_tokens AS st
WHERE st.id = :row_id::bigint;

-- name: token_clean(batch)!
-- Deletes expired tokens, so many at a time. Several may do this at once; each takes others.
DELETE FROM specify.session_tokens AS st
WHERE st.id = ANY(
        ARRAY(
            SELECT e.id
            FROM specify.session_tokens AS e
            WHERE e.expires_at <= clock_timestamp()
            ORDER BY e.expires_at
            LIMIT :batch::bigint
            FOR UPDATE SKIP LOCKED
        )
    );

-- name: token_count()$
-- How many session tokens there are.
SELECT count(*) AS total
FROM specify.session_tokens;

-- name: token_delete(row_id)!
-- Deletes a session token.
DELETE FROM specify.session_tokens AS st
WHERE st.id = :row_id::bigint;

-- name: token_end_all(user_id)!
-- Ends all sessions of a user.
UPDATE specify.session_tokens AS st
SET is_active = false
WHERE st.user_id = :user_id::bigint AND st.is_active;

-- name: token_forget(user_id)!
-- Deletes all sessions of a user.
DELETE FROM specify.session_tokens AS st
WHERE st.user_id = :user_id::bigint;

-- name: token_insert(documents)
-- Inserts session tokens, given as a JSON array of objects; leaves out those whose unique keys are taken.
INSERT INTO specify.session_tokens (
    id, token_hash, user_id, expires_at, ip_address, user_agent, is_active, meta
)
SELECT
    coalesce(r.id, nextval('specify.session_tokens_id_seq')) AS id,
    r.token_hash,
    r.user_id,
    r.expires_at,
    r.ip_address,
    r.user_agent,
    r.is_active,
    r.meta
FROM jsonb_to_recordset(:documents::jsonb) AS r (
        id bigint,
        token_hash text,
        user_id bigint,
        expires_at timestamptz,
        ip_address inet,
        user_agent text,
        is_active boolean,
        meta jsonb
    )
ON CONFLICT DO NOTHING
RETURNING
    id,
    user_id,
    created_at,
    expires_at,
    last_used_at,
    ip_address,
    user_agent,
    is_active,
    meta;

-- name: token_page(row_order, row_limit, row_offset)
-- A page of session tokens in one of several orders, each row behind the number of all; beyond the end a row without session token.
-- plan: custom
-- example: row_order='id', row_limit=20, row_offset=0
SELECT
    t.total,
    st.id,
    st.user_id,
    st.created_at,
    st.expires_at,
    st.last_used_at,
    st.ip_address,
    st.user_agent,
    st.is_active,
    st.meta
FROM (
    SELECT count(*) AS total
    FROM specify.session_tokens
) AS t
LEFT JOIN (
    (
        SELECT
            st.id,
            row_number() OVER (ORDER BY st.id) AS place
        FROM specify.session_tokens AS st
        WHERE :row_order::text = 'id'
        ORDER BY st.id
        LIMIT :row_limit::bigint OFFSET :row_offset::bigint
    )
    UNION ALL
    (
        SELECT
            st.id,
            row_number() OVER (ORDER BY st.id DESC) AS place
        FROM specify.session_tokens AS st
        WHERE :row_order::text = '-id'
        ORDER BY st.id DESC
        LIMIT :row_limit::bigint OFFSET :row_offset::bigint
    )
) AS o ON true
LEFT JOIN specify.session_tokens AS st ON o.id = st.id
ORDER BY o.place;

-- name: token_revoke(token_hash)!
-- Ends a session; one that has ended counts, too.
UPDATE specify.session_tokens AS st
SET is_active = false
WHERE st.token_hash = :token_hash::text;

-- name: token_touch(row_id)!
-- Records that a token was used, at most once a minute, so that most validations write nothing.
UPDATE specify.session_tokens AS st
SET last_used_at = clock_timestamp()
WHERE
    st.id = :row_id::bigint
    AND coalesce(st.last_used_at < clock_timestamp() - interval '1 minute', true);

-- name: token_update(documents)
-- Updates session tokens by id, each by a JSON object of an array; a key that it lacks is a column that stays.
-- By ascending id, so that two such updates wait for each other and do not deadlock.
-- accept: NOT-HOT where no indexed value differs, the update is one all the same
UPDATE specify.session_tokens AS st
SET
    user_id = CASE WHEN d.doc ? 'user_id' THEN (d.doc ->> 'user_id')::bigint ELSE st.user_id END,
    expires_at = CASE WHEN d.doc ? 'expires_at' THEN (d.doc ->> 'expires_at')::timestamptz ELSE st.expires_at END,
    ip_address = CASE WHEN d.doc ? 'ip_address' THEN (d.doc ->> 'ip_address')::inet ELSE st.ip_address END,
    user_agent = CASE WHEN d.doc ? 'user_agent' THEN d.doc ->> 'user_agent' ELSE st.user_agent END,
    is_active = CASE WHEN d.doc ? 'is_active' THEN (d.doc ->> 'is_active')::boolean ELSE st.is_active END,
    meta = CASE WHEN d.doc ? 'meta' THEN d.doc -> 'meta' ELSE st.meta END
FROM (
    SELECT
        l.id,
        e.doc
    FROM jsonb_array_elements(:documents::jsonb) AS e (doc)
    INNER JOIN specify.session_tokens AS l ON l.id = (e.doc ->> 'id')::bigint
    ORDER BY l.id
    FOR NO KEY UPDATE OF l
) AS d
WHERE st.id = d.id
RETURNING
    st.id,
    st.user_id,
    st.created_at,
    st.expires_at,
    st.last_used_at,
    st.ip_address,
    st.user_agent,
    st.is_active,
    st.meta;

-- name: token_validate(token_hash)^
-- The session of a token, if it is active, has not expired, and its user is active; and whether token_touch is due.
SELECT
    st.id,
    st.user_id,
    st.created_at,
    st.expires_at,
    st.last_used_at,
    st.ip_address,
    st.user_agent,
    st.is_active,
    st.meta,
    coalesce(st.last_used_at < clock_timestamp() - interval '1 minute', true) AS touch_due
FROM specify.session_tokens AS st
INNER JOIN specify.users AS u ON st.user_id = u.id
WHERE
    st.token_hash = :token_hash::text
    AND st.is_active
    AND st.expires_at > clock_timestamp()
    AND u.is_active;
