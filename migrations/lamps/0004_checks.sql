-- Why: refuse what no client could use: a brightness beyond 100 per cent, a negative location or priority, a moment
-- that Python cannot read (infinity, years before 1 and after 9999, and a day at either end because it reads them in
-- the session's time zone), an entry of the log without a time.
-- From here on new rows are checked; 0005 looks at the old ones, which takes longer and needs a weaker lock.
-- Locks: ACCESS EXCLUSIVE on each table until commit; nothing is scanned. Milliseconds at any size.

-- migrate:up
ALTER TABLE lamp_registry
    ADD CONSTRAINT lamp_registry_brightness_range
    CHECK (brightness BETWEEN 0 AND 100) NOT VALID,
    ADD CONSTRAINT lamp_registry_location_index_range
    CHECK (location_index >= 0) NOT VALID,
    ADD CONSTRAINT lamp_registry_created_at_range
    CHECK (created_at >= '0001-01-02 00:00:00+00' AND created_at < '9999-12-31 00:00:00+00') NOT VALID,
    ADD CONSTRAINT lamp_registry_updated_at_range
    CHECK (updated_at >= '0001-01-02 00:00:00+00' AND updated_at < '9999-12-31 00:00:00+00') NOT VALID,
    ADD CONSTRAINT lamp_registry_last_seen_range
    CHECK (last_seen >= '0001-01-02 00:00:00+00' AND last_seen < '9999-12-31 00:00:00+00') NOT VALID;
ALTER TABLE api_configuration
    ADD CONSTRAINT api_configuration_priority_order_range
    CHECK (priority_order >= 0) NOT VALID,
    ADD CONSTRAINT api_configuration_created_at_range
    CHECK (created_at >= '0001-01-02 00:00:00+00' AND created_at < '9999-12-31 00:00:00+00') NOT VALID;
ALTER TABLE system_configuration
    ADD CONSTRAINT system_configuration_updated_at_range
    CHECK (updated_at >= '0001-01-02 00:00:00+00' AND updated_at < '9999-12-31 00:00:00+00') NOT VALID;
-- The second constraint lets 0006 set NOT NULL without a scan, and ends there.
ALTER TABLE activity_log
    ADD CONSTRAINT activity_log_created_at_range
    CHECK (created_at >= '0001-01-02 00:00:00+00' AND created_at < '9999-12-31 00:00:00+00') NOT VALID,
    ADD CONSTRAINT activity_log_created_at_given
    CHECK (created_at IS NOT NULL) NOT VALID;
ALTER TABLE user_sessions
    ADD CONSTRAINT user_sessions_expires_at_range
    CHECK (expires_at >= '0001-01-02 00:00:00+00' AND expires_at < '9999-12-31 00:00:00+00') NOT VALID,
    ADD CONSTRAINT user_sessions_created_at_range
    CHECK (created_at >= '0001-01-02 00:00:00+00' AND created_at < '9999-12-31 00:00:00+00') NOT VALID;

-- migrate:down
ALTER TABLE user_sessions
    DROP CONSTRAINT user_sessions_created_at_range,
    DROP CONSTRAINT user_sessions_expires_at_range;
ALTER TABLE activity_log
    DROP CONSTRAINT activity_log_created_at_given,
    DROP CONSTRAINT activity_log_created_at_range;
ALTER TABLE system_configuration
    DROP CONSTRAINT system_configuration_updated_at_range;
ALTER TABLE api_configuration
    DROP CONSTRAINT api_configuration_created_at_range,
    DROP CONSTRAINT api_configuration_priority_order_range;
ALTER TABLE lamp_registry
    DROP CONSTRAINT lamp_registry_last_seen_range,
    DROP CONSTRAINT lamp_registry_updated_at_range,
    DROP CONSTRAINT lamp_registry_created_at_range,
    DROP CONSTRAINT lamp_registry_location_index_range,
    DROP CONSTRAINT lamp_registry_brightness_range;
