-- Why: a record of who did what, that the application can only add to, in partitions by month, which surf-data maintain
-- creates; the default partition takes what has none yet. Triggers refuse to change, delete or empty it, the owner too.
-- The one change that they let through is ON DELETE SET NULL of a user that was deleted: user_digest, which is sealed,
-- still says whether a user_id that is there is the one that was written.
-- audit_seals says what the log held: for each sealed hour the ids and digests of its entries in order, each seal
-- with the
-- digest of the one before. Entries that come later for a sealed hour get a seal of their own.
-- Each partition needs the trigger against TRUNCATE itself: the parent's does not fire for it. An event trigger would
-- need a superuser, so audit_protect_partitions(), which is called before sealing, puts it on those that lack it.
-- squawk-ignore-file prefer-bigint-over-int
-- Locks: none that another session waits for; the tables are new. Milliseconds.

-- migrate:up
CREATE TABLE screenshot.audit_logs (
    id uuid NOT NULL,
    action text NOT NULL CHECK (length(action) BETWEEN 1 AND 100),
    level text NOT NULL DEFAULT 'info' CHECK (level IN ('info', 'warning', 'error', 'critical')),
    category text NOT NULL CHECK (
        category IN (
            'authentication',
            'authorization',
            'data_access',
            'data_modification',
            'security',
            'administration',
            'system',
            'compliance'
        )
    ),
    description text NOT NULL CHECK (length(description) BETWEEN 1 AND 10000),
    details text CHECK (length(details) <= 100000),
    resource_type text CHECK (length(resource_type) <= 100),
    resource_id text CHECK (length(resource_id) <= 255),
    old_values jsonb,
    new_values jsonb,
    context jsonb,
    metadata jsonb,
    ip_address inet,
    user_agent text CHECK (length(user_agent) <= 1000),
    session_id text CHECK (length(session_id) <= 255),
    correlation_id text CHECK (length(correlation_id) <= 255),
    source text CHECK (length(source) <= 100),
    is_success boolean NOT NULL,
    error_message text CHECK (length(error_message) <= 10000),
    duration integer CHECK (duration >= 0),
    user_id uuid CONSTRAINT audit_logs_user REFERENCES screenshot.users(id) ON DELETE SET NULL,
    user_digest bytea,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE TABLE screenshot.audit_logs_default PARTITION OF screenshot.audit_logs DEFAULT;
CREATE INDEX audit_logs_time ON screenshot.audit_logs (created_at, id);
CREATE INDEX audit_logs_user ON screenshot.audit_logs (user_id, created_at, id) WHERE user_id IS NOT NULL;
CREATE INDEX audit_logs_action ON screenshot.audit_logs (action, created_at, id);
CREATE INDEX audit_logs_resource ON screenshot.audit_logs (resource_type, resource_id, created_at)
WHERE resource_id IS NOT NULL;
CREATE INDEX audit_logs_correlation ON screenshot.audit_logs (correlation_id) WHERE correlation_id IS NOT NULL;

CREATE TABLE screenshot.audit_seals (
    sealed_hour timestamptz NOT NULL CHECK (date_trunc('hour', sealed_hour, 'UTC') = sealed_hour),
    number integer NOT NULL CHECK (number > 0),
    entries integer NOT NULL CHECK (entries > 0),
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

CREATE FUNCTION screenshot.audit_logs_append_only() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_logs_no_update
BEFORE UPDATE ON screenshot.audit_logs
FOR EACH ROW
WHEN (new.user_id IS NOT NULL OR (to_jsonb(old) - 'user_id') IS DISTINCT FROM (to_jsonb(new) - 'user_id'))
EXECUTE FUNCTION screenshot.audit_logs_append_only();
CREATE TRIGGER audit_logs_no_delete
BEFORE DELETE ON screenshot.audit_logs
FOR EACH ROW EXECUTE FUNCTION screenshot.audit_logs_append_only();
CREATE TRIGGER audit_logs_no_truncate
BEFORE TRUNCATE ON screenshot.audit_logs
FOR EACH STATEMENT EXECUTE FUNCTION screenshot.audit_logs_append_only();
CREATE TRIGGER audit_seals_no_change
BEFORE UPDATE OR DELETE OR TRUNCATE ON screenshot.audit_seals
FOR EACH STATEMENT EXECUTE FUNCTION screenshot.audit_logs_append_only();

-- Called by the role that seals, which need not be the owner of the partitions.
CREATE FUNCTION screenshot.audit_protect_partitions() RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part regclass;
    protected integer := 0;
BEGIN
    FOR part IN
        SELECT pi.inhrelid::regclass
        FROM pg_inherits AS pi
        WHERE
            pi.inhparent = 'screenshot.audit_logs'::regclass
            AND NOT EXISTS (
                SELECT
                FROM pg_trigger AS pt
                WHERE pt.tgrelid = pi.inhrelid AND pt.tgname = 'audit_logs_no_truncate'
            )
    LOOP
        EXECUTE format(
            'CREATE TRIGGER audit_logs_no_truncate BEFORE TRUNCATE ON %s '
            'FOR EACH STATEMENT EXECUTE FUNCTION screenshot.audit_logs_append_only()', part
        );
        protected := protected + 1;
    END LOOP;
    RETURN protected;
END
$$;
SELECT screenshot.audit_protect_partitions() AS protected;

-- migrate:down
DROP TABLE screenshot.audit_seals;
DROP TABLE screenshot.audit_logs;
DROP FUNCTION screenshot.audit_protect_partitions();
DROP FUNCTION screenshot.audit_logs_append_only();
