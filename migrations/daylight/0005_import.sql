-- Why: what was imported from SQLite files, how far each run came, and which rows were refused and why. A run goes on
-- behind last_key after it was interrupted; import_portions says what it inserted, so that it can be taken back.
-- Locks: none that another session waits for; the tables are new. Milliseconds.

-- migrate:up
CREATE TABLE daylight.import_runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- SHA-256 of the whole file.
    fingerprint text NOT NULL,
    file_name text NOT NULL,
    layout text NOT NULL,
    status text NOT NULL DEFAULT 'running'
    CHECK (status IN ('running', 'completed', 'failed', 'undone')),
    started_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    ended_at timestamptz,
    -- By table: last_key and the counts so far.
    progress jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX import_runs_fingerprint ON daylight.import_runs (fingerprint, id);

CREATE TABLE daylight.import_portions (
    run_id bigint NOT NULL CONSTRAINT import_portions_run REFERENCES daylight.import_runs(id) ON DELETE CASCADE,
    table_name text NOT NULL,
    last_key bigint NOT NULL,
    -- What was inserted; what was there already, unchanged; from when to when history is of both; and their checksum.
    inserted_ids text[] NOT NULL,
    unchanged_ids text[] NOT NULL,
    first_at timestamptz,
    last_at timestamptz,
    checksum numeric NOT NULL,
    PRIMARY KEY (run_id, table_name, last_key)
);

CREATE TABLE daylight.import_quarantine (
    run_id bigint NOT NULL CONSTRAINT import_quarantine_run REFERENCES daylight.import_runs(id) ON DELETE CASCADE,
    table_name text NOT NULL,
    source_key text NOT NULL,
    column_name text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (run_id, table_name, source_key)
);

-- migrate:down
DROP TABLE daylight.import_quarantine, daylight.import_portions, daylight.import_runs;
