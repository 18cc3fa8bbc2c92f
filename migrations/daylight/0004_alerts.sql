-- Why: when to raise an alarm, and whether it was raised already. The state of a rule is one row for all processes: the
-- statement that changes it decides which process sends, so that one outage is one message.
-- Locks: none that another session waits for; the tables are new. Milliseconds.

-- migrate:up
CREATE TABLE daylight.alert_rules (
    id text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 128),
    name text NOT NULL,
    metric text NOT NULL,
    operator text NOT NULL CHECK (operator IN ('>', '<', '=', '>=', '<=')),
    threshold double precision NOT NULL,
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    enabled boolean NOT NULL DEFAULT true,
    hold_seconds double precision NOT NULL DEFAULT 0 CHECK (hold_seconds >= 0),
    cooldown_seconds double precision NOT NULL DEFAULT 300 CHECK (cooldown_seconds >= 0),
    recover_seconds double precision NOT NULL DEFAULT 0 CHECK (recover_seconds >= 0),
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);

INSERT INTO daylight.alert_rules (
    id, name, metric, operator, threshold, severity, hold_seconds, cooldown_seconds, recover_seconds
) VALUES
('high_latency', 'High latency', 'average_query_ms', '>', 1000, 'warning', 0, 300, 60),
('high_error_rate', 'High error rate', 'error_rate', '>', 0.05, 'critical', 0, 600, 60),
('connection_limit', 'Connection limit', 'pool_utilization', '>', 0.8, 'warning', 0, 300, 60),
('breaker_open', 'Cache unavailable', 'breaker_open', '>', 0, 'warning', 30, 300, 60),
('database_down', 'Database unavailable', 'database_down', '>', 0, 'critical', 0, 300, 0),
('retention_overdue', 'Retention overdue', 'retention_overdue_days', '>', 7, 'warning', 0, 86400, 60);

CREATE TABLE daylight.alert_states (
    rule_id text NOT NULL CONSTRAINT alert_states_rule REFERENCES daylight.alert_rules(id) ON DELETE CASCADE,
    subject text NOT NULL,
    state text NOT NULL CHECK (state IN ('ok', 'pending', 'firing')),
    -- When the value began to be beyond the threshold, and when it came back.
    breached_since timestamptz,
    healthy_since timestamptz,
    last_sent_at timestamptz,
    sends bigint NOT NULL DEFAULT 0,
    silenced_until timestamptz,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (rule_id, subject)
) WITH (fillfactor = 70);

-- One observation of a rule: 'alert' or 'recovery' for the one process that is to send it, null for all others. The
-- row is
-- locked, so however many processes observe the same, one is answered. A rule that goes on being broken is sent again
-- once its cooldown is over; one that breaks again within it waits that long.
CREATE FUNCTION daylight.alert_observe(
    observed_rule text, observed_subject text, is_broken boolean, hold float8, cooldown float8, recover float8
)
RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known daylight.alert_states;
    moment timestamptz;
    decision text;
BEGIN
    INSERT INTO daylight.alert_states AS s (rule_id, subject, state)
    VALUES (observed_rule, observed_subject, 'ok')
    ON CONFLICT DO NOTHING;
    SELECT s.* INTO STRICT known
    FROM daylight.alert_states AS s
    WHERE s.rule_id = observed_rule AND s.subject = observed_subject
    FOR UPDATE;
    moment := clock_timestamp();
    IF is_broken THEN
        known.healthy_since := NULL;
        known.breached_since := COALESCE(known.breached_since, moment);
        IF known.state = 'ok' THEN
            known.state := 'pending';
        END IF;
        IF
            moment >= known.breached_since + make_interval(secs => hold)
            AND (known.last_sent_at IS NULL OR moment >= known.last_sent_at + make_interval(secs => cooldown))
            AND (known.silenced_until IS NULL OR moment >= known.silenced_until)
        THEN
            known.state := 'firing';
            known.last_sent_at := moment;
            known.sends := known.sends + 1;
            decision := 'alert';
        END IF;
    ELSE
        known.healthy_since := COALESCE(known.healthy_since, moment);
        IF known.state = 'pending' OR known.state = 'firing' AND moment >= known.healthy_since + make_interval(secs => recover)
        THEN
            IF known.state = 'firing' THEN
                decision := 'recovery';
            END IF;
            known.state := 'ok';
            known.breached_since := NULL;
        END IF;
    END IF;
    UPDATE daylight.alert_states AS s
    SET
        state = known.state,
        breached_since = known.breached_since,
        healthy_since = known.healthy_since,
        last_sent_at = known.last_sent_at,
        sends = known.sends,
        updated_at = moment
    WHERE s.rule_id = observed_rule AND s.subject = observed_subject;
    RETURN decision;
END
$$;

CREATE TABLE daylight.alert_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule_id text NOT NULL,
    subject text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('alert', 'recovery', 'test')),
    severity text NOT NULL,
    value double precision NOT NULL,
    sent_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX alert_history_newest ON daylight.alert_history (sent_at DESC, id DESC);

-- migrate:down
DROP FUNCTION daylight.alert_observe(text, text, boolean, float8, float8, float8);
DROP TABLE daylight.alert_history, daylight.alert_states, daylight.alert_rules;
