-- Generated images: each is a job that a worker claims for a while.

-- name: image_by_id(id)^
-- An image.
SELECT
    gi.id,
    gi.name,
    gi.prompt,
    gi.revised_prompt,
    gi.provider,
    gi.model,
    gi.status,
    gi.size,
    gi.quality,
    gi.style,
    gi.seed,
    gi.image_url,
    gi.image_base64,
    gi.thumbnail_url,
    gi.storage_url,
    gi.storage_id,
    gi.mime_type,
    gi.file_size,
    gi.width,
    gi.height,
    gi.generation_params,
    gi.generation_time_seconds,
    gi.error_message,
    gi.error_details,
    gi.correlation_id,
    gi.is_favorite,
    gi.rating,
    gi.feedback,
    gi.view_count,
    gi.download_count,
    gi.image_metadata,
    gi.metadata,
    gi.project_id,
    gi.started_at,
    gi.completed_at,
    gi.created_at,
    gi.updated_at
FROM screenshot.generated_images AS gi
WHERE gi.id = :id::uuid;

-- name: image_cancel(id)!
-- Cancels what is pending or under way.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.generated_images AS gi
SET
    status = 'cancelled',
    completed_at = clock_timestamp(),
    lease_token = NULL,
    lease_until = NULL,
    updated_at = clock_timestamp()
WHERE gi.id = :id::uuid AND gi.status IN ('pending', 'processing');

-- name: image_claim(lease_token, seconds, row_limit)
-- Takes images to work on, the oldest first: what is pending, and what a worker has not finished in its time.
-- Rows that another worker is taking are left to it.
-- accept: NOT-HOT it is found or ordered by what changes
-- plan: custom
-- example: lease_token='8a6e0804-2bd0-4672-b79d-d97027f9071a', seconds=300, row_limit=10
WITH claimed AS (
    SELECT job.id
    FROM screenshot.generated_images AS job
    WHERE
        job.status IN ('pending', 'processing')
        AND (job.status = 'pending' OR job.lease_until < clock_timestamp())
    ORDER BY job.created_at, job.id
    LIMIT :row_limit::int8
    FOR UPDATE SKIP LOCKED
)

UPDATE screenshot.generated_images AS gi
SET
    status = 'processing',
    lease_token = :lease_token::uuid,
    lease_until = clock_timestamp() + make_interval(secs => :seconds::int4),
    started_at = clock_timestamp(),
    updated_at = clock_timestamp()
FROM claimed
WHERE gi.id = claimed.id
RETURNING
    gi.id,
    gi.name,
    gi.prompt,
    gi.revised_prompt,
    gi.provider,
    gi.model,
    gi.status,
    gi.size,
    gi.quality,
    gi.style,
    gi.seed,
    gi.image_url,
    gi.image_base64,
    gi.thumbnail_url,
    gi.storage_url,
    gi.storage_id,
    gi.mime_type,
    gi.file_size,
    gi.width,
    gi.height,
    gi.generation_params,
    gi.generation_time_seconds,
    gi.error_message,
    gi.error_details,
    gi.correlation_id,
    gi.is_favorite,
    gi.rating,
    gi.feedback,
    gi.view_count,
    gi.download_count,
    gi.image_metadata,
    gi.metadata,
    gi.project_id,
    gi.started_at,
    gi.completed_at,
    gi.created_at,
    gi.updated_at;

-- name: image_complete(id, lease_token, image_url, storage_id, storage_url, mime_type, file_size, width, height)!
-- Completes what is under way; with a lease, only for the worker that holds it.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.generated_images AS gi
SET
    status = 'completed',
    image_url = coalesce(:image_url::text, gi.image_url),
    storage_id = coalesce(:storage_id::text, gi.storage_id),
    storage_url = coalesce(:storage_url::text, gi.storage_url),
    mime_type = coalesce(:mime_type::text, gi.mime_type),
    file_size = coalesce(:file_size::int4, gi.file_size),
    width = coalesce(:width::int4, gi.width),
    height = coalesce(:height::int4, gi.height),
    generation_time_seconds = coalesce(
        extract(EPOCH FROM clock_timestamp() - gi.started_at), gi.generation_time_seconds
    ),
    error_message = NULL,
    completed_at = clock_timestamp(),
    lease_token = NULL,
    lease_until = NULL,
    updated_at = clock_timestamp()
WHERE
    gi.id = :id::uuid
    AND gi.status IN ('pending', 'processing')
    AND (:lease_token::uuid IS NULL OR gi.lease_token = :lease_token::uuid);

-- name: image_delete(id)!
-- Removes an image. What is stored of it in object storage is deleted by its path.
DELETE FROM screenshot.generated_images AS gi
WHERE gi.id = :id::uuid;

-- name: image_download(id)!
-- Counts a download.
UPDATE screenshot.generated_images AS gi
SET download_count = gi.download_count + 1
WHERE gi.id = :id::uuid;

-- name: image_fail(id, lease_token, error_message, error_details)!
-- Gives up what is pending or under way; with a lease, only for the worker that holds it.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.generated_images AS gi
SET
    status = 'failed',
    error_message = :error_message::text,
    error_details = :error_details::jsonb,
    completed_at = clock_timestamp(),
    lease_token = NULL,
    lease_until = NULL,
    updated_at = clock_timestamp()
WHERE
    gi.id = :id::uuid
    AND gi.status IN ('pending', 'processing')
    AND (:lease_token::uuid IS NULL OR gi.lease_token = :lease_token::uuid);

-- name: image_feedback_merge(id, changes)$
-- Merges top-level keys into the feedback; a key whose value is null is removed.
UPDATE screenshot.generated_images AS gi
SET
    feedback = (gi.feedback || :changes::jsonb) - ARRAY(
        SELECT c.key
        FROM jsonb_each(:changes::jsonb) AS c
        WHERE c.value = 'null'
    ),
    updated_at = clock_timestamp()
WHERE gi.id = :id::uuid
RETURNING gi.feedback;

-- name: image_insert(id, name, prompt, revised_prompt, provider, model, status, size, quality, style, seed, image_url, image_base64, thumbnail_url, storage_url, storage_id, mime_type, file_size, width, height, generation_params, generation_time_seconds, error_message, error_details, correlation_id, is_favorite, rating, feedback, image_metadata, metadata, project_id)<!
-- Stores a new image.
INSERT INTO screenshot.generated_images (
    id,
    name,
    prompt,
    revised_prompt,
    provider,
    model,
    status,
    size,
    quality,
    style,
    seed,
    image_url,
    image_base64,
    thumbnail_url,
    storage_url,
    storage_id,
    mime_type,
    file_size,
    width,
    height,
    generation_params,
    generation_time_seconds,
    error_message,
    error_details,
    correlation_id,
    is_favorite,
    rating,
    feedback,
    image_metadata,
    metadata,
    project_id
)
VALUES (
    :id::uuid,
    :name::text,
    :prompt::text,
    :revised_prompt::text,
    :provider::text,
    :model::text,
    :status::text,
    :size::text,
    :quality::text,
    :style::text,
    :seed::int4,
    :image_url::text,
    :image_base64::text,
    :thumbnail_url::text,
    :storage_url::text,
    :storage_id::text,
    :mime_type::text,
    :file_size::int4,
    :width::int4,
    :height::int4,
    :generation_params::jsonb,
    :generation_time_seconds::float8,
    :error_message::text,
    :error_details::jsonb,
    :correlation_id::text,
    :is_favorite::boolean,
    :rating::float8,
    :feedback::jsonb,
    :image_metadata::jsonb,
    :metadata::jsonb,
    :project_id::uuid
)
RETURNING
    id,
    name,
    prompt,
    revised_prompt,
    provider,
    model,
    status,
    size,
    quality,
    style,
    seed,
    image_url,
    image_base64,
    thumbnail_url,
    storage_url,
    storage_id,
    mime_type,
    file_size,
    width,
    height,
    generation_params,
    generation_time_seconds,
    error_message,
    error_details,
    correlation_id,
    is_favorite,
    rating,
    feedback,
    view_count,
    download_count,
    image_metadata,
    metadata,
    project_id,
    started_at,
    completed_at,
    created_at,
    updated_at;

-- name: image_list(project_id, after_created_at, after_id, row_limit)
-- The images of a project, the newest first, from behind a known one on.
-- plan: custom
-- example: project_id='8a6e0804-2bd0-4672-b79d-d97027f9071a', after_created_at=null, after_id=null, row_limit=50
SELECT
    gi.id,
    gi.name,
    gi.prompt,
    gi.revised_prompt,
    gi.provider,
    gi.model,
    gi.status,
    gi.size,
    gi.quality,
    gi.style,
    gi.seed,
    gi.image_url,
    gi.image_base64,
    gi.thumbnail_url,
    gi.storage_url,
    gi.storage_id,
    gi.mime_type,
    gi.file_size,
    gi.width,
    gi.height,
    gi.generation_params,
    gi.generation_time_seconds,
    gi.error_message,
    gi.error_details,
    gi.correlation_id,
    gi.is_favorite,
    gi.rating,
    gi.feedback,
    gi.view_count,
    gi.download_count,
    gi.image_metadata,
    gi.metadata,
    gi.project_id,
    gi.started_at,
    gi.completed_at,
    gi.created_at,
    gi.updated_at
FROM screenshot.generated_images AS gi
WHERE
    gi.project_id = :project_id::uuid
    AND (:after_id::uuid IS NULL OR (gi.created_at, gi.id) < (:after_created_at::timestamptz, :after_id::uuid))
ORDER BY gi.created_at DESC, gi.id DESC
LIMIT :row_limit::int8;

-- name: image_metadata_merge(id, changes)$
-- Merges top-level keys into the metadata; a key whose value is null is removed.
UPDATE screenshot.generated_images AS gi
SET
    metadata = (gi.metadata || :changes::jsonb) - ARRAY(
        SELECT c.key
        FROM jsonb_each(:changes::jsonb) AS c
        WHERE c.value = 'null'
    ),
    updated_at = clock_timestamp()
WHERE gi.id = :id::uuid
RETURNING gi.metadata;

-- name: image_rate(id, rating)!
-- Rates from 1 to 5.
UPDATE screenshot.generated_images AS gi
SET rating = :rating::float8, updated_at = clock_timestamp()
WHERE gi.id = :id::uuid;

-- name: image_renew(id, lease_token, seconds)!
-- Prolongs the lease of a worker that still holds it.
UPDATE screenshot.generated_images AS gi
SET lease_until = clock_timestamp() + make_interval(secs => :seconds::int4)
WHERE gi.id = :id::uuid AND gi.lease_token = :lease_token::uuid AND gi.status = 'processing';

-- name: image_start(id)!
-- Begins without a lease what is pending.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.generated_images AS gi
SET status = 'processing', started_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE gi.id = :id::uuid AND gi.status = 'pending';

-- name: image_toggle_favorite(id)$
-- Turns is_favorite over; what it is now.
UPDATE screenshot.generated_images AS gi
SET is_favorite = NOT gi.is_favorite, updated_at = clock_timestamp()
WHERE gi.id = :id::uuid
RETURNING gi.is_favorite;

-- name: image_update(id, name, prompt, revised_prompt, provider, model, status, size, quality, style, seed, image_url, image_base64, thumbnail_url, storage_url, storage_id, mime_type, file_size, width, height, generation_params, generation_time_seconds, error_message, error_details, correlation_id, is_favorite, rating, feedback, image_metadata, metadata, seen_at)<!
-- Changes an image that has not been changed since it was read; no row otherwise. It stays in its project.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.generated_images AS gi
SET
    name = :name::text,
    prompt = :prompt::text,
    revised_prompt = :revised_prompt::text,
    provider = :provider::text,
    model = :model::text,
    status = :status::text,
    size = :size::text,
    quality = :quality::text,
    style = :style::text,
    seed = :seed::int4,
    image_url = :image_url::text,
    image_base64 = :image_base64::text,
    thumbnail_url = :thumbnail_url::text,
    storage_url = :storage_url::text,
    storage_id = :storage_id::text,
    mime_type = :mime_type::text,
    file_size = :file_size::int4,
    width = :width::int4,
    height = :height::int4,
    generation_params = :generation_params::jsonb,
    generation_time_seconds = :generation_time_seconds::float8,
    error_message = :error_message::text,
    error_details = :error_details::jsonb,
    correlation_id = :correlation_id::text,
    is_favorite = :is_favorite::boolean,
    rating = :rating::float8,
    feedback = :feedback::jsonb,
    image_metadata = :image_metadata::jsonb,
    metadata = :metadata::jsonb,
    lease_token = NULL,
    lease_until = NULL,
    updated_at = clock_timestamp()
WHERE gi.id = :id::uuid AND gi.updated_at = :seen_at::timestamptz
RETURNING
    gi.id,
    gi.name,
    gi.prompt,
    gi.revised_prompt,
    gi.provider,
    gi.model,
    gi.status,
    gi.size,
    gi.quality,
    gi.style,
    gi.seed,
    gi.image_url,
    gi.image_base64,
    gi.thumbnail_url,
    gi.storage_url,
    gi.storage_id,
    gi.mime_type,
    gi.file_size,
    gi.width,
    gi.height,
    gi.generation_params,
    gi.generation_time_seconds,
    gi.error_message,
    gi.error_details,
    gi.correlation_id,
    gi.is_favorite,
    gi.rating,
    gi.feedback,
    gi.view_count,
    gi.download_count,
    gi.image_metadata,
    gi.metadata,
    gi.project_id,
    gi.started_at,
    gi.completed_at,
    gi.created_at,
    gi.updated_at;

-- name: image_view(id)!
-- Counts a view.
UPDATE screenshot.generated_images AS gi
SET view_count = gi.view_count + 1
WHERE gi.id = :id::uuid;
