-- Why: 0016 makes the activity log a table of partitions by time, so that a month that has expired can be dropped
-- instead of being deleted row by row. This file prepares what would take long, while reads and writes go on: a primary
-- key that has the time in it, as a key of partitions must; and the proof that all that is stored, and all that will be
-- until 0016 has run, lies before the begin of a month to come. Such a CHECK lets 0016 take the table as a partition
-- without reading it.
-- It is a month that begins in 14 to 45 days: from then on entries would be refused, so let 0016 follow before.
-- Locks: SHARE UPDATE EXCLUSIVE on activity_log while the index is built, about 10 minutes at 1,000,000,000 rows, and
-- while the rows are checked, about 3 minutes: reads and writes go on. In between ACCESS EXCLUSIVE, milliseconds at any
-- size. Each statement that is done stays done when the run is interrupted.
-- Code that says ON CONFLICT (id) cannot insert entries from here on. Of the old key, which alone said that an id comes
-- once, nothing else depends; the sequence still says so:
-- squawk-ignore-file ban-drop-constraint

-- migrate:up transaction:false
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
