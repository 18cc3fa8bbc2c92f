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
('retention_overdue', 'Retention overdue', 'retention_overdue_days', '>', 7, 'warning', 0, 86400, 60);

CREATE TABLE daylight.alert_states (
    rule_id text NOT NULL CONSTRAINT alert_states_rule REFERENCES daylight.alert_rules (id) ON DELETE CASCADE,
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
DROP TABLE daylight.alert_history, daylight.alert_states, daylight.alert_rules;
