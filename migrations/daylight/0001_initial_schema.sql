-- Why: what a day planner stores of its users: accounts, plans, places, where they were, and what it knows for a while.
-- Keys are text, because callers may bring their own; times have a zone; whatever grows without end is in partitions by
-- time, weeks for locations and months for the rest, so that what has expired is dropped and not deleted.
-- The default partitions take what has no partition yet; surf-data maintain creates the others.
-- Partitioned tables have no foreign key to users: rows of users go by erasure, and users themselves after seven years.
-- users.inactive_since is null for an active account, so that no age alone makes a customer expire.
-- Locks: none that another session waits for; the tables are new. Milliseconds.

-- migrate:up
CREATE SCHEMA daylight;

CREATE TABLE daylight.users (
    id text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 128),
    email text NOT NULL,
    email_key text NOT NULL CONSTRAINT users_email_key UNIQUE,
    username text NOT NULL,
    username_key text NOT NULL CONSTRAINT users_username_key UNIQUE,
    password_hash text NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    email_verified boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    last_login_at timestamptz,
    last_active_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    inactive_since timestamptz GENERATED ALWAYS AS (CASE WHEN NOT is_active THEN last_active_at END) STORED
);
CREATE INDEX users_inactive ON daylight.users (inactive_since) WHERE inactive_since IS NOT NULL;

CREATE TABLE daylight.user_profiles (
    user_id text PRIMARY KEY CONSTRAINT user_profiles_user REFERENCES daylight.users(id),
    first_name text NOT NULL DEFAULT '',
    last_name text NOT NULL DEFAULT '',
    avatar text,
    timezone text NOT NULL DEFAULT 'UTC',
    preferences jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(preferences) = 'object'),
    settings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    inactive_since timestamptz
);
CREATE INDEX user_profiles_inactive ON daylight.user_profiles (inactive_since) WHERE inactive_since IS NOT NULL;

-- A profile expires when its user does.
CREATE FUNCTION daylight.user_profile_follow() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE daylight.user_profiles AS up
    SET inactive_since = new.inactive_since
    WHERE up.user_id = new.id AND up.inactive_since IS DISTINCT FROM new.inactive_since;
    RETURN NULL;
END
$$;
CREATE TRIGGER user_profile_follow
AFTER UPDATE OF is_active, last_active_at ON daylight.users
FOR EACH ROW EXECUTE FUNCTION daylight.user_profile_follow();

CREATE TABLE daylight.user_sessions (
    session_hash text PRIMARY KEY,
    user_id text NOT NULL CONSTRAINT user_sessions_user REFERENCES daylight.users(id) ON DELETE CASCADE,
    data jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(data) = 'object'),
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX user_sessions_user ON daylight.user_sessions (user_id);
CREATE INDEX user_sessions_expiry ON daylight.user_sessions (expires_at);

CREATE TABLE daylight.auth_sessions (
    session_hash text PRIMARY KEY,
    refresh_hash text NOT NULL CONSTRAINT auth_sessions_refresh UNIQUE,
    user_id text NOT NULL CONSTRAINT auth_sessions_user REFERENCES daylight.users(id) ON DELETE CASCADE,
    ip_address inet,
    user_agent text,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    last_seen_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX auth_sessions_user ON daylight.auth_sessions (user_id, created_at);
CREATE INDEX auth_sessions_expiry ON daylight.auth_sessions (expires_at);

CREATE TABLE daylight.plans (
    id text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 128),
    user_id text NOT NULL CONSTRAINT plans_user REFERENCES daylight.users(id),
    title text NOT NULL,
    description text NOT NULL DEFAULT '',
    location jsonb,
    start_time timestamptz NOT NULL,
    end_time timestamptz NOT NULL,
    activities jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(activities) = 'array'),
    preferences jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(preferences) = 'object'),
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'completed', 'cancelled', 'archived')),
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    -- A plan for next year is not old because it was made last year.
    last_relevant_at timestamptz NOT NULL GENERATED ALWAYS AS (greatest(updated_at, end_time)) STORED,
    CONSTRAINT plans_period CHECK (end_time >= start_time)
);
CREATE INDEX plans_newest ON daylight.plans (user_id, created_at DESC, id DESC);
CREATE INDEX plans_relevance ON daylight.plans (last_relevant_at);

CREATE TABLE daylight.locations (
    id text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 128),
    user_id text NOT NULL CONSTRAINT locations_user REFERENCES daylight.users(id),
    name text NOT NULL,
    lat double precision NOT NULL CHECK (lat BETWEEN -90 AND 90),
    lng double precision NOT NULL CHECK (lng BETWEEN -180 AND 180),
    address text,
    type text NOT NULL CHECK (type IN ('home', 'work', 'favorite', 'wishlist')),
    notes text,
    tags jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(tags) = 'array'),
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    visited_at timestamptz
);
CREATE INDEX locations_newest ON daylight.locations (user_id, created_at DESC, id DESC);
CREATE INDEX locations_age ON daylight.locations (updated_at);

-- lat and lng repeat what is in location, so that a day's bounding box is a scan of numbers.
CREATE TABLE daylight.location_history (
    -- Compared as bytes, so that the first and the last id of many mean the same everywhere.
    id text COLLATE "C" NOT NULL CHECK (length(id) BETWEEN 1 AND 128),
    user_id text NOT NULL CHECK (length(user_id) BETWEEN 1 AND 128),
    location jsonb NOT NULL CHECK (jsonb_typeof(location) = 'object'),
    lat double precision CHECK (lat BETWEEN -90 AND 90),
    lng double precision CHECK (lng BETWEEN -180 AND 180),
    activity text NOT NULL,
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    recorded_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    -- With the user, by whom a cluster spreads the rows; the id first, by which an import looks them up.
    PRIMARY KEY (id, user_id, recorded_at)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX location_history_newest ON daylight.location_history (user_id, recorded_at DESC, id DESC);
CREATE TABLE daylight.location_history_default PARTITION OF daylight.location_history DEFAULT;

CREATE UNLOGGED TABLE daylight.weather_cache (
    cache_key text PRIMARY KEY,
    data jsonb NOT NULL,
    stored_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX weather_cache_expiry ON daylight.weather_cache (expires_at);

CREATE UNLOGGED TABLE daylight.traffic_data (
    cache_key text PRIMARY KEY,
    data jsonb NOT NULL,
    stored_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX traffic_data_expiry ON daylight.traffic_data (expires_at);

CREATE UNLOGGED TABLE daylight.events_cache (
    cache_key text PRIMARY KEY,
    data jsonb NOT NULL,
    stored_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX events_cache_expiry ON daylight.events_cache (expires_at);

CREATE TABLE daylight.usage_analytics (
    id text NOT NULL,
    user_id text NOT NULL,
    event_type text NOT NULL,
    event_data jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(event_data) = 'object'),
    session_id text,
    user_agent text,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (id, user_id, occurred_at)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX usage_analytics_user ON daylight.usage_analytics (user_id, occurred_at);
CREATE INDEX usage_analytics_day ON daylight.usage_analytics (occurred_at);
CREATE TABLE daylight.usage_analytics_default PARTITION OF daylight.usage_analytics DEFAULT;

-- A row for each query, process and minute.
CREATE TABLE daylight.performance_metrics (
    query_name text NOT NULL,
    process text NOT NULL,
    measured_at timestamptz NOT NULL,
    calls bigint NOT NULL,
    errors bigint NOT NULL,
    rows bigint NOT NULL,
    total_ms double precision NOT NULL,
    p95_ms double precision NOT NULL,
    max_ms double precision NOT NULL,
    PRIMARY KEY (query_name, process, measured_at)
) PARTITION BY RANGE (measured_at);
CREATE INDEX performance_metrics_time ON daylight.performance_metrics (measured_at);
CREATE TABLE daylight.performance_metrics_default PARTITION OF daylight.performance_metrics DEFAULT;

CREATE TABLE daylight.error_logs (
    id text NOT NULL,
    occurred_at timestamptz NOT NULL,
    severity text NOT NULL CHECK (severity IN ('critical', 'high', 'medium', 'low')),
    name text NOT NULL,
    message text NOT NULL,
    stack text NOT NULL DEFAULT '',
    context jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(context) = 'object'),
    user_id text,
    fingerprint text NOT NULL,
    resolved boolean NOT NULL DEFAULT false,
    PRIMARY KEY (id, occurred_at)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX error_logs_severity ON daylight.error_logs (severity, occurred_at DESC, id DESC);
CREATE INDEX error_logs_newest ON daylight.error_logs (occurred_at DESC, id DESC);
CREATE TABLE daylight.error_logs_default PARTITION OF daylight.error_logs DEFAULT;

-- migrate:down
DROP TABLE daylight.error_logs, daylight.performance_metrics, daylight.usage_analytics, daylight.events_cache,
daylight.traffic_data, daylight.weather_cache, daylight.location_history, daylight.locations, daylight.plans,
daylight.auth_sessions, daylight.user_sessions, daylight.user_profiles, daylight.users;
DROP FUNCTION daylight.user_profile_follow();
DROP SCHEMA daylight;
