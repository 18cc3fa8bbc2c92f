-- Which objects are in object storage. A row says what exists: pending before the object is there, deleting until it is gone.

-- name: object_adopt(id, object_key, content_type, size_bytes, etag)!
-- Notes an object that is there, under its key as its path, unless it is known or the path is taken.
-- retry: idempotent
INSERT INTO screenshot.stored_objects (
    id,
    path,
    object_key,
    status,
    content_type,
    size_bytes,
    stored_bytes,
    etag,
    stored_at
)
VALUES (
    :id::uuid,
    :object_key::text,
    :object_key::text,
    'stored',
    :content_type::text,
    :size_bytes::int8,
    :size_bytes::int8,
    :etag::text,
    clock_timestamp()
)
ON CONFLICT DO NOTHING;

-- name: object_begin(id, path, object_key, content_type, metadata, user_id, project_id, expires_in)!
-- Notes that an object is about to be stored; committed before it is.
INSERT INTO screenshot.stored_objects (
    id,
    path,
    object_key,
    content_type,
    metadata,
    user_id,
    project_id,
    delete_after
)
VALUES (
    :id::uuid,
    :path::text,
    :object_key::text,
    :content_type::text,
    :metadata::jsonb,
    :user_id::uuid,
    :project_id::uuid,
    clock_timestamp() + make_interval(secs => :expires_in::int4)
);

-- name: object_by_id(id)^
-- A stored object.
SELECT
    so.id,
    so.path,
    so.object_key,
    so.status,
    so.content_type,
    so.content_encoding,
    so.size_bytes,
    so.stored_bytes,
    so.sha256,
    so.etag,
    so.width,
    so.height,
    so.metadata,
    so.user_id,
    so.project_id,
    so.created_at,
    so.stored_at,
    so.delete_after
FROM screenshot.stored_objects AS so
WHERE so.id = :id::uuid AND so.status = 'stored';

-- name: object_by_key(object_key)^
-- The stored object of a key.
SELECT
    so.id,
    so.path,
    so.object_key,
    so.status,
    so.content_type,
    so.content_encoding,
    so.size_bytes,
    so.stored_bytes,
    so.sha256,
    so.etag,
    so.width,
    so.height,
    so.metadata,
    so.user_id,
    so.project_id,
    so.created_at,
    so.stored_at,
    so.delete_after
FROM screenshot.stored_objects AS so
WHERE so.object_key = :object_key::text AND so.status = 'stored';

-- name: object_by_path(path)^
-- The object of a path.
-- accept: ONE-OF-MANY the index on it is unique where it is not null
SELECT
    so.id,
    so.path,
    so.object_key,
    so.status,
    so.content_type,
    so.content_encoding,
    so.size_bytes,
    so.stored_bytes,
    so.sha256,
    so.etag,
    so.width,
    so.height,
    so.metadata,
    so.user_id,
    so.project_id,
    so.created_at,
    so.stored_at,
    so.delete_after
FROM screenshot.stored_objects AS so
WHERE so.path = :path::text AND so.status = 'stored';

-- name: object_exists(path)$
-- Whether there is an object of a path.
SELECT
    EXISTS(
        SELECT
        FROM screenshot.stored_objects AS so
        WHERE so.path = :path::text AND so.status = 'stored'
    ) AS is_there;

-- name: object_expire(row_limit)
-- Takes objects whose time is over, to be removed. Rows that another clean-up is taking are left to it.
-- retry: idempotent
-- plan: custom
-- example: row_limit=500
-- accept: NOT-HOT it is found or ordered by what changes
WITH over AS (
    SELECT so.id
    FROM screenshot.stored_objects AS so
    WHERE so.delete_after < clock_timestamp()
    ORDER BY so.delete_after
    LIMIT :row_limit::int8
    FOR UPDATE SKIP LOCKED
)

UPDATE screenshot.stored_objects AS so
SET status = 'deleting'
FROM over
WHERE so.id = over.id
RETURNING so.id, so.object_key;

-- name: object_finish(id, size_bytes, stored_bytes, content_encoding, sha256, etag, width, height)^
-- Makes an object the one of its path, whose former one was released before; no row if clean-up has taken it.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.stored_objects AS so
SET
    status = 'stored',
    size_bytes = :size_bytes::int8,
    stored_bytes = :stored_bytes::int8,
    content_encoding = :content_encoding::text,
    sha256 = :sha256::bytea,
    etag = :etag::text,
    width = :width::int4,
    height = :height::int4,
    stored_at = clock_timestamp()
WHERE so.id = :id::uuid AND so.status = 'pending'
RETURNING
    so.id,
    so.path,
    so.object_key,
    so.status,
    so.content_type,
    so.content_encoding,
    so.size_bytes,
    so.stored_bytes,
    so.sha256,
    so.etag,
    so.width,
    so.height,
    so.metadata,
    so.user_id,
    so.project_id,
    so.created_at,
    so.stored_at,
    so.delete_after;

-- name: object_forget(ids)!
-- Removes the rows of objects that are gone.
DELETE FROM screenshot.stored_objects AS so
WHERE so.id = ANY(:ids::uuid[]) AND so.status <> 'stored';

-- name: object_known(object_keys)
-- Those of some keys that a row has.
SELECT so.object_key
FROM screenshot.stored_objects AS so
WHERE so.object_key = ANY(:object_keys::text[]);

-- name: object_list(prefix, after_path, row_limit)
-- Objects whose path begins with a text, in the order of their paths, from behind a known one on.
-- plan: custom
-- example: prefix='images/', after_path='', row_limit=100
SELECT
    so.id,
    so.path,
    so.object_key,
    so.status,
    so.content_type,
    so.content_encoding,
    so.size_bytes,
    so.stored_bytes,
    so.sha256,
    so.etag,
    so.width,
    so.height,
    so.metadata,
    so.user_id,
    so.project_id,
    so.created_at,
    so.stored_at,
    so.delete_after
FROM screenshot.stored_objects AS so
WHERE
    so.status = 'stored'
    AND starts_with(so.path, :prefix::text)
    AND so.path > :after_path::text
ORDER BY so.path
LIMIT :row_limit::int8;

-- name: object_metadata(path, metadata)!
-- Replaces what is noted about an object.
UPDATE screenshot.stored_objects AS so
SET metadata = :metadata::jsonb
WHERE so.path = :path::text AND so.status = 'stored';

-- name: object_path_lock(path)$
-- Waits for others that finish an object of the same path, until the end of the transaction.
-- By itself: a lock that is part of the statement would come after its snapshot.
SELECT pg_advisory_xact_lock(hashtextextended(:path::text, 7310));

-- name: object_release(path)
-- Lets the object of a path go; its id and key, and how many bytes it has.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.stored_objects AS so
SET status = 'deleting'
WHERE so.path = :path::text AND so.status = 'stored'
RETURNING so.id, so.object_key;

-- name: object_unfinished(pending_seconds, row_limit)
-- Takes what is to be removed: what is released, and what was begun so many seconds ago and not finished. Rows that
-- another clean-up is taking are left to it.
-- retry: idempotent
-- plan: custom
-- example: pending_seconds=3600, row_limit=500
-- accept: NOT-HOT it is found or ordered by what changes
WITH over AS (
    SELECT so.id
    FROM screenshot.stored_objects AS so
    WHERE
        so.status <> 'stored'
        AND (
            so.status = 'deleting'
            OR so.created_at < clock_timestamp() - make_interval(secs => :pending_seconds::int4)
        )
    ORDER BY so.created_at
    LIMIT :row_limit::int8
    FOR UPDATE SKIP LOCKED
)

UPDATE screenshot.stored_objects AS so
SET status = 'deleting'
FROM over
WHERE so.id = over.id
RETURNING so.id, so.object_key;

-- name: object_usage()^
-- How many objects are stored, of how many bytes, and how many rows wait for clean-up.
-- accept: SEQ-SCAN figures that an operator asks for once in a while
SELECT
    count(*) FILTER (WHERE so.status = 'stored') AS objects,
    coalesce(sum(so.stored_bytes) FILTER (WHERE so.status = 'stored'), 0)::int8 AS bytes,
    count(*) FILTER (WHERE so.status <> 'stored') AS unfinished
FROM screenshot.stored_objects AS so;
