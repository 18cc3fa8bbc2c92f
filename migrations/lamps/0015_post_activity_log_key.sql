-- Why: 0016 partitions the activity log by time, so that an expired month can be dropped instead of being deleted row
-- by row. This file prepares what would take long, while reads and writes go on:
--   the index by type and status goes. No query of this library uses it, and each entry pays for it with a sixth of the
--     server's time (1.7 of 9.9 microseconds, measured with entries by the ten thousand); 7 GB at 1,000,000,000 rows.
--   the primary key gets the time into it, as a key of partitions must have.
--   a CHECK proves that all rows, and all until 0016 has run, are from before a month to come, so that 0016 attaches
--     the table as a partition without reading it. That month begins in 14 to 45 days, and later entries are refused:
--     let 0016 follow before.
-- Locks: SHARE UPDATE EXCLUSIVE on activity_log while indexes are dropped and built, about 10 minutes at 1,000,000,000
-- rows, and while the rows are checked, about 3 minutes: reads and writes go on. In between ACCESS EXCLUSIVE,
-- milliseconds at any size. Each statement that is done stays done when the run is interrupted.
-- Code that says ON CONFLICT (id) cannot insert entries from here on. Nothing else depends on the old key, which alone
-- said that an id comes once; the sequence still says so:
-- squawk-ignore-file ban-drop-constraint

-- migrate:up transaction:false
DROP INDEX CONCURRENTLY idx_activity_log_type_status;
-- migrate:next
CREATE UNIQUE INDEX CONCURRENTLY activity_log_id_created_at ON activity_log (id, created_at);
-- migrate:next
-- PostgreSQL gives the index the name of the constraint.
ALTER TABLE activity_log
    DROP CONSTRAINT activity_log_pkey,
    ADD CONSTRAINT activity_log_pkey PRIMARY KEY USING INDEX activity_log_id_created_at;
-- migrate:next
DO $$
DECLARE
    today CONSTANT timestamp := CURRENT_TIMESTAMP AT TIME ZONE 'UTC';
    boundary CONSTANT timestamptz :=
        (date_trunc('month', today + interval '14 days') + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
    PERFORM set_config('timezone', 'UTC', true);
    EXECUTE format(
        'ALTER TABLE activity_log ADD CONSTRAINT activity_log_before_partitions CHECK (created_at < %L) NOT VALID',
        boundary
    );
END
$$;
-- migrate:next
-- Stops at entries of a time that is still to come. Correct their created_at, and run the migration again.
ALTER TABLE activity_log VALIDATE CONSTRAINT activity_log_before_partitions;

-- migrate:down transaction:false
-- Stops when two entries have the same id; those that surf_data writes never do.
CREATE UNIQUE INDEX CONCURRENTLY activity_log_id ON activity_log (id);
-- migrate:next
ALTER TABLE activity_log
    DROP CONSTRAINT activity_log_before_partitions,
    DROP CONSTRAINT activity_log_pkey,
    ADD CONSTRAINT activity_log_pkey PRIMARY KEY USING INDEX activity_log_id;
-- migrate:next
CREATE INDEX CONCURRENTLY idx_activity_log_type_status ON activity_log (activity_type, status);
