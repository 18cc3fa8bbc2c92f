-- Telemetry: the spans of OpenTelemetry traces.

-- name: telemetry_all(row_limit, row_offset)
-- All spans by id, a stretch of them.
-- plan: custom
-- example: row_limit=100, row_offset=0
SELECT
    te.id,
    te.event_id,
    te.trace_id,
    te.span_id,
    te.parent_span_id,
    te.command_id,
    te.name,
    te.kind,
    te.status_code,
    te.start_time,
    te.end_time,
    te.duration_ns,
    te.attributes,
    te.resource_attributes
FROM specify.telemetry_events AS te
ORDER BY te.id
LIMIT :row_limit::bigint OFFSET :row_offset::bigint;

-- name: telemetry_by_id(row_id)^
-- A span by its id.
-- accept: ONE-OF-MANY ids come from one sequence; the key of a partitioned table has its time, too
SELECT
    te.id,
    te.event_id,
    te.trace_id,
    te.span_id,
    te.parent_span_id,
    te.command_id,
    te.name,
    te.kind,
    te.status_code,
    te.start_time,
    te.end_time,
    te.duration_ns,
    te.attributes,
    te.resource_attributes
FROM specify.telemetry_events AS te
WHERE te.id = :row_id::bigint;

-- name: telemetry_count()$
-- How many spans there are.
SELECT count(*) AS total
FROM specify.telemetry_events;

-- name: telemetry_errors(hours)
-- The spans of the last hours by name: how many there were, and how many ended with an error.
-- example: hours=24
SELECT
    te.name,
    count(*) AS total,
    count(*) FILTER (WHERE te.status_code = 'error') AS errors,
    (avg(te.duration_ns) / 1000000)::float8 AS avg_ms
FROM specify.telemetry_events AS te
WHERE te.start_time >= CURRENT_TIMESTAMP - make_interval(hours => :hours::int4)
GROUP BY te.name
ORDER BY errors DESC, te.name ASC;

-- name: telemetry_filtered(event_name, command_id, status_code, min_duration_ns, since, until, cap, row_limit, row_offset)
-- A page of spans, newest first, each row behind the number of all that match, counted up to cap if there is one. Of up
-- to 1,000 matches one scan is enough for both; more are counted by themselves, which beats a window over all of them.
-- One statement, so page and number are of one moment; beyond the end there is no row.
-- plan: custom
-- example: event_name='specify init', command_id=null, status_code=null, min_duration_ns=null, since=null, until=null, cap=null, row_limit=50, row_offset=0
-- example: event_name=null, command_id=7, status_code=null, min_duration_ns=null, since=null, until=null, cap=null, row_limit=50, row_offset=0
-- example: event_name=null, command_id=null, status_code=null, min_duration_ns=null, since='2026-10-01', until='2026-10-02', cap=null, row_limit=50, row_offset=0
-- example: event_name=null, command_id=null, status_code=null, min_duration_ns=null, since=null, until=null, cap=null, row_limit=50, row_offset=0
WITH matching AS NOT MATERIALIZED (
    SELECT
        te.id,
        te.start_time
    FROM specify.telemetry_events AS te
    WHERE
        (:event_name::text IS NULL OR te.name = :event_name::text)
        AND (:command_id::bigint IS NULL OR te.command_id = :command_id::bigint)
        AND (:status_code::text IS NULL OR te.status_code = :status_code::text)
        AND (:min_duration_ns::bigint IS NULL OR te.duration_ns >= :min_duration_ns::bigint)
        AND te.start_time >= coalesce(:since::timestamptz, '-infinity')
        AND te.start_time < coalesce(:until::timestamptz, 'infinity')
)

SELECT
    CASE
        WHEN p.hits < greatest(1001, :row_offset::bigint + :row_limit::bigint) THEN p.hits
        ELSE (
            SELECT count(*)
            FROM (
                SELECT m.id
                FROM matching AS m
                LIMIT :cap::bigint
            ) AS n
        )
    END AS total,
    f.id,
    f.event_id,
    f.trace_id,
    f.span_id,
    f.parent_span_id,
    f.command_id,
    f.name,
    f.kind,
    f.status_code,
    f.start_time,
    f.end_time,
    f.duration_ns,
    f.attributes,
    f.resource_attributes
FROM (
    SELECT
        h.id,
        h.start_time,
        count(*) OVER () AS hits
    FROM (
        SELECT
            m.id,
            m.start_time
        FROM matching AS m
        ORDER BY m.start_time DESC, m.id DESC
        LIMIT greatest(1001, :row_offset::bigint + :row_limit::bigint)
    ) AS h
    ORDER BY h.start_time DESC, h.id DESC
    LIMIT :row_limit::bigint OFFSET :row_offset::bigint
) AS p
INNER JOIN specify.telemetry_events AS f ON p.id = f.id AND p.start_time = f.start_time
ORDER BY p.start_time DESC, p.id DESC;

-- name: telemetry_insert(documents)
-- Records spans, given as a JSON array of objects; leaves out those that are there already. A command that is named by
-- its UUID is looked up; one that is not there leaves the span without.
INSERT INTO specify.telemetry_events (
    id,
    event_id,
    trace_id,
    span_id,
    parent_span_id,
    command_id,
    name,
    kind,
    status_code,
    start_time,
    end_time,
    duration_ns,
    attributes,
    resource_attributes
)
SELECT
    coalesce(r.id, nextval('specify.telemetry_events_id_seq')) AS id,
    coalesce(r.event_id, gen_random_uuid()) AS event_id,
    r.trace_id,
    r.span_id,
    r.parent_span_id,
    coalesce(r.command_id, c.id) AS command_id,
    r.name,
    r.kind,
    r.status_code,
    r.start_time,
    r.end_time,
    r.duration_ns,
    r.attributes,
    r.resource_attributes
FROM jsonb_to_recordset(:documents::jsonb) AS r (
        id bigint,
        event_id uuid,
        trace_id text,
        span_id text,
        parent_span_id text,
        command_id bigint,
        command_uuid uuid,
        name text,
        kind text,
        status_code text,
        start_time timestamptz,
        end_time timestamptz,
        duration_ns bigint,
        attributes jsonb,
        resource_attributes jsonb
    )
LEFT JOIN specify.commands AS c ON r.command_uuid = c.command_id
ON CONFLICT DO NOTHING
RETURNING
    id,
    event_id,
    trace_id,
    span_id,
    parent_span_id,
    command_id,
    name,
    kind,
    status_code,
    start_time,
    end_time,
    duration_ns,
    attributes,
    resource_attributes;

-- name: telemetry_list(event_name, command_id, status_code, min_duration_ns, since, until, before_time, before_id, row_limit)
-- Spans that match, newest first, from before a known one or from the newest.
-- plan: custom
-- example: event_name='specify init', command_id=null, status_code=null, min_duration_ns=null, since=null, until=null, before_time=null, before_id=null, row_limit=50
-- example: event_name=null, command_id=7, status_code=null, min_duration_ns=null, since=null, until=null, before_time=null, before_id=null, row_limit=50
-- example: event_name=null, command_id=null, status_code=null, min_duration_ns=null, since='2026-10-01', until='2026-10-02', before_time=null, before_id=null, row_limit=50
-- example: event_name=null, command_id=null, status_code=null, min_duration_ns=null, since=null, until=null, before_time=null, before_id=null, row_limit=50
SELECT
    te.id,
    te.event_id,
    te.trace_id,
    te.span_id,
    te.parent_span_id,
    te.command_id,
    te.name,
    te.kind,
    te.status_code,
    te.start_time,
    te.end_time,
    te.duration_ns,
    te.attributes,
    te.resource_attributes
FROM specify.telemetry_events AS te
WHERE
    (:event_name::text IS NULL OR te.name = :event_name::text)
    AND (:command_id::bigint IS NULL OR te.command_id = :command_id::bigint)
    AND (:status_code::text IS NULL OR te.status_code = :status_code::text)
    AND (:min_duration_ns::bigint IS NULL OR te.duration_ns >= :min_duration_ns::bigint)
    AND te.start_time >= coalesce(:since::timestamptz, '-infinity')
    AND te.start_time < coalesce(:until::timestamptz, 'infinity')
    AND (te.start_time, te.id) < (
        coalesce(:before_time::timestamptz, 'infinity'::timestamptz),
        coalesce(:before_id::bigint, 9223372036854775807)
    )
ORDER BY te.start_time DESC, te.id DESC
LIMIT :row_limit::bigint;

-- name: telemetry_of_command(command_id, row_limit)
-- The spans of a command, the earliest first.
SELECT
    te.id,
    te.event_id,
    te.trace_id,
    te.span_id,
    te.parent_span_id,
    te.command_id,
    te.name,
    te.kind,
    te.status_code,
    te.start_time,
    te.end_time,
    te.duration_ns,
    te.attributes,
    te.resource_attributes
FROM specify.telemetry_events AS te
WHERE te.command_id = :command_id::bigint
ORDER BY te.start_time, te.id
LIMIT :row_limit::bigint;

-- name: telemetry_slowest(event_name, hours, row_limit)
-- The slowest spans of a name in the last hours.
SELECT
    te.id,
    te.event_id,
    te.trace_id,
    te.span_id,
    te.parent_span_id,
    te.command_id,
    te.name,
    te.kind,
    te.status_code,
    te.start_time,
    te.end_time,
    te.duration_ns,
    te.attributes,
    te.resource_attributes
FROM specify.telemetry_events AS te
WHERE
    te.name = :event_name::text
    AND te.start_time >= CURRENT_TIMESTAMP - make_interval(hours => :hours::int4)
ORDER BY te.duration_ns DESC NULLS LAST, te.id DESC
LIMIT :row_limit::bigint;

-- name: telemetry_trace(trace_id, row_limit)
-- The spans of a trace, the earliest first.
SELECT
    te.id,
    te.event_id,
    te.trace_id,
    te.span_id,
    te.parent_span_id,
    te.command_id,
    te.name,
    te.kind,
    te.status_code,
    te.start_time,
    te.end_time,
    te.duration_ns,
    te.attributes,
    te.resource_attributes
FROM specify.telemetry_events AS te
WHERE te.trace_id = :trace_id::text
ORDER BY te.start_time, te.id
LIMIT :row_limit::bigint;
