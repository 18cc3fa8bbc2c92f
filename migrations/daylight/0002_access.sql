-- Why: who may do what (roles and permissions), with which key and how often (API keys, rate limits), and what was done
-- (usage of the API, the audit log).
-- audit_seals chains digests of the hours of the audit log, so that a later change of an entry can be shown.
-- rate_limit_states is unlogged: after a crash every counter begins anew, which lets through one allowance more.
-- Locks: none that another session waits for; the tables are new. Milliseconds.

-- migrate:up
CREATE TABLE daylight.permissions (
    id text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 128),
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    resource text NOT NULL,
    action text NOT NULL,
    conditions jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(conditions) = 'object'),
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE daylight.roles (
    id text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 128),
    name text NOT NULL CONSTRAINT roles_name UNIQUE,
    description text NOT NULL DEFAULT '',
    scope text NOT NULL DEFAULT 'global' CHECK (scope IN ('global', 'organization', 'project')),
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE daylight.role_permissions (
    role_id text NOT NULL CONSTRAINT role_permissions_role REFERENCES daylight.roles(id) ON DELETE CASCADE,
    permission_id text NOT NULL CONSTRAINT role_permissions_permission REFERENCES daylight.permissions(id),
    PRIMARY KEY (role_id, permission_id)
);
CREATE INDEX role_permissions_permission ON daylight.role_permissions (permission_id);

CREATE TABLE daylight.role_inherits (
    role_id text NOT NULL CONSTRAINT role_inherits_role REFERENCES daylight.roles(id) ON DELETE CASCADE,
    inherited_id text NOT NULL CONSTRAINT role_inherits_inherited REFERENCES daylight.roles(id),
    PRIMARY KEY (role_id, inherited_id),
    CONSTRAINT role_inherits_other CHECK (role_id <> inherited_id)
);
CREATE INDEX role_inherits_inherited ON daylight.role_inherits (inherited_id);

CREATE TABLE daylight.user_roles (
    user_id text NOT NULL CONSTRAINT user_roles_user REFERENCES daylight.users(id) ON DELETE CASCADE,
    role_id text NOT NULL CONSTRAINT user_roles_role REFERENCES daylight.roles(id),
    -- '*' is everywhere.
    scope text NOT NULL DEFAULT '*',
    assigned_by text,
    assigned_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    expires_at timestamptz,
    conditions jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(conditions) = 'object'),
    PRIMARY KEY (user_id, role_id, scope)
);
CREATE INDEX user_roles_role ON daylight.user_roles (role_id);

CREATE TABLE daylight.api_keys (
    id text PRIMARY KEY,
    name text NOT NULL,
    key_hash text NOT NULL CONSTRAINT api_keys_hash UNIQUE,
    key_preview text NOT NULL,
    user_id text NOT NULL CONSTRAINT api_keys_user REFERENCES daylight.users(id) ON DELETE CASCADE,
    organization_id text,
    scopes text[] NOT NULL DEFAULT '{}',
    allowed_endpoints text[] NOT NULL DEFAULT '{}',
    allowed_methods text[] NOT NULL DEFAULT '{GET,POST}',
    ip_whitelist text[] NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'revoked')),
    environment text NOT NULL DEFAULT 'production',
    expires_at timestamptz,
    last_used_at timestamptz,
    description text,
    tags jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(tags) = 'object'),
    created_by text,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
) WITH (fillfactor = 80);
CREATE INDEX api_keys_user ON daylight.api_keys (user_id, created_at);

CREATE TABLE daylight.api_usage (
    id text NOT NULL,
    api_key_id text NOT NULL,
    user_id text NOT NULL,
    endpoint text NOT NULL,
    method text NOT NULL,
    status_code bigint NOT NULL CHECK (status_code BETWEEN 100 AND 599),
    response_time_ms double precision NOT NULL,
    request_size bigint NOT NULL DEFAULT 0,
    response_size bigint NOT NULL DEFAULT 0,
    rate_limit_hit boolean NOT NULL DEFAULT false,
    ip_address inet,
    user_agent text,
    error_code text,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (id, occurred_at)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX api_usage_user ON daylight.api_usage (user_id);
CREATE TABLE daylight.api_usage_default PARTITION OF daylight.api_usage DEFAULT;

-- What the entries of an hour add up to; added to by the statement that stores them.
CREATE TABLE daylight.api_usage_hourly (
    api_key_id text NOT NULL,
    endpoint text NOT NULL,
    hour timestamptz NOT NULL,
    calls bigint NOT NULL,
    errors bigint NOT NULL,
    total_ms double precision NOT NULL,
    request_bytes bigint NOT NULL,
    response_bytes bigint NOT NULL,
    PRIMARY KEY (api_key_id, hour, endpoint)
) WITH (fillfactor = 70);

CREATE TABLE daylight.rate_limits (
    id text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 128),
    name text NOT NULL,
    algorithm text NOT NULL CHECK (algorithm IN ('token_bucket', 'leaky_bucket', 'fixed_window', 'sliding_window')),
    requests bigint NOT NULL CHECK (requests BETWEEN 1 AND 10000000),
    window_ms bigint NOT NULL CHECK (window_ms BETWEEN 1 AND 2592000000),
    scope text NOT NULL DEFAULT 'global' CHECK (scope IN ('global', 'api_key', 'user', 'ip', 'endpoint')),
    endpoints text[] NOT NULL DEFAULT '{}',
    methods text[] NOT NULL DEFAULT '{}',
    action text NOT NULL DEFAULT 'block' CHECK (action IN ('block', 'throttle')),
    block_ms bigint NOT NULL DEFAULT 0 CHECK (block_ms >= 0),
    enabled boolean NOT NULL DEFAULT true,
    priority bigint NOT NULL DEFAULT 100,
    on_failure text NOT NULL DEFAULT 'postgresql' CHECK (on_failure IN ('postgresql', 'allow', 'deny')),
    on_failure_last text NOT NULL DEFAULT 'allow' CHECK (on_failure_last IN ('allow', 'deny')),
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE UNLOGGED TABLE daylight.rate_limit_states (
    limit_key text PRIMARY KEY,
    -- Of a bucket: when it is full again; of a window: when it began. Microseconds since 1970.
    moment bigint NOT NULL DEFAULT 0,
    -- Of a bucket: the fraction of that microsecond, in 1/requests; of a window: what was used.
    used bigint NOT NULL DEFAULT 0,
    -- Of a sliding window: pairs of a thousandth of the window and what was used in it, oldest first.
    log bigint[] NOT NULL DEFAULT '{}',
    blocked_until bigint NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
) WITH (fillfactor = 70);
CREATE INDEX rate_limit_states_expiry ON daylight.rate_limit_states (expires_at);

-- One call of the rate limiter, for when Redis is away: all of several limits count, or none. Rows are locked in the
-- order
-- of their keys, so that two calls cannot wait for each other; the clock is read once they are locked.
-- Buckets are GCRA in whole microseconds and fractions of them in 1/requests, so that nothing is lost by rounding. A
-- sliding window counts in thousandths of itself, and what was used in one counts until all of it has left.
CREATE FUNCTION daylight.rate_limit_hit(
    limit_keys text[], algorithms text[], requests bigint[], windows bigint[], blocks bigint[], cost bigint
)
RETURNS TABLE (ordinal bigint, is_allowed boolean, remaining bigint, retry_after bigint, reset_at bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    counted bigint := cardinality(limit_keys);
    state daylight.rate_limit_states;
    states daylight.rate_limit_states[] := '{}';
    moment bigint;
    resolution bigint;
    share bigint;
    rest bigint;
    head bigint;
    left_over bigint;
    all_allowed boolean := true;
BEGIN
    INSERT INTO daylight.rate_limit_states AS s (limit_key)
    SELECT k.limit_key FROM unnest(limit_keys) AS k (limit_key) ORDER BY k.limit_key
    ON CONFLICT (limit_key) DO NOTHING;
    PERFORM FROM daylight.rate_limit_states AS s WHERE s.limit_key = ANY(limit_keys) ORDER BY s.limit_key FOR UPDATE;
    moment := (extract(EPOCH FROM clock_timestamp()) * 1000000)::bigint;

    FOR i IN 1..counted LOOP
        SELECT s.* INTO STRICT state FROM daylight.rate_limit_states AS s WHERE s.limit_key = limit_keys[i];
        ordinal := i;
        retry_after := 0;
        IF algorithms[i] = 'fixed_window' THEN
            IF state.moment <> moment - moment % windows[i] THEN
                state.moment := moment - moment % windows[i];
                state.used := 0;
            END IF;
            reset_at := state.moment + windows[i];
            is_allowed := state.used + cost <= requests[i];
            IF is_allowed THEN
                state.used := state.used + cost;
            ELSE
                retry_after := reset_at - moment;
            END IF;
            remaining := requests[i] - state.used;
        ELSIF algorithms[i] = 'sliding_window' THEN
            resolution := greatest(windows[i] / 1000, 1);
            head := 1;
            WHILE head < cardinality(state.log) AND (state.log[head] + 1) * resolution <= moment - windows[i] LOOP
                state.used := state.used - state.log[head + 1];
                head := head + 2;
            END LOOP;
            state.log := state.log[head : cardinality(state.log)];
            is_allowed := state.used + cost <= requests[i];
            IF NOT is_allowed THEN
                left_over := state.used + cost - requests[i];
                head := 1;
                WHILE left_over > 0 LOOP
                    retry_after := (state.log[head] + 1) * resolution + windows[i] - moment;
                    left_over := left_over - state.log[head + 1];
                    head := head + 2;
                END LOOP;
            ELSIF cost > 0 THEN
                state.used := state.used + cost;
                IF state.log[cardinality(state.log) - 1] = moment / resolution THEN
                    state.log[cardinality(state.log)] := state.log[cardinality(state.log)] + cost;
                ELSE
                    state.log := state.log || ARRAY[moment / resolution, cost];
                END IF;
            END IF;
            reset_at := moment;
            IF cardinality(state.log) > 0 THEN
                reset_at := (state.log[cardinality(state.log) - 1] + 1) * resolution + windows[i];
            END IF;
            remaining := requests[i] - state.used;
        ELSE
            IF state.moment < moment THEN
                state.moment := moment;
                state.used := 0;
            END IF;
            rest := state.used + cost * (windows[i] % requests[i]);
            share := state.moment + cost * (windows[i] / requests[i]) + rest / requests[i];
            rest := rest % requests[i];
            is_allowed := share - moment + CASE WHEN rest > 0 THEN 1 ELSE 0 END <= windows[i];
            IF is_allowed THEN
                state.moment := share;
                state.used := rest;
            ELSE
                retry_after := share - moment + CASE WHEN rest > 0 THEN 1 ELSE 0 END - windows[i];
            END IF;
            reset_at := state.moment;
            remaining := floor(
                (((windows[i] - state.moment + moment)::numeric * requests[i]) - state.used) / windows[i]
            );
        END IF;
        IF state.blocked_until > moment THEN
            is_allowed := false;
            retry_after := greatest(retry_after, state.blocked_until - moment);
        ELSIF NOT is_allowed AND cost > 0 AND blocks[i] > 0 THEN
            state.blocked_until := moment + blocks[i];
            retry_after := greatest(retry_after, blocks[i]);
            UPDATE daylight.rate_limit_states AS s
            SET
                blocked_until = state.blocked_until,
                expires_at = greatest(s.expires_at, clock_timestamp() + blocks[i] * interval '1 microsecond')
            WHERE s.limit_key = limit_keys[i];
        END IF;
        IF NOT is_allowed THEN
            all_allowed := false;
        END IF;
        states := states || state;
        RETURN NEXT;
    END LOOP;

    IF all_allowed AND cost > 0 THEN
        FOR i IN 1..counted LOOP
            UPDATE daylight.rate_limit_states AS s
            SET
                moment = states[i].moment,
                used = states[i].used,
                log = states[i].log,
                expires_at = clock_timestamp() + windows[i] * interval '2 microseconds'
            WHERE s.limit_key = limit_keys[i];
        END LOOP;
    END IF;
END
$$;

CREATE TABLE daylight.audit_logs (
    id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    event_type text NOT NULL,
    user_id text,
    session_id text,
    resource text NOT NULL,
    action text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('success', 'failure', 'partial')),
    risk_level text NOT NULL CHECK (risk_level IN ('low', 'medium', 'high', 'critical')),
    ip_address inet,
    user_agent text,
    details jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(details) = 'object'),
    changes jsonb,
    compliance_labels text[] NOT NULL DEFAULT '{}',
    retention_policy text NOT NULL DEFAULT 'default',
    source text NOT NULL,
    version text NOT NULL DEFAULT '1',
    correlation_id text,
    trace_id text,
    PRIMARY KEY (id, occurred_at)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX audit_logs_time ON daylight.audit_logs (occurred_at DESC, id DESC);
CREATE INDEX audit_logs_user ON daylight.audit_logs (user_id, occurred_at DESC, id DESC);
CREATE TABLE daylight.audit_logs_default PARTITION OF daylight.audit_logs DEFAULT;

-- What the log held: for each hour that has ended the ids and digests of its entries, each seal with the digest of
-- the one
-- before. An archive keeps its entries, not these: they stay.
CREATE TABLE daylight.audit_seals (
    sealed_hour timestamptz NOT NULL CHECK (date_trunc('hour', sealed_hour, 'UTC') = sealed_hour),
    number bigint NOT NULL CHECK (number > 0),
    entries bigint NOT NULL CHECK (entries > 0),
    -- 32 bytes for each entry: its id, and the first half of the SHA-256 of what it says.
    manifest bytea NOT NULL,
    previous bytea NOT NULL,
    digest bytea NOT NULL CONSTRAINT audit_seals_digest UNIQUE CHECK (length(digest) = 32),
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    position bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_seals_position UNIQUE,
    PRIMARY KEY (sealed_hour, number),
    CONSTRAINT audit_seals_manifest CHECK (length(manifest) = entries * 32),
    -- Two that seal at a time would both go on from the same seal.
    CONSTRAINT audit_seals_chain UNIQUE (previous)
);

-- Append-only also for its owner: what expires leaves as a partition, never by UPDATE, DELETE or TRUNCATE.
CREATE FUNCTION daylight.audit_logs_append_only() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF tg_op = 'DELETE' AND current_setting('daylight.expiring', true) = 'on' THEN
        RETURN old;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_logs_append_only
BEFORE UPDATE OR DELETE ON daylight.audit_logs
FOR EACH ROW EXECUTE FUNCTION daylight.audit_logs_append_only();
CREATE TRIGGER audit_logs_no_truncate
BEFORE TRUNCATE ON daylight.audit_logs
FOR EACH STATEMENT EXECUTE FUNCTION daylight.audit_logs_append_only();

-- migrate:down
DROP FUNCTION daylight.rate_limit_hit(text[], text[], bigint[], bigint[], bigint[], bigint);
DROP TABLE daylight.audit_seals, daylight.audit_logs, daylight.rate_limit_states, daylight.rate_limits,
daylight.api_usage_hourly, daylight.api_usage, daylight.api_keys, daylight.user_roles, daylight.role_inherits,
daylight.role_permissions, daylight.roles, daylight.permissions;
DROP FUNCTION daylight.audit_logs_append_only();
