-- Why: old rows keep the promises of 0004 too. A value that was never given is filled first: a row that is not known to
-- be active counts as inactive, as the specification's queries already treat it; an unknown moment becomes the nearest
-- one that is known, else 1970-01-01 UTC, which stays out of every recent statistic.
-- If a constraint is violated, the run stops and names it: look for the rows by the constraint's condition.
-- Locks: the filled rows, and SHARE UPDATE EXCLUSIVE on each table, until commit: readers and writers go on, only other
-- DDL and VACUUM wait. A quarter of a second at 1,000,000 lamps; the log is read once, about 10 minutes at
-- 1,000,000,000 rows.

-- migrate:up
UPDATE lamp_registry
SET
    is_active = COALESCE(is_active, false),
    created_at = COALESCE(created_at, updated_at, last_seen, '1970-01-01 00:00:00+00'),
    updated_at = COALESCE(updated_at, created_at, last_seen, '1970-01-01 00:00:00+00')
WHERE is_active IS NULL OR created_at IS NULL OR updated_at IS NULL;
UPDATE api_configuration
SET
    is_active = COALESCE(is_active, false),
    created_at = COALESCE(created_at, '1970-01-01 00:00:00+00')
WHERE is_active IS NULL OR created_at IS NULL;
UPDATE system_configuration
SET
    is_active = COALESCE(is_active, false),
    updated_at = COALESCE(updated_at, '1970-01-01 00:00:00+00')
WHERE is_active IS NULL OR updated_at IS NULL;
UPDATE user_sessions
SET created_at = '1970-01-01 00:00:00+00'
WHERE created_at IS NULL;
UPDATE activity_log
SET created_at = '1970-01-01 00:00:00+00'
WHERE created_at IS NULL;
ALTER TABLE lamp_registry
    VALIDATE CONSTRAINT lamp_registry_brightness_range,
    VALIDATE CONSTRAINT lamp_registry_location_index_range,
    VALIDATE CONSTRAINT lamp_registry_created_at_range,
    VALIDATE CONSTRAINT lamp_registry_updated_at_range,
    VALIDATE CONSTRAINT lamp_registry_last_seen_range;
ALTER TABLE api_configuration
    VALIDATE CONSTRAINT api_configuration_priority_order_range,
    VALIDATE CONSTRAINT api_configuration_created_at_range;
ALTER TABLE system_configuration
    VALIDATE CONSTRAINT system_configuration_updated_at_range;
ALTER TABLE user_sessions
    VALIDATE CONSTRAINT user_sessions_expires_at_range,
    VALIDATE CONSTRAINT user_sessions_created_at_range;
ALTER TABLE activity_log
    VALIDATE CONSTRAINT activity_log_created_at_range,
    VALIDATE CONSTRAINT activity_log_created_at_given;

-- migrate:down
-- Nothing to undo: what was filled in stays, and a validated constraint asks no more of new rows than before.
SELECT true AS nothing_to_undo;
