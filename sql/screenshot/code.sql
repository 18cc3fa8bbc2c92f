-- Generated code: each is a version of its project, and a job that a worker claims for a while.

-- name: code_by_id(id)^
-- Code.
SELECT
    gc.id,
    gc.name,
    gc.code,
    gc.code_stack,
    gc.provider,
    gc.model,
    gc.status,
    gc.generation_type,
    gc.original_prompt,
    gc.revised_prompt,
    gc.additional_instructions,
    gc.input_image_url,
    gc.result_image_url,
    gc.generation_params,
    gc.temperature,
    gc.max_tokens,
    gc.prompt_tokens,
    gc.completion_tokens,
    gc.total_tokens,
    gc.generation_time_seconds,
    gc.error_message,
    gc.error_details,
    gc.correlation_id,
    gc.version,
    gc.parent_id,
    gc.is_favorite,
    gc.rating,
    gc.feedback,
    gc.view_count,
    gc.copy_count,
    gc.download_count,
    gc.metrics,
    gc.metadata,
    gc.project_id,
    gc.started_at,
    gc.completed_at,
    gc.created_at,
    gc.updated_at
FROM screenshot.generated_codes AS gc
WHERE gc.id = :id::uuid;

-- name: code_by_version(project_id, version)^
-- A version of a project's code.
SELECT
    gc.id,
    gc.name,
    gc.code,
    gc.code_stack,
    gc.provider,
    gc.model,
    gc.status,
    gc.generation_type,
    gc.original_prompt,
    gc.revised_prompt,
    gc.additional_instructions,
    gc.input_image_url,
    gc.result_image_url,
    gc.generation_params,
    gc.temperature,
    gc.max_tokens,
    gc.prompt_tokens,
    gc.completion_tokens,
    gc.total_tokens,
    gc.generation_time_seconds,
    gc.error_message,
    gc.error_details,
    gc.correlation_id,
    gc.version,
    gc.parent_id,
    gc.is_favorite,
    gc.rating,
    gc.feedback,
    gc.view_count,
    gc.copy_count,
    gc.download_count,
    gc.metrics,
    gc.metadata,
    gc.project_id,
    gc.started_at,
    gc.completed_at,
    gc.created_at,
    gc.updated_at
FROM screenshot.generated_codes AS gc
WHERE gc.project_id = :project_id::uuid AND gc.version = :version::int4;

-- name: code_cancel(id)!
-- Cancels what is pending or under way.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.generated_codes AS gc
SET
    status = 'cancelled',
    completed_at = clock_timestamp(),
    lease_token = NULL,
    lease_until = NULL,
    updated_at = clock_timestamp()
WHERE gc.id = :id::uuid AND gc.status IN ('pending', 'processing');

-- name: code_claim(lease_token, seconds, row_limit)
-- Takes code to work on, the oldest first: what is pending, and what a worker has not finished in its time.
-- Rows that another worker is taking are left to it.
-- accept: NOT-HOT it is found or ordered by what changes
-- plan: custom
-- example: lease_token='8a6e0804-2bd0-4672-b79d-d97027f9071a', seconds=300, row_limit=10
WITH claimed AS (
    SELECT job.id
    FROM screenshot.generated_codes AS job
    WHERE
        job.status IN ('pending', 'processing')
        AND (job.status = 'pending' OR job.lease_until < clock_timestamp())
    ORDER BY job.created_at, job.id
    LIMIT :row_limit::int8
    FOR UPDATE SKIP LOCKED
)

UPDATE screenshot.generated_codes AS gc
SET
    status = 'processing',
    lease_token = :lease_token::uuid,
    lease_until = clock_timestamp() + make_interval(secs => :seconds::int4),
    started_at = clock_timestamp(),
    updated_at = clock_timestamp()
FROM claimed
WHERE gc.id = claimed.id
RETURNING
    gc.id,
    gc.name,
    gc.code,
    gc.code_stack,
    gc.provider,
    gc.model,
    gc.status,
    gc.generation_type,
    gc.original_prompt,
    gc.revised_prompt,
    gc.additional_instructions,
    gc.input_image_url,
    gc.result_image_url,
    gc.generation_params,
    gc.temperature,
    gc.max_tokens,
    gc.prompt_tokens,
    gc.completion_tokens,
    gc.total_tokens,
    gc.generation_time_seconds,
    gc.error_message,
    gc.error_details,
    gc.correlation_id,
    gc.version,
    gc.parent_id,
    gc.is_favorite,
    gc.rating,
    gc.feedback,
    gc.view_count,
    gc.copy_count,
    gc.download_count,
    gc.metrics,
    gc.metadata,
    gc.project_id,
    gc.started_at,
    gc.completed_at,
    gc.created_at,
    gc.updated_at;

-- name: code_complete(id, lease_token, code, prompt_tokens, completion_tokens, generation_time_seconds)!
-- Completes what is under way; with a lease, only for the worker that holds it.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.generated_codes AS gc
SET
    status = 'completed',
    code = :code::text,
    prompt_tokens = coalesce(:prompt_tokens::int4, gc.prompt_tokens),
    completion_tokens = coalesce(:completion_tokens::int4, gc.completion_tokens),
    total_tokens = coalesce(:prompt_tokens::int4 + :completion_tokens::int4, gc.total_tokens),
    generation_time_seconds = coalesce(
        :generation_time_seconds::float8,
        extract(EPOCH FROM clock_timestamp() - gc.started_at),
        gc.generation_time_seconds
    ),
    error_message = NULL,
    completed_at = clock_timestamp(),
    lease_token = NULL,
    lease_until = NULL,
    updated_at = clock_timestamp()
WHERE
    gc.id = :id::uuid
    AND gc.status IN ('pending', 'processing')
    AND (:lease_token::uuid IS NULL OR gc.lease_token = :lease_token::uuid);

-- name: code_copy(id)!
-- Counts a copy.
UPDATE screenshot.generated_codes AS gc
SET copy_count = gc.copy_count + 1
WHERE gc.id = :id::uuid;

-- name: code_delete(id)!
-- Removes code. Its version number is not used again.
-- accept: CASCADE what belongs to it goes with it
DELETE FROM screenshot.generated_codes AS gc
WHERE gc.id = :id::uuid;

-- name: code_download(id)!
-- Counts a download.
UPDATE screenshot.generated_codes AS gc
SET download_count = gc.download_count + 1
WHERE gc.id = :id::uuid;

-- name: code_fail(id, lease_token, error_message, error_details)!
-- Gives up what is pending or under way; with a lease, only for the worker that holds it.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.generated_codes AS gc
SET
    status = 'failed',
    error_message = :error_message::text,
    error_details = :error_details::jsonb,
    completed_at = clock_timestamp(),
    lease_token = NULL,
    lease_until = NULL,
    updated_at = clock_timestamp()
WHERE
    gc.id = :id::uuid
    AND gc.status IN ('pending', 'processing')
    AND (:lease_token::uuid IS NULL OR gc.lease_token = :lease_token::uuid);

-- name: code_feedback_merge(id, changes)$
-- Merges top-level keys into the feedback; a key whose value is null is removed.
UPDATE screenshot.generated_codes AS gc
SET
    feedback = (gc.feedback || :changes::jsonb) - ARRAY(
        SELECT c.key
        FROM jsonb_each(:changes::jsonb) AS c
        WHERE c.value = 'null'
    ),
    updated_at = clock_timestamp()
WHERE gc.id = :id::uuid
RETURNING gc.feedback;

-- name: code_history(project_id, before_version, row_limit)
-- The versions of a project's code without the code, the newest first, from before a version on.
SELECT
    gc.id,
    gc.name,
    gc.code_stack,
    gc.provider,
    gc.model,
    gc.status,
    gc.generation_type,
    gc.version,
    gc.is_favorite,
    gc.rating,
    gc.view_count,
    gc.generation_time_seconds,
    gc.created_at,
    gc.updated_at,
    char_length(gc.code) AS code_size
FROM screenshot.generated_codes AS gc
WHERE gc.project_id = :project_id::uuid AND gc.version < coalesce(:before_version::int4, 2147483647)
ORDER BY gc.version DESC
LIMIT :row_limit::int8;

-- name: code_insert(id, name, code, code_stack, provider, model, status, generation_type, original_prompt, revised_prompt, additional_instructions, input_image_url, result_image_url, generation_params, temperature, max_tokens, prompt_tokens, completion_tokens, total_tokens, generation_time_seconds, error_message, error_details, correlation_id, parent_id, is_favorite, rating, feedback, metrics, metadata, project_id)<!
-- Stores new code as the next version of its project; no row when there is no such project.
WITH numbered AS (
    UPDATE screenshot.projects AS p
    SET code_versions = p.code_versions + 1
    WHERE p.id = :project_id::uuid
    RETURNING p.code_versions
)

INSERT INTO screenshot.generated_codes (
    id,
    version,
    name,
    code,
    code_stack,
    provider,
    model,
    status,
    generation_type,
    original_prompt,
    revised_prompt,
    additional_instructions,
    input_image_url,
    result_image_url,
    generation_params,
    temperature,
    max_tokens,
    prompt_tokens,
    completion_tokens,
    total_tokens,
    generation_time_seconds,
    error_message,
    error_details,
    correlation_id,
    parent_id,
    is_favorite,
    rating,
    feedback,
    metrics,
    metadata,
    project_id
)
SELECT
    :id::uuid,
    numbered.code_versions,
    :name::text,
    :code::text,
    :code_stack::text,
    :provider::text,
    :model::text,
    :status::text,
    :generation_type::text,
    :original_prompt::text,
    :revised_prompt::text,
    :additional_instructions::text,
    :input_image_url::text,
    :result_image_url::text,
    :generation_params::jsonb,
    :temperature::float8,
    :max_tokens::int4,
    :prompt_tokens::int4,
    :completion_tokens::int4,
    :total_tokens::int4,
    :generation_time_seconds::float8,
    :error_message::text,
    :error_details::jsonb,
    :correlation_id::text,
    :parent_id::uuid,
    :is_favorite::boolean,
    :rating::float8,
    :feedback::jsonb,
    :metrics::jsonb,
    :metadata::jsonb,
    :project_id::uuid
FROM numbered
RETURNING
    id,
    name,
    code,
    code_stack,
    provider,
    model,
    status,
    generation_type,
    original_prompt,
    revised_prompt,
    additional_instructions,
    input_image_url,
    result_image_url,
    generation_params,
    temperature,
    max_tokens,
    prompt_tokens,
    completion_tokens,
    total_tokens,
    generation_time_seconds,
    error_message,
    error_details,
    correlation_id,
    version,
    parent_id,
    is_favorite,
    rating,
    feedback,
    view_count,
    copy_count,
    download_count,
    metrics,
    metadata,
    project_id,
    started_at,
    completed_at,
    created_at,
    updated_at;

-- name: code_latest(project_id)^
-- The newest version of a project's code.
SELECT
    gc.id,
    gc.name,
    gc.code,
    gc.code_stack,
    gc.provider,
    gc.model,
    gc.status,
    gc.generation_type,
    gc.original_prompt,
    gc.revised_prompt,
    gc.additional_instructions,
    gc.input_image_url,
    gc.result_image_url,
    gc.generation_params,
    gc.temperature,
    gc.max_tokens,
    gc.prompt_tokens,
    gc.completion_tokens,
    gc.total_tokens,
    gc.generation_time_seconds,
    gc.error_message,
    gc.error_details,
    gc.correlation_id,
    gc.version,
    gc.parent_id,
    gc.is_favorite,
    gc.rating,
    gc.feedback,
    gc.view_count,
    gc.copy_count,
    gc.download_count,
    gc.metrics,
    gc.metadata,
    gc.project_id,
    gc.started_at,
    gc.completed_at,
    gc.created_at,
    gc.updated_at
FROM screenshot.generated_codes AS gc
WHERE gc.project_id = :project_id::uuid
ORDER BY gc.version DESC
LIMIT 1;

-- name: code_metadata_merge(id, changes)$
-- Merges top-level keys into the metadata; a key whose value is null is removed.
UPDATE screenshot.generated_codes AS gc
SET
    metadata = (gc.metadata || :changes::jsonb) - ARRAY(
        SELECT c.key
        FROM jsonb_each(:changes::jsonb) AS c
        WHERE c.value = 'null'
    ),
    updated_at = clock_timestamp()
WHERE gc.id = :id::uuid
RETURNING gc.metadata;

-- name: code_metrics_merge(id, changes)$
-- Merges top-level keys into the metrics; a key whose value is null is removed.
UPDATE screenshot.generated_codes AS gc
SET
    metrics = (gc.metrics || :changes::jsonb) - ARRAY(
        SELECT c.key
        FROM jsonb_each(:changes::jsonb) AS c
        WHERE c.value = 'null'
    ),
    updated_at = clock_timestamp()
WHERE gc.id = :id::uuid
RETURNING gc.metrics;

-- name: code_rate(id, rating)!
-- Rates from 1 to 5.
UPDATE screenshot.generated_codes AS gc
SET rating = :rating::float8, updated_at = clock_timestamp()
WHERE gc.id = :id::uuid;

-- name: code_renew(id, lease_token, seconds)!
-- Prolongs the lease of a worker that still holds it.
UPDATE screenshot.generated_codes AS gc
SET lease_until = clock_timestamp() + make_interval(secs => :seconds::int4)
WHERE gc.id = :id::uuid AND gc.lease_token = :lease_token::uuid AND gc.status = 'processing';

-- name: code_start(id)!
-- Begins without a lease what is pending.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.generated_codes AS gc
SET status = 'processing', started_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE gc.id = :id::uuid AND gc.status = 'pending';

-- name: code_toggle_favorite(id)$
-- Turns is_favorite over; what it is now.
UPDATE screenshot.generated_codes AS gc
SET is_favorite = NOT gc.is_favorite, updated_at = clock_timestamp()
WHERE gc.id = :id::uuid
RETURNING gc.is_favorite;

-- name: code_update(id, name, code, code_stack, provider, model, status, generation_type, original_prompt, revised_prompt, additional_instructions, input_image_url, result_image_url, generation_params, temperature, max_tokens, prompt_tokens, completion_tokens, total_tokens, generation_time_seconds, error_message, error_details, correlation_id, parent_id, is_favorite, rating, feedback, metrics, metadata, seen_at)<!
-- Changes code that has not been changed since it was read; no row otherwise. It stays in its project.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.generated_codes AS gc
SET
    name = :name::text,
    code = :code::text,
    code_stack = :code_stack::text,
    provider = :provider::text,
    model = :model::text,
    status = :status::text,
    generation_type = :generation_type::text,
    original_prompt = :original_prompt::text,
    revised_prompt = :revised_prompt::text,
    additional_instructions = :additional_instructions::text,
    input_image_url = :input_image_url::text,
    result_image_url = :result_image_url::text,
    generation_params = :generation_params::jsonb,
    temperature = :temperature::float8,
    max_tokens = :max_tokens::int4,
    prompt_tokens = :prompt_tokens::int4,
    completion_tokens = :completion_tokens::int4,
    total_tokens = :total_tokens::int4,
    generation_time_seconds = :generation_time_seconds::float8,
    error_message = :error_message::text,
    error_details = :error_details::jsonb,
    correlation_id = :correlation_id::text,
    parent_id = :parent_id::uuid,
    is_favorite = :is_favorite::boolean,
    rating = :rating::float8,
    feedback = :feedback::jsonb,
    metrics = :metrics::jsonb,
    metadata = :metadata::jsonb,
    lease_token = NULL,
    lease_until = NULL,
    updated_at = clock_timestamp()
WHERE gc.id = :id::uuid AND gc.updated_at = :seen_at::timestamptz
RETURNING
    gc.id,
    gc.name,
    gc.code,
    gc.code_stack,
    gc.provider,
    gc.model,
    gc.status,
    gc.generation_type,
    gc.original_prompt,
    gc.revised_prompt,
    gc.additional_instructions,
    gc.input_image_url,
    gc.result_image_url,
    gc.generation_params,
    gc.temperature,
    gc.max_tokens,
    gc.prompt_tokens,
    gc.completion_tokens,
    gc.total_tokens,
    gc.generation_time_seconds,
    gc.error_message,
    gc.error_details,
    gc.correlation_id,
    gc.version,
    gc.parent_id,
    gc.is_favorite,
    gc.rating,
    gc.feedback,
    gc.view_count,
    gc.copy_count,
    gc.download_count,
    gc.metrics,
    gc.metadata,
    gc.project_id,
    gc.started_at,
    gc.completed_at,
    gc.created_at,
    gc.updated_at;

-- name: code_usage(user_id, since)^
-- What a user's code has taken since a moment: how many codes, how many tokens, how many seconds.
SELECT
    count(*) AS codes,
    coalesce(sum(gc.prompt_tokens), 0)::int8 AS prompt_tokens,
    coalesce(sum(gc.completion_tokens), 0)::int8 AS completion_tokens,
    coalesce(sum(gc.total_tokens), 0)::int8 AS total_tokens,
    coalesce(sum(gc.generation_time_seconds), 0) AS seconds
FROM screenshot.projects AS p
INNER JOIN screenshot.generated_codes AS gc ON p.id = gc.project_id
WHERE p.user_id = :user_id::uuid AND gc.created_at >= :since::timestamptz;

-- name: code_view(id)!
-- Counts a view.
UPDATE screenshot.generated_codes AS gc
SET view_count = gc.view_count + 1
WHERE gc.id = :id::uuid;
