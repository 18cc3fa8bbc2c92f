-- Why: what an application that turns screenshots into code stores: users, projects, generated code and images,
-- sessions,
-- and which objects are in object storage. Closed lists are checks: a value is added by a new check NOT VALID, and
-- can be
-- taken away again. Codes and images carry a lease, so that the row of a worker that died is taken over by another one.
-- What is counted on every view (view_count and the like) is in no index, and pages keep room for it, so that an update
-- touches one page. Tokens are stored as SHA-256 in hexadecimal, as sessions.session_id is.
-- Locks: none that another session waits for; the tables are new. Milliseconds.
-- Counts of what one row is, and sizes of images, stay far below two thousand million:
-- squawk-ignore-file prefer-bigint-over-int

-- migrate:up
CREATE SCHEMA screenshot;

CREATE TABLE screenshot.users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email text NOT NULL CHECK (length(email) BETWEEN 3 AND 255),
    email_key text NOT NULL CONSTRAINT users_email_key UNIQUE,
    first_name text NOT NULL DEFAULT '' CHECK (length(first_name) <= 100),
    last_name text NOT NULL DEFAULT '' CHECK (length(last_name) <= 100),
    display_name text CHECK (length(display_name) <= 255),
    avatar text CHECK (length(avatar) <= 100000),
    password_hash text CHECK (length(password_hash) <= 255),
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive', 'suspended', 'pending')),
    role text NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin', 'moderator')),
    auth_provider text NOT NULL DEFAULT 'local' CHECK (auth_provider IN ('local', 'azure_ad', 'google', 'github')),
    azure_id text CHECK (length(azure_id) <= 255),
    google_id text CHECK (length(google_id) <= 255),
    github_id text CHECK (length(github_id) <= 255),
    email_verified boolean NOT NULL DEFAULT false,
    email_verified_at timestamptz,
    last_login_at timestamptz,
    last_login_ip inet,
    last_login_user_agent text CHECK (length(last_login_user_agent) <= 1000),
    login_count integer NOT NULL DEFAULT 0 CHECK (login_count >= 0),
    password_changed_at timestamptz,
    reset_password_token text CHECK (reset_password_token ~ '^[0-9a-f]{64}$'),
    reset_password_expires_at timestamptz,
    email_verification_token text CHECK (email_verification_token ~ '^[0-9a-f]{64}$'),
    email_verification_expires_at timestamptz,
    preferences jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(preferences) = 'object'),
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX users_azure_id ON screenshot.users (azure_id) WHERE azure_id IS NOT NULL;
CREATE UNIQUE INDEX users_google_id ON screenshot.users (google_id) WHERE google_id IS NOT NULL;
CREATE UNIQUE INDEX users_github_id ON screenshot.users (github_id) WHERE github_id IS NOT NULL;
CREATE UNIQUE INDEX users_reset_password_token ON screenshot.users (reset_password_token)
WHERE reset_password_token IS NOT NULL;
CREATE UNIQUE INDEX users_email_verification_token ON screenshot.users (email_verification_token)
WHERE email_verification_token IS NOT NULL;
CREATE INDEX users_created ON screenshot.users (created_at, id);
CREATE INDEX users_preferences ON screenshot.users USING gin (preferences jsonb_path_ops);

CREATE TABLE screenshot.projects (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    description text CHECK (length(description) <= 10000),
    status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'active', 'completed', 'archived', 'deleted')),
    type text NOT NULL DEFAULT 'website' CHECK (type IN ('website', 'mobile_app', 'component', 'prototype')),
    original_image text CHECK (length(original_image) <= 1000000),
    original_image_filename text CHECK (length(original_image_filename) <= 255),
    original_image_size integer CHECK (original_image_size >= 0),
    original_image_mime_type text CHECK (length(original_image_mime_type) <= 50),
    thumbnail_image text CHECK (length(thumbnail_image) <= 1000000),
    image_metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(image_metadata) = 'object'),
    settings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
    tags text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 100),
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    instructions text CHECK (length(instructions) <= 100000),
    is_public boolean NOT NULL DEFAULT false,
    is_favorite boolean NOT NULL DEFAULT false,
    view_count integer NOT NULL DEFAULT 0 CHECK (view_count >= 0),
    generation_count integer NOT NULL DEFAULT 0 CHECK (generation_count >= 0),
    last_generated_at timestamptz,
    last_viewed_at timestamptz,
    user_id uuid NOT NULL CONSTRAINT projects_user REFERENCES screenshot.users(id) ON DELETE CASCADE,
    code_versions integer NOT NULL DEFAULT 0 CHECK (code_versions >= 0),
    deleted_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    -- Names are in every language, so words are taken as they are.
    search tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('simple', name), 'A') || setweight(to_tsvector('simple', coalesce(description, '')), 'B')
    ) STORED,
    CONSTRAINT projects_deleted CHECK ((status = 'deleted') = (deleted_at IS NOT NULL))
) WITH (fillfactor = 90);
CREATE INDEX projects_user ON screenshot.projects (user_id, updated_at DESC, id DESC);
CREATE INDEX projects_deleted ON screenshot.projects (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX projects_search ON screenshot.projects USING gin (search);
CREATE INDEX projects_tags ON screenshot.projects USING gin (tags);

CREATE TABLE screenshot.generated_codes (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text CHECK (length(name) <= 255),
    code text NOT NULL DEFAULT '' CHECK (length(code) <= 4000000),
    code_stack text NOT NULL DEFAULT 'html_tailwind' CHECK (
        code_stack IN (
            'html_tailwind', 'html_css', 'react_tailwind', 'vue_tailwind', 'bootstrap', 'ionic_tailwind', 'svg'
        )
    ),
    provider text NOT NULL CHECK (provider IN ('openai', 'azure_openai', 'claude', 'gemini')),
    model text NOT NULL DEFAULT '' CHECK (length(model) <= 100),
    status text NOT NULL DEFAULT 'pending' CHECK (
        status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')
    ),
    generation_type text NOT NULL DEFAULT 'create' CHECK (generation_type IN ('create', 'update', 'refine')),
    original_prompt text CHECK (length(original_prompt) <= 100000),
    revised_prompt text CHECK (length(revised_prompt) <= 100000),
    additional_instructions text CHECK (length(additional_instructions) <= 100000),
    input_image_url text CHECK (length(input_image_url) <= 10000),
    result_image_url text CHECK (length(result_image_url) <= 10000),
    generation_params jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(generation_params) = 'object'),
    temperature double precision,
    max_tokens integer CHECK (max_tokens >= 0),
    prompt_tokens integer CHECK (prompt_tokens >= 0),
    completion_tokens integer CHECK (completion_tokens >= 0),
    total_tokens integer CHECK (total_tokens >= 0),
    generation_time_seconds double precision CHECK (generation_time_seconds >= 0),
    error_message text CHECK (length(error_message) <= 10000),
    error_details jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(error_details) = 'object'),
    correlation_id text CHECK (length(correlation_id) <= 255),
    version integer NOT NULL CHECK (version > 0),
    parent_id uuid CONSTRAINT generated_codes_parent REFERENCES screenshot.generated_codes(id) ON DELETE SET NULL,
    is_favorite boolean NOT NULL DEFAULT false,
    rating double precision CHECK (rating BETWEEN 1 AND 5),
    feedback jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(feedback) = 'object'),
    view_count integer NOT NULL DEFAULT 0 CHECK (view_count >= 0),
    copy_count integer NOT NULL DEFAULT 0 CHECK (copy_count >= 0),
    download_count integer NOT NULL DEFAULT 0 CHECK (download_count >= 0),
    metrics jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metrics) = 'object'),
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    project_id uuid NOT NULL CONSTRAINT generated_codes_project REFERENCES screenshot.projects(id) ON DELETE CASCADE,
    started_at timestamptz,
    completed_at timestamptz,
    lease_token uuid,
    lease_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT generated_codes_version UNIQUE (project_id, version),
    CONSTRAINT generated_codes_lease CHECK ((lease_token IS NULL) = (lease_until IS NULL))
) WITH (fillfactor = 90);
CREATE INDEX generated_codes_parent ON screenshot.generated_codes (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX generated_codes_waiting ON screenshot.generated_codes (created_at, id)
WHERE status IN ('pending', 'processing');

CREATE TABLE screenshot.stored_objects (
    id uuid PRIMARY KEY,
    path text COLLATE "C" NOT NULL CHECK (length(path) BETWEEN 1 AND 512),
    object_key text NOT NULL CONSTRAINT stored_objects_key UNIQUE,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'stored', 'deleting')),
    content_type text NOT NULL CHECK (length(content_type) <= 255),
    content_encoding text CHECK (content_encoding IN ('gzip')),
    -- Of the content, and of what is stored of it.
    size_bytes bigint NOT NULL DEFAULT 0 CHECK (size_bytes >= 0),
    stored_bytes bigint NOT NULL DEFAULT 0 CHECK (stored_bytes >= 0),
    sha256 bytea CHECK (length(sha256) = 32),
    etag text CHECK (length(etag) <= 255),
    width integer CHECK (width > 0),
    height integer CHECK (height > 0),
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    user_id uuid CONSTRAINT stored_objects_user REFERENCES screenshot.users(id) ON DELETE SET NULL,
    project_id uuid CONSTRAINT stored_objects_project REFERENCES screenshot.projects(id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    stored_at timestamptz,
    delete_after timestamptz,
    CONSTRAINT stored_objects_complete CHECK (status <> 'stored' OR stored_at IS NOT NULL)
);
CREATE UNIQUE INDEX stored_objects_path ON screenshot.stored_objects (path) WHERE status = 'stored';
CREATE INDEX stored_objects_unfinished ON screenshot.stored_objects (created_at) WHERE status <> 'stored';
CREATE INDEX stored_objects_expiry ON screenshot.stored_objects (delete_after) WHERE delete_after IS NOT NULL;
CREATE INDEX stored_objects_user ON screenshot.stored_objects (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX stored_objects_project ON screenshot.stored_objects (project_id) WHERE project_id IS NOT NULL;

CREATE TABLE screenshot.generated_images (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text CHECK (length(name) <= 255),
    prompt text NOT NULL CHECK (length(prompt) BETWEEN 1 AND 100000),
    revised_prompt text CHECK (length(revised_prompt) <= 100000),
    provider text NOT NULL CHECK (provider IN ('dalle3', 'flux_schnell')),
    model text NOT NULL DEFAULT '' CHECK (length(model) <= 100),
    status text NOT NULL DEFAULT 'pending' CHECK (
        status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')
    ),
    size text NOT NULL DEFAULT '1024x1024' CHECK (
        size IN ('1024x1024', '1792x1024', '1024x1792', '512x512', '768x768', '1536x1024', '1024x1536')
    ),
    quality text CHECK (quality IN ('standard', 'hd')),
    style text CHECK (style IN ('vivid', 'natural')),
    seed integer,
    image_url text CHECK (length(image_url) <= 10000),
    image_base64 text CHECK (length(image_base64) <= 1000000),
    thumbnail_url text CHECK (length(thumbnail_url) <= 10000),
    storage_url text CHECK (length(storage_url) <= 10000),
    storage_id text CHECK (length(storage_id) <= 255),
    mime_type text CHECK (length(mime_type) <= 50),
    file_size integer CHECK (file_size >= 0),
    width integer CHECK (width > 0),
    height integer CHECK (height > 0),
    generation_params jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(generation_params) = 'object'),
    generation_time_seconds double precision CHECK (generation_time_seconds >= 0),
    error_message text CHECK (length(error_message) <= 10000),
    error_details jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(error_details) = 'object'),
    correlation_id text CHECK (length(correlation_id) <= 255),
    is_favorite boolean NOT NULL DEFAULT false,
    rating double precision CHECK (rating BETWEEN 1 AND 5),
    feedback jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(feedback) = 'object'),
    view_count integer NOT NULL DEFAULT 0 CHECK (view_count >= 0),
    download_count integer NOT NULL DEFAULT 0 CHECK (download_count >= 0),
    image_metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(image_metadata) = 'object'),
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    project_id uuid NOT NULL CONSTRAINT generated_images_project REFERENCES screenshot.projects(id) ON DELETE CASCADE,
    started_at timestamptz,
    completed_at timestamptz,
    lease_token uuid,
    lease_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT generated_images_lease CHECK ((lease_token IS NULL) = (lease_until IS NULL))
) WITH (fillfactor = 90);
CREATE INDEX generated_images_project ON screenshot.generated_images (project_id, created_at DESC, id DESC);
CREATE INDEX generated_images_waiting ON screenshot.generated_images (created_at, id)
WHERE status IN ('pending', 'processing');

CREATE TABLE screenshot.sessions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    session_id text NOT NULL CONSTRAINT sessions_session_id UNIQUE CHECK (session_id ~ '^[0-9a-f]{64}$'),
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'expired', 'revoked', 'invalid')),
    type text NOT NULL DEFAULT 'web' CHECK (type IN ('web', 'api', 'mobile', 'desktop')),
    expires_at timestamptz NOT NULL,
    last_active_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    ip_address inet,
    user_agent text CHECK (length(user_agent) <= 1000),
    device_id text CHECK (length(device_id) <= 255),
    device_type text CHECK (length(device_type) <= 100),
    browser text CHECK (length(browser) <= 100),
    browser_version text CHECK (length(browser_version) <= 50),
    operating_system text CHECK (length(operating_system) <= 100),
    os_version text CHECK (length(os_version) <= 50),
    country text CHECK (length(country) <= 100),
    city text CHECK (length(city) <= 100),
    timezone text CHECK (length(timezone) <= 100),
    session_data jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(session_data) = 'object'),
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    request_count integer NOT NULL DEFAULT 0 CHECK (request_count >= 0),
    revoked_at timestamptz,
    revoked_reason text CHECK (length(revoked_reason) <= 255),
    user_id uuid NOT NULL CONSTRAINT sessions_user REFERENCES screenshot.users(id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
) WITH (fillfactor = 85);
CREATE INDEX sessions_user ON screenshot.sessions (user_id, expires_at DESC);
CREATE INDEX sessions_expiry ON screenshot.sessions (expires_at);

-- migrate:down
DROP SCHEMA screenshot CASCADE;
