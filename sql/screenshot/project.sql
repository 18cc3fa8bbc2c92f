-- Projects: what users make of their screenshots. A deleted project is kept, and shown only to those who ask for it.

-- name: project_by_id(id)^
-- A project, deleted ones too.
SELECT
    p.id,
    p.name,
    p.description,
    p.status,
    p.type,
    p.original_image,
    p.original_image_filename,
    p.original_image_size,
    p.original_image_mime_type,
    p.thumbnail_image,
    p.image_metadata,
    p.settings,
    p.tags,
    p.metadata,
    p.instructions,
    p.is_public,
    p.is_favorite,
    p.view_count,
    p.generation_count,
    p.last_generated_at,
    p.last_viewed_at,
    p.user_id,
    p.deleted_at,
    p.created_at,
    p.updated_at
FROM screenshot.projects AS p
WHERE p.id = :id::uuid;

-- name: project_generation(id)!
-- Counts a generation.
UPDATE screenshot.projects AS p
SET generation_count = p.generation_count + 1, last_generated_at = clock_timestamp()
WHERE p.id = :id::uuid;

-- name: project_insert(id, name, description, status, type, original_image, original_image_filename, original_image_size, original_image_mime_type, thumbnail_image, image_metadata, settings, tags, metadata, instructions, is_public, is_favorite, user_id)<!
-- Stores a new project.
INSERT INTO screenshot.projects (
    id,
    name,
    description,
    status,
    type,
    original_image,
    original_image_filename,
    original_image_size,
    original_image_mime_type,
    thumbnail_image,
    image_metadata,
    settings,
    tags,
    metadata,
    instructions,
    is_public,
    is_favorite,
    user_id,
    deleted_at
)
VALUES (
    :id::uuid,
    :name::text,
    :description::text,
    :status::text,
    :type::text,
    :original_image::text,
    :original_image_filename::text,
    :original_image_size::int4,
    :original_image_mime_type::text,
    :thumbnail_image::text,
    :image_metadata::jsonb,
    :settings::jsonb,
    :tags::text[],
    :metadata::jsonb,
    :instructions::text,
    :is_public::boolean,
    :is_favorite::boolean,
    :user_id::uuid,
    CASE WHEN :status::text = 'deleted' THEN clock_timestamp() END
)
RETURNING
    id,
    name,
    description,
    status,
    type,
    original_image,
    original_image_filename,
    original_image_size,
    original_image_mime_type,
    thumbnail_image,
    image_metadata,
    settings,
    tags,
    metadata,
    instructions,
    is_public,
    is_favorite,
    view_count,
    generation_count,
    last_generated_at,
    last_viewed_at,
    user_id,
    deleted_at,
    created_at,
    updated_at;

-- name: project_list(user_id, status, after_updated_at, after_id, row_limit)
-- The projects of a user, the last changed first, from behind a known one on; of one status, or all that are not deleted.
-- plan: custom
-- example: user_id='8a6e0804-2bd0-4672-b79d-d97027f9071a', status=null, after_updated_at=null, after_id=null, row_limit=50
SELECT
    p.id,
    p.name,
    p.description,
    p.status,
    p.type,
    p.original_image,
    p.original_image_filename,
    p.original_image_size,
    p.original_image_mime_type,
    p.thumbnail_image,
    p.image_metadata,
    p.settings,
    p.tags,
    p.metadata,
    p.instructions,
    p.is_public,
    p.is_favorite,
    p.view_count,
    p.generation_count,
    p.last_generated_at,
    p.last_viewed_at,
    p.user_id,
    p.deleted_at,
    p.created_at,
    p.updated_at
FROM screenshot.projects AS p
WHERE
    p.user_id = :user_id::uuid
    AND CASE WHEN :status::text IS NULL THEN p.status <> 'deleted' ELSE p.status = :status::text END
    AND (:after_id::uuid IS NULL OR (p.updated_at, p.id) < (:after_updated_at::timestamptz, :after_id::uuid))
ORDER BY p.updated_at DESC, p.id DESC
LIMIT :row_limit::int8;

-- name: project_list_by_settings(settings, user_id, row_limit)
-- Projects of a user that are not deleted and whose settings contain a document.
-- plan: custom
-- example: settings='{"framework": "vue"}', user_id='8a6e0804-2bd0-4672-b79d-d97027f9071a', row_limit=50
SELECT
    p.id,
    p.name,
    p.description,
    p.status,
    p.type,
    p.original_image,
    p.original_image_filename,
    p.original_image_size,
    p.original_image_mime_type,
    p.thumbnail_image,
    p.image_metadata,
    p.settings,
    p.tags,
    p.metadata,
    p.instructions,
    p.is_public,
    p.is_favorite,
    p.view_count,
    p.generation_count,
    p.last_generated_at,
    p.last_viewed_at,
    p.user_id,
    p.deleted_at,
    p.created_at,
    p.updated_at
FROM screenshot.projects AS p
WHERE p.settings @> :settings::jsonb AND p.user_id = :user_id::uuid AND p.status <> 'deleted'
ORDER BY p.updated_at DESC, p.id DESC
LIMIT :row_limit::int8;

-- name: project_list_by_tag(tag, user_id, row_limit)
-- Projects with a tag that are not deleted: of a user, or the public ones when user_id is null.
-- plan: custom
-- example: tag='landing page', user_id=null, row_limit=50
SELECT
    p.id,
    p.name,
    p.description,
    p.status,
    p.type,
    p.original_image,
    p.original_image_filename,
    p.original_image_size,
    p.original_image_mime_type,
    p.thumbnail_image,
    p.image_metadata,
    p.settings,
    p.tags,
    p.metadata,
    p.instructions,
    p.is_public,
    p.is_favorite,
    p.view_count,
    p.generation_count,
    p.last_generated_at,
    p.last_viewed_at,
    p.user_id,
    p.deleted_at,
    p.created_at,
    p.updated_at
FROM screenshot.projects AS p
WHERE
    p.tags @> ARRAY[:tag::text]
    AND p.status <> 'deleted'
    AND CASE WHEN :user_id::uuid IS NULL THEN p.is_public ELSE p.user_id = :user_id::uuid END
ORDER BY p.updated_at DESC, p.id DESC
LIMIT :row_limit::int8;

-- name: project_list_with_code(user_id, row_limit)
-- The projects of a user that are not deleted, the last changed first, each with its newest code, if there is one.
SELECT
    p.id,
    p.name,
    p.status,
    p.type,
    p.updated_at,
    code.id AS code_id,
    code.version,
    code.status AS code_status,
    code.code_stack,
    code.provider,
    code.code
FROM screenshot.projects AS p
LEFT JOIN LATERAL (
    SELECT
        gc.id,
        gc.version,
        gc.status,
        gc.code_stack,
        gc.provider,
        gc.code
    FROM screenshot.generated_codes AS gc
    WHERE gc.project_id = p.id
    ORDER BY gc.version DESC
    LIMIT 1
) AS code ON true
WHERE p.user_id = :user_id::uuid AND p.status <> 'deleted'
ORDER BY p.updated_at DESC, p.id DESC
LIMIT :row_limit::int8;

-- name: project_purge(days, row_limit)!
-- Removes projects that were deleted so many days ago, with their codes and images; their objects wait for clean-up.
-- accept: NOT-HOT it is found or ordered by what changes
-- accept: CASCADE what belongs to it goes with it
-- plan: custom
-- example: days=30, row_limit=1000
WITH expired AS (
    SELECT p.id
    FROM screenshot.projects AS p
    WHERE p.deleted_at < clock_timestamp() - make_interval(days => :days::int4)
    ORDER BY p.deleted_at
    LIMIT :row_limit::int8
    FOR UPDATE SKIP LOCKED
),

released AS (
    UPDATE screenshot.stored_objects AS so
    SET status = 'deleting'
    FROM expired
    WHERE so.project_id = expired.id
)

DELETE FROM screenshot.projects AS p
USING expired
WHERE p.id = expired.id;

-- name: project_restore(id)!
-- Makes a deleted project a draft again.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.projects AS p
SET status = 'draft', deleted_at = NULL, updated_at = clock_timestamp()
WHERE p.id = :id::uuid AND p.status = 'deleted';

-- name: project_search(words, user_id, row_limit)
-- Projects whose name or description has all words, the best first: of a user, or the public ones when user_id is null.
-- Words are as in a search engine, with quotes, OR and a minus; nothing is a syntax error.
-- plan: custom
-- example: words='shop -old', user_id=null, row_limit=20
SELECT
    p.id,
    p.name,
    p.description,
    p.status,
    p.type,
    p.original_image,
    p.original_image_filename,
    p.original_image_size,
    p.original_image_mime_type,
    p.thumbnail_image,
    p.image_metadata,
    p.settings,
    p.tags,
    p.metadata,
    p.instructions,
    p.is_public,
    p.is_favorite,
    p.view_count,
    p.generation_count,
    p.last_generated_at,
    p.last_viewed_at,
    p.user_id,
    p.deleted_at,
    p.created_at,
    p.updated_at
FROM screenshot.projects AS p
WHERE
    p.search @@ websearch_to_tsquery('simple', :words::text)
    AND p.status <> 'deleted'
    AND CASE WHEN :user_id::uuid IS NULL THEN p.is_public ELSE p.user_id = :user_id::uuid END
ORDER BY ts_rank(p.search, websearch_to_tsquery('simple', :words::text)) DESC, p.updated_at DESC, p.id DESC
LIMIT :row_limit::int8;

-- name: project_settings_merge(id, changes)$
-- Merges top-level keys into the settings; a key whose value is null is removed.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.projects AS p
SET
    settings = (p.settings || :changes::jsonb) - ARRAY(
        SELECT c.key
        FROM jsonb_each(:changes::jsonb) AS c
        WHERE c.value = 'null'
    ),
    updated_at = clock_timestamp()
WHERE p.id = :id::uuid
RETURNING p.settings;

-- name: project_status(id, status)!
-- Gives a project another status; deleted is one.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.projects AS p
SET
    status = :status::text,
    deleted_at = CASE WHEN :status::text = 'deleted' THEN coalesce(p.deleted_at, clock_timestamp()) END,
    updated_at = clock_timestamp()
WHERE p.id = :id::uuid;

-- name: project_tag_add(id, tag)!
-- Gives a project a tag unless it has it.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.projects AS p
SET tags = p.tags || :tag::text, updated_at = clock_timestamp()
WHERE p.id = :id::uuid AND NOT p.tags @> ARRAY[:tag::text];

-- name: project_tag_remove(id, tag)!
-- Takes a tag from a project if it has it.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.projects AS p
SET tags = array_remove(p.tags, :tag::text), updated_at = clock_timestamp()
WHERE p.id = :id::uuid AND p.tags @> ARRAY[:tag::text];

-- name: project_toggle_favorite(id)$
-- Turns is_favorite over; what it is now.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.projects AS p
SET is_favorite = NOT p.is_favorite, updated_at = clock_timestamp()
WHERE p.id = :id::uuid
RETURNING p.is_favorite;

-- name: project_toggle_public(id)$
-- Turns is_public over; what it is now.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.projects AS p
SET is_public = NOT p.is_public, updated_at = clock_timestamp()
WHERE p.id = :id::uuid
RETURNING p.is_public;

-- name: project_update(id, name, description, status, type, original_image, original_image_filename, original_image_size, original_image_mime_type, thumbnail_image, image_metadata, settings, tags, metadata, instructions, is_public, is_favorite, user_id, seen_at)<!
-- Changes a project that has not been changed since it was read; no row otherwise.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.projects AS p
SET
    name = :name::text,
    description = :description::text,
    status = :status::text,
    type = :type::text,
    original_image = :original_image::text,
    original_image_filename = :original_image_filename::text,
    original_image_size = :original_image_size::int4,
    original_image_mime_type = :original_image_mime_type::text,
    thumbnail_image = :thumbnail_image::text,
    image_metadata = :image_metadata::jsonb,
    settings = :settings::jsonb,
    tags = :tags::text[],
    metadata = :metadata::jsonb,
    instructions = :instructions::text,
    is_public = :is_public::boolean,
    is_favorite = :is_favorite::boolean,
    user_id = :user_id::uuid,
    deleted_at = CASE WHEN :status::text = 'deleted' THEN coalesce(p.deleted_at, clock_timestamp()) END,
    updated_at = clock_timestamp()
WHERE p.id = :id::uuid AND p.updated_at = :seen_at::timestamptz
RETURNING
    p.id,
    p.name,
    p.description,
    p.status,
    p.type,
    p.original_image,
    p.original_image_filename,
    p.original_image_size,
    p.original_image_mime_type,
    p.thumbnail_image,
    p.image_metadata,
    p.settings,
    p.tags,
    p.metadata,
    p.instructions,
    p.is_public,
    p.is_favorite,
    p.view_count,
    p.generation_count,
    p.last_generated_at,
    p.last_viewed_at,
    p.user_id,
    p.deleted_at,
    p.created_at,
    p.updated_at;

-- name: project_view(id)!
-- Counts a view. Not renewing updated_at, it moves no project in its list.
UPDATE screenshot.projects AS p
SET view_count = p.view_count + 1, last_viewed_at = clock_timestamp()
WHERE p.id = :id::uuid;
