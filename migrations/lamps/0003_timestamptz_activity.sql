-- Why: as 0002, for the activity log, which is so large that its locks should not hold up the other tables.
-- Locks: ACCESS EXCLUSIVE on activity_log until commit. The table is not rewritten, but PostgreSQL builds
-- idx_activity_log_lamp_time and idx_activity_log_created_at anew: 1 second a million rows, so about half an hour at
-- 1,000,000,000. To keep such a log open, drop the two with DROP INDEX CONCURRENTLY before this file, which then takes
-- milliseconds, and create them again, under the same names, with CREATE INDEX CONCURRENTLY after it.
-- squawk-ignore-file changing-column-type

-- migrate:up
SET LOCAL TIME ZONE 'UTC';
ALTER TABLE activity_log
    ALTER COLUMN created_at TYPE TIMESTAMPTZ;

-- migrate:down
SET LOCAL TIME ZONE 'UTC';
ALTER TABLE activity_log
    ALTER COLUMN created_at TYPE TIMESTAMP;
