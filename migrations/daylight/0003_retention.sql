-- Why: how long each table is kept (the requirement's fourteen figures, as rows), what must not be deleted whatever its
-- age, and which archives there are. A row of data_archives is written before its object is, so that a run which was
-- killed is continued by the next one and nothing is archived twice.
-- Caches and sessions are deleted without an archive: nothing in them is worth a restore.
-- Restored rows go to tables of the schema daylight_restored, never to the live ones.
-- Locks: none that another session waits for; the tables are new. Milliseconds.

-- migrate:up
CREATE SCHEMA daylight_restored;

CREATE TABLE daylight.retention_policies (
    table_name text PRIMARY KEY,
    tier text NOT NULL CHECK (tier IN ('hot', 'warm', 'cold')),
    keep_days bigint NOT NULL CHECK (keep_days BETWEEN 1 AND 36500),
    archive boolean NOT NULL,
    storage_class text NOT NULL DEFAULT 'standard',
    enabled boolean NOT NULL DEFAULT true,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);

INSERT INTO daylight.retention_policies (table_name, tier, keep_days, archive, storage_class) VALUES
('user_sessions', 'hot', 30, false, 'standard'),
('location_history', 'hot', 90, true, 'standard'),
('weather_cache', 'hot', 7, false, 'standard'),
('traffic_data', 'hot', 30, false, 'standard'),
('events_cache', 'hot', 14, false, 'standard'),
('performance_metrics', 'hot', 30, true, 'standard'),
('plans', 'warm', 365, true, 'infrequent'),
('usage_analytics', 'warm', 365, true, 'infrequent'),
('error_logs', 'warm', 90, true, 'infrequent'),
('api_usage', 'warm', 365, true, 'infrequent'),
('audit_logs', 'cold', 2555, true, 'glacier'),
('user_profiles', 'cold', 2555, true, 'glacier'),
('locations', 'cold', 1095, true, 'glacier'),
('users', 'cold', 2555, true, 'glacier');

-- table_name is null for a hold over every table.
CREATE TABLE daylight.legal_holds (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name text CONSTRAINT legal_holds_table REFERENCES daylight.retention_policies(table_name),
    reason text NOT NULL,
    user_id text,
    since timestamptz,
    until timestamptz,
    placed_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    released_at timestamptz,
    CONSTRAINT legal_holds_period CHECK (until > since)
);
CREATE INDEX legal_holds_table ON daylight.legal_holds (table_name);

CREATE TABLE daylight.data_archives (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name text NOT NULL,
    -- The table that the rows were set aside in: a detached partition, or expired rows of a table without partitions.
    relation_name text NOT NULL CONSTRAINT data_archives_relation UNIQUE,
    since timestamptz,
    until timestamptz NOT NULL,
    location text NOT NULL,
    -- pending: being written; stored: proved; completed: the rows are in the archive alone.
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'stored', 'completed')),
    row_count bigint NOT NULL DEFAULT 0,
    -- SHA-256 of the rows as CSV.
    checksum text NOT NULL DEFAULT '',
    raw_bytes bigint NOT NULL DEFAULT 0,
    stored_bytes bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    completed_at timestamptz
);
CREATE INDEX data_archives_table ON daylight.data_archives (table_name, until, id);
CREATE INDEX data_archives_stored ON daylight.data_archives (id) WHERE status = 'stored';

CREATE TABLE daylight.retention_logs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    summary jsonb NOT NULL
);
CREATE INDEX retention_logs_newest ON daylight.retention_logs (ended_at DESC);

-- migrate:down
DROP TABLE daylight.retention_logs, daylight.data_archives, daylight.legal_holds, daylight.retention_policies;
DROP SCHEMA daylight_restored;
