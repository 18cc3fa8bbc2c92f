-- Performance metrics: appended, aggregated, drawn.

-- name: metric_aggregate(metric_name, since, until, project_id, labels, percentiles)^
-- What the values of a metric come to; percentiles, which cost a sort, only where they are asked for.
-- plan: custom
-- example: metric_name='execution_time', since='2026-10-01', until='2026-10-02', project_id=null, labels=null, percentiles=false
SELECT
    count(*) AS count,
    avg(pm.value) AS avg,
    min(pm.value) AS min,
    max(pm.value) AS max,
    sum(pm.value) AS sum,
    stddev_samp(pm.value) AS stddev,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY pm.value) FILTER (WHERE :percentiles::boolean) AS p50,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY pm.value) FILTER (WHERE :percentiles::boolean) AS p95,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY pm.value) FILTER (WHERE :percentiles::boolean) AS p99
FROM specify.performance_metrics AS pm
WHERE
    pm.name = :metric_name::text
    AND pm.timestamp >= coalesce(:since::timestamptz, '-infinity')
    AND pm.timestamp <= coalesce(:until::timestamptz, 'infinity')
    AND (:project_id::bigint IS NULL OR pm.project_id = :project_id::bigint)
    AND (:labels::jsonb IS NULL OR pm.labels @> :labels::jsonb);

-- name: metric_all(row_limit, row_offset)
-- All metrics by id, a stretch of them.
-- plan: custom
-- example: row_limit=100, row_offset=0
SELECT
    pm.id,
    pm.metric_id,
    pm.name,
    pm.type,
    pm.value,
    pm.unit,
    pm.command_id,
    pm.project_id,
    pm.timestamp,
    pm.labels,
    pm.meta
FROM specify.performance_metrics AS pm
ORDER BY pm.id
LIMIT :row_limit::bigint OFFSET :row_offset::bigint;

-- name: metric_by_id(row_id)^
-- A metric by its id.
-- accept: ONE-OF-MANY ids come from one sequence; the key of a partitioned table has its time, too
SELECT
    pm.id,
    pm.metric_id,
    pm.name,
    pm.type,
    pm.value,
    pm.unit,
    pm.command_id,
    pm.project_id,
    pm.timestamp,
    pm.labels,
    pm.meta
FROM specify.performance_metrics AS pm
WHERE pm.id = :row_id::bigint;

-- name: metric_copy()#
-- Takes many metrics at once, each under an id of its own, in COPY's binary format.
COPY specify.performance_metrics (
    id,
    metric_id,
    name,
    type,
    value,
    unit,
    command_id,
    project_id,
    timestamp,
    labels,
    meta
) FROM STDIN (FORMAT "binary");

-- name: metric_count()$
-- How many metrics there are.
SELECT count(*) AS total
FROM specify.performance_metrics;

-- name: metric_filtered(metric_name, metric_type, command_id, project_id, labels, since, until, cap, row_limit, row_offset)
-- A page of metrics, newest first, each row behind the number of all that match, counted up to cap if there is one. Of up
-- to 1,000 matches one scan is enough for both; more are counted by themselves, which beats a window over all of them.
-- One statement, so page and number are of one moment; beyond the end there is no row.
-- plan: custom
-- example: metric_name='execution_time', metric_type=null, command_id=null, project_id=null, labels=null, since=null, until=null, cap=null, row_limit=50, row_offset=0
-- example: metric_name=null, metric_type=null, command_id=7, project_id=null, labels=null, since=null, until=null, cap=null, row_limit=50, row_offset=0
-- example: metric_name=null, metric_type=null, command_id=null, project_id=7, labels=null, since=null, until=null, cap=null, row_limit=50, row_offset=0
-- example: metric_name=null, metric_type=null, command_id=null, project_id=null, labels=null, since='2026-10-01', until='2026-10-02', cap=null, row_limit=50, row_offset=0
-- example: metric_name=null, metric_type=null, command_id=null, project_id=null, labels=null, since=null, until=null, cap=null, row_limit=50, row_offset=0
-- accept: SEQ-SCAN an honest total counts every row that matches
WITH matching AS NOT MATERIALIZED (
    SELECT
        pm.id,
        pm.timestamp
    FROM specify.performance_metrics AS pm
    WHERE
        (:metric_name::text IS NULL OR pm.name = :metric_name::text)
        AND (:metric_type::text IS NULL OR pm.type = :metric_type::text)
        AND (:command_id::bigint IS NULL OR pm.command_id = :command_id::bigint)
        AND (:project_id::bigint IS NULL OR pm.project_id = :project_id::bigint)
        AND (:labels::jsonb IS NULL OR pm.labels @> :labels::jsonb)
        AND pm.timestamp >= coalesce(:since::timestamptz, '-infinity')
        AND pm.timestamp < coalesce(:until::timestamptz, 'infinity')
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
    f.metric_id,
    f.name,
    f.type,
    f.value,
    f.unit,
    f.command_id,
    f.project_id,
    f.timestamp,
    f.labels,
    f.meta
FROM (
    SELECT
        h.id,
        h.timestamp,
        count(*) OVER () AS hits
    FROM (
        SELECT
            m.id,
            m.timestamp
        FROM matching AS m
        ORDER BY m.timestamp DESC, m.id DESC
        LIMIT greatest(1001, :row_offset::bigint + :row_limit::bigint)
    ) AS h
    ORDER BY h.timestamp DESC, h.id DESC
    LIMIT :row_limit::bigint OFFSET :row_offset::bigint
) AS p
INNER JOIN specify.performance_metrics AS f ON p.id = f.id AND p.timestamp = f.timestamp
ORDER BY p.timestamp DESC, p.id DESC;

-- name: metric_ids(number)^
-- Reserves ids for metrics to come, in ascending order; with them the time that those have which bring none.
-- retry: idempotent
SELECT
    array_agg(nextval('specify.performance_metrics_id_seq')) AS ids,
    CURRENT_TIMESTAMP AS now
FROM generate_series(1, :number::int4);

-- name: metric_insert(metric_id, metric_name, metric_type, value, unit, command_id, project_id, recorded_at, labels, meta)<!
-- Records one value.
INSERT INTO specify.performance_metrics (
    metric_id, name, type, value, unit, command_id, project_id, timestamp, labels, meta
)
VALUES (
    coalesce(:metric_id::uuid, gen_random_uuid()),
    :metric_name::text,
    :metric_type::text,
    :value::float8,
    :unit::text,
    :command_id::bigint,
    :project_id::bigint,
    coalesce(:recorded_at::timestamptz, CURRENT_TIMESTAMP),
    :labels::jsonb,
    :meta::jsonb
)
RETURNING
    id,
    metric_id,
    name,
    type,
    value,
    unit,
    command_id,
    project_id,
    timestamp,
    labels,
    meta;

-- name: metric_list(metric_name, metric_type, command_id, project_id, labels, since, until, before_time, before_id, row_limit)
-- Metrics that match, newest first, from before a known one or from the newest.
-- plan: custom
-- example: metric_name='execution_time', metric_type=null, command_id=null, project_id=null, labels=null, since=null, until=null, before_time=null, before_id=null, row_limit=50
-- example: metric_name=null, metric_type=null, command_id=7, project_id=null, labels=null, since=null, until=null, before_time=null, before_id=null, row_limit=50
-- example: metric_name=null, metric_type=null, command_id=null, project_id=7, labels=null, since=null, until=null, before_time=null, before_id=null, row_limit=50
-- example: metric_name=null, metric_type=null, command_id=null, project_id=null, labels=null, since='2026-10-01', until='2026-10-02', before_time=null, before_id=null, row_limit=50
-- example: metric_name=null, metric_type=null, command_id=null, project_id=null, labels=null, since=null, until=null, before_time=null, before_id=null, row_limit=50
SELECT
    pm.id,
    pm.metric_id,
    pm.name,
    pm.type,
    pm.value,
    pm.unit,
    pm.command_id,
    pm.project_id,
    pm.timestamp,
    pm.labels,
    pm.meta
FROM specify.performance_metrics AS pm
WHERE
    (:metric_name::text IS NULL OR pm.name = :metric_name::text)
    AND (:metric_type::text IS NULL OR pm.type = :metric_type::text)
    AND (:command_id::bigint IS NULL OR pm.command_id = :command_id::bigint)
    AND (:project_id::bigint IS NULL OR pm.project_id = :project_id::bigint)
    AND (:labels::jsonb IS NULL OR pm.labels @> :labels::jsonb)
    AND pm.timestamp >= coalesce(:since::timestamptz, '-infinity')
    AND pm.timestamp < coalesce(:until::timestamptz, 'infinity')
    AND (pm.timestamp, pm.id) < (
        coalesce(:before_time::timestamptz, 'infinity'::timestamptz),
        coalesce(:before_id::bigint, 9223372036854775807)
    )
ORDER BY pm.timestamp DESC, pm.id DESC
LIMIT :row_limit::bigint;

-- name: metric_recent_series(metric_name, hours, width)
-- A metric of the last hours in intervals that begin at multiples of their width since 2000, empty ones left out.
-- accept: MANY-ROWS 10,000 intervals at the most
SELECT
    date_bin(:width::interval, pm.timestamp, '2000-01-01 00:00:00+00') AS begins_at,
    avg(pm.value) AS avg,
    min(pm.value) AS min,
    max(pm.value) AS max,
    count(*) AS count
FROM specify.performance_metrics AS pm
WHERE
    pm.name = :metric_name::text
    AND pm.timestamp >= CURRENT_TIMESTAMP - make_interval(hours => :hours::int4)
GROUP BY begins_at
ORDER BY begins_at;

-- name: metric_series(metric_name, project_id, since, until, width, time_zone)
-- A metric in intervals of equal length from the local midnight before since on, empty ones, too. A night in which the
-- clock changes has as many of them as it has hours.
-- plan: custom
-- example: metric_name='execution_time', project_id=null, since='2026-10-01', until='2026-10-02', width='1 hour', time_zone='Europe/Berlin'
WITH bounds AS (
    SELECT date_trunc('day', :since::timestamptz AT TIME ZONE :time_zone::text) AT TIME ZONE :time_zone::text AS origin
),

binned AS (
    SELECT
        date_bin(:width::interval, pm.timestamp, b.origin) AS begins_at,
        count(*) AS count,
        avg(pm.value) AS avg,
        min(pm.value) AS min,
        max(pm.value) AS max,
        sum(pm.value) AS sum
    FROM specify.performance_metrics AS pm
    CROSS JOIN bounds AS b
    WHERE
        pm.name = :metric_name::text
        AND pm.timestamp >= :since::timestamptz
        AND pm.timestamp < :until::timestamptz
        AND (:project_id::bigint IS NULL OR pm.project_id = :project_id::bigint)
    GROUP BY date_bin(:width::interval, pm.timestamp, b.origin)
)

SELECT
    s.begins_at,
    s.begins_at + :width::interval AS ends_at,
    coalesce(g.count, 0) AS count,
    g.avg,
    g.min,
    g.max,
    g.sum
FROM bounds AS b
CROSS JOIN
    LATERAL generate_series(
        date_bin(:width::interval, :since::timestamptz, b.origin),
        :until::timestamptz - interval '1 microsecond',
        :width::interval
    ) AS s (begins_at)
LEFT JOIN binned AS g ON s.begins_at = g.begins_at
ORDER BY s.begins_at;

-- name: metric_series_days(metric_name, project_id, since, until, unit, time_zone)
-- A metric by days, weeks or months of a time zone, empty ones, too. Local midnights are made as local times and then
-- become moments: any other way is an hour off after the clock has changed. Of a midnight that occurs twice the first
-- counts, and a day that the zone has left out has no row.
-- plan: custom
-- example: metric_name='execution_time', project_id=null, since='2026-10-01', until='2026-11-01', unit='day', time_zone='Europe/Berlin'
WITH slots AS (
    SELECT
        l.local,
        (
            SELECT min(m.moment - e.earlier)
            FROM (VALUES (l.local AT TIME ZONE :time_zone::text)) AS m (moment)
            CROSS JOIN
                unnest('{0, 30 minutes, 1 hour, 2 hours, 3 hours}'::interval[]) AS e (earlier)
            WHERE ((m.moment - e.earlier) AT TIME ZONE :time_zone::text)::date = l.local::date
        ) AS begins_at
    FROM (
        VALUES
        (
            CASE :unit::text
                WHEN 'day' THEN interval '1 day' WHEN 'week' THEN interval '7 days' ELSE interval '1 month'
            END
        )
    ) AS w (width)
    CROSS JOIN
        generate_series(
            date_trunc(:unit::text, :since::timestamptz AT TIME ZONE :time_zone::text),
            (:until::timestamptz AT TIME ZONE :time_zone::text) + w.width,
            w.width
        ) AS l (local)
),

spans AS (
    SELECT
        s.begins_at,
        lead(s.begins_at) OVER (ORDER BY s.begins_at) AS ends_at
    FROM slots AS s
    WHERE s.begins_at IS NOT NULL
)

SELECT
    s.begins_at,
    -- Not null, by the condition below.
    coalesce(s.ends_at, s.begins_at) AS ends_at,
    g.count,
    g.avg,
    g.min,
    g.max,
    g.sum
FROM spans AS s
CROSS JOIN
    LATERAL (
        SELECT
            count(*) AS count,
            avg(pm.value) AS avg,
            min(pm.value) AS min,
            max(pm.value) AS max,
            sum(pm.value) AS sum
        FROM specify.performance_metrics AS pm
        WHERE
            pm.name = :metric_name::text
            AND pm.timestamp >= greatest(s.begins_at, :since::timestamptz)
            AND pm.timestamp < least(s.ends_at, :until::timestamptz)
            AND (:project_id::bigint IS NULL OR pm.project_id = :project_id::bigint)
    ) AS g
WHERE s.ends_at IS NOT NULL AND s.begins_at < :until::timestamptz AND s.ends_at > :since::timestamptz
ORDER BY s.begins_at;
