-- Commands: what was run, by whom, where, and how it went.

-- name: command_all(row_limit, row_offset)
-- All commands by id, a stretch of them.
-- plan: custom
-- example: row_limit=100, row_offset=0
SELECT
    c.id,
    c.command_id,
    c.name,
    c.args,
    c.user_id,
    c.project_id,
    c.status,
    c.started_at,
    c.completed_at,
    c.duration_ms,
    c.exit_code,
    c.stdout,
    c.stderr,
    c.environment,
    c.meta,
    c.parent_id,
    c.host,
    c.pid,
    c.heartbeat_at,
    c.lease_until
FROM specify.commands AS c
ORDER BY c.id
LIMIT :row_limit::bigint OFFSET :row_offset::bigint;

-- name: command_anonymise(user_id)!
-- Takes out of a user's commands what may tell who it is; that they ran, and how, stays.
UPDATE specify.commands AS c
SET
    args = NULL,
    stdout = NULL,
    stderr = NULL,
    environment = '{}'::jsonb,
    host = NULL,
    pid = NULL
WHERE c.user_id = :user_id::bigint;

-- name: command_by_id(row_id)^
-- A command by its id.
SELECT
    c.id,
    c.command_id,
    c.name,
    c.args,
    c.user_id,
    c.project_id,
    c.status,
    c.started_at,
    c.completed_at,
    c.duration_ms,
    c.exit_code,
    c.stdout,
    c.stderr,
    c.environment,
    c.meta,
    c.parent_id,
    c.host,
    c.pid,
    c.heartbeat_at,
    c.lease_until
FROM specify.commands AS c
WHERE c.id = :row_id::bigint;

-- name: command_by_uuid(command_id)^
-- A command by its UUID.
SELECT
    c.id,
    c.command_id,
    c.name,
    c.args,
    c.user_id,
    c.project_id,
    c.status,
    c.started_at,
    c.completed_at,
    c.duration_ms,
    c.exit_code,
    c.stdout,
    c.stderr,
    c.environment,
    c.meta,
    c.parent_id,
    c.host,
    c.pid,
    c.heartbeat_at,
    c.lease_until
FROM specify.commands AS c
WHERE c.command_id = :command_id::uuid;

-- name: command_copy()#
-- Takes many commands at once, each under an id of its own, in COPY's binary format.
COPY specify.commands (
    id,
    command_id,
    name,
    args,
    user_id,
    project_id,
    status,
    started_at,
    completed_at,
    exit_code,
    stdout,
    stderr,
    environment,
    meta,
    parent_id,
    host,
    pid
) FROM STDIN (FORMAT "binary");

-- name: command_count()$
-- How many commands there are.
SELECT count(*) AS total
FROM specify.commands;

-- name: command_days(since, until, time_zone)
-- Commands of each day of a time zone, also of days without any: how many, how many went wrong, how long they took.
-- Local midnights: see metric_series_days.
SELECT
    s.day,
    g.total,
    g.failures,
    g.avg_ms,
    g.p95_ms
FROM (
    SELECT
        l.local::date AS day,
        l.local AT TIME ZONE :time_zone::text AS begins_at,
        (l.local + interval '1 day') AT TIME ZONE :time_zone::text AS ends_at
    FROM generate_series(
            date_trunc('day', :since::timestamptz AT TIME ZONE :time_zone::text),
            :until::timestamptz AT TIME ZONE :time_zone::text,
            interval '1 day'
        ) AS l (local)
) AS s
CROSS JOIN
    LATERAL (
        SELECT
            count(*) AS total,
            count(*) FILTER (WHERE c.status IN ('failed', 'timeout')) AS failures,
            avg(c.duration_ms) AS avg_ms,
            percentile_cont(0.95) WITHIN GROUP (ORDER BY c.duration_ms) AS p95_ms
        FROM specify.commands AS c
        WHERE c.started_at >= s.begins_at AND c.started_at < s.ends_at
    ) AS g
ORDER BY s.day;

-- name: command_delete(row_id)!
-- Deletes a command, and what belongs to it.
-- accept: CASCADE metrics, spans and child commands go with their command
DELETE FROM specify.commands AS c
WHERE c.id = :row_id::bigint;

-- name: command_end(row_id, status, exit_code, stdout, stderr, keeps_output, force)<!
-- Ends a command, once: one that has ended is left alone, unless it was taken for dead or the caller insists.
-- accept: NOT-HOT the status is what commands are listed by
UPDATE specify.commands AS c
SET
    status = :status::text,
    exit_code = :exit_code::int4,
    completed_at = greatest(clock_timestamp(), c.started_at),
    stdout = CASE WHEN :keeps_output::boolean THEN c.stdout ELSE :stdout::text END,
    stderr = CASE WHEN :keeps_output::boolean THEN coalesce(:stderr::text, c.stderr) ELSE :stderr::text END,
    lease_until = NULL,
    meta = c.meta - 'orphaned'
WHERE
    c.id = :row_id::bigint
    AND (c.status IN ('pending', 'running') OR c.meta ? 'orphaned' OR :force::boolean)
RETURNING
    c.id,
    c.command_id,
    c.name,
    c.args,
    c.user_id,
    c.project_id,
    c.status,
    c.started_at,
    c.completed_at,
    c.duration_ms,
    c.exit_code,
    c.stdout,
    c.stderr,
    c.environment,
    c.meta,
    c.parent_id,
    c.host,
    c.pid,
    c.heartbeat_at,
    c.lease_until;

-- name: command_expire(days, batch)!
-- Deletes commands that began longer ago, so many at a time, with their metrics and spans.
-- accept: CASCADE metrics, spans and child commands go with their command
DELETE FROM specify.commands AS c
WHERE c.id = ANY(
        ARRAY(
            SELECT e.id
            FROM specify.commands AS e
            WHERE e.started_at < CURRENT_TIMESTAMP - :days::int4 * interval '1 day'
            ORDER BY e.started_at
            LIMIT :batch::bigint
            FOR UPDATE SKIP LOCKED
        )
    );

-- name: command_filtered(user_id, project_id, command_name, name_prefix, statuses, exit_code, parent_id, min_duration_ms, pattern, since, until, hours, cap, row_limit, row_offset)
-- A page of commands, newest first, each row behind the number of all that match, counted up to cap if there is one. Of up
-- to 1,000 matches one scan is enough for both; more are counted by themselves, which beats a window over all of them.
-- One statement, so page and number are of one moment; beyond the end there is no row.
-- plan: custom
-- example: user_id=7, project_id=null, command_name=null, name_prefix=null, statuses=null, exit_code=null, parent_id=null, min_duration_ms=null, pattern=null, since=null, until=null, hours=null, cap=null, row_limit=50, row_offset=0
-- example: user_id=null, project_id=7, command_name=null, name_prefix=null, statuses=null, exit_code=null, parent_id=null, min_duration_ms=null, pattern=null, since=null, until=null, hours=null, cap=null, row_limit=50, row_offset=0
-- example: user_id=null, project_id=null, command_name='specify init', name_prefix=null, statuses=null, exit_code=null, parent_id=null, min_duration_ms=null, pattern=null, since=null, until=null, hours=null, cap=null, row_limit=50, row_offset=0
-- example: user_id=null, project_id=null, command_name=null, name_prefix='specify', statuses=null, exit_code=null, parent_id=null, min_duration_ms=null, pattern=null, since=null, until=null, hours=null, cap=null, row_limit=50, row_offset=0
-- example: user_id=null, project_id=null, command_name=null, name_prefix=null, statuses='{failed}', exit_code=null, parent_id=null, min_duration_ms=null, pattern=null, since=null, until=null, hours=24, cap=null, row_limit=50, row_offset=0
-- example: user_id=null, project_id=null, command_name=null, name_prefix=null, statuses=null, exit_code=null, parent_id=null, min_duration_ms=null, pattern=null, since='2026-10-01', until='2026-10-02', hours=null, cap=null, row_limit=50, row_offset=0
-- example: user_id=null, project_id=null, command_name=null, name_prefix=null, statuses=null, exit_code=null, parent_id=7, min_duration_ms=null, pattern=null, since=null, until=null, hours=null, cap=null, row_limit=50, row_offset=0
-- example: user_id=null, project_id=null, command_name=null, name_prefix=null, statuses=null, exit_code=null, parent_id=null, min_duration_ms=null, pattern=null, since=null, until=null, hours=null, cap=null, row_limit=50, row_offset=0
WITH matching AS NOT MATERIALIZED (
    SELECT
        c.id,
        c.started_at
    FROM specify.commands AS c
    WHERE
        (:user_id::bigint IS NULL OR c.user_id = :user_id::bigint)
        AND (:project_id::bigint IS NULL OR c.project_id = :project_id::bigint)
        AND (:command_name::text IS NULL OR c.name = :command_name::text)
        AND (:name_prefix::text IS NULL OR starts_with(c.name, :name_prefix::text))
        AND (:statuses::text[] IS NULL OR c.status = ANY(:statuses::text[]))
        AND (:exit_code::bigint IS NULL OR c.exit_code = :exit_code::bigint)
        AND (:parent_id::bigint IS NULL OR c.parent_id = :parent_id::bigint)
        AND (:min_duration_ms::float8 IS NULL OR c.duration_ms >= :min_duration_ms::float8)
        AND (:pattern::text IS NULL OR c.name ILIKE :pattern::text OR c.args ILIKE :pattern::text)
        AND c.started_at >= coalesce(:since::timestamptz, '-infinity')
        AND c.started_at < coalesce(:until::timestamptz, 'infinity')
        AND (:hours::int4 IS NULL OR c.started_at >= CURRENT_TIMESTAMP - make_interval(hours => :hours::int4))
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
    f.command_id,
    f.name,
    f.args,
    f.user_id,
    f.project_id,
    f.status,
    f.started_at,
    f.completed_at,
    f.duration_ms,
    f.exit_code,
    f.stdout,
    f.stderr,
    f.environment,
    f.meta,
    f.parent_id,
    f.host,
    f.pid,
    f.heartbeat_at,
    f.lease_until
FROM (
    SELECT
        h.id,
        h.started_at,
        count(*) OVER () AS hits
    FROM (
        SELECT
            m.id,
            m.started_at
        FROM matching AS m
        ORDER BY m.started_at DESC, m.id DESC
        LIMIT greatest(1001, :row_offset::bigint + :row_limit::bigint)
    ) AS h
    ORDER BY h.started_at DESC, h.id DESC
    LIMIT :row_limit::bigint OFFSET :row_offset::bigint
) AS p
INNER JOIN specify.commands AS f ON p.id = f.id
ORDER BY p.started_at DESC, p.id DESC;

-- name: command_heartbeat(row_id, lease_seconds)!
-- Says that a command is alive, and for how long that may be believed; no row when it runs no more.
UPDATE specify.commands AS c
SET
    heartbeat_at = clock_timestamp(),
    lease_until = clock_timestamp() + make_interval(secs => :lease_seconds::float8)
WHERE c.id = :row_id::bigint AND c.status = 'running';

-- name: command_ids(number)^
-- Reserves ids for commands to come, in ascending order; with them the time that those have which bring none.
-- retry: idempotent
SELECT
    array_agg(nextval('specify.commands_id_seq')) AS ids,
    CURRENT_TIMESTAMP AS now
FROM generate_series(1, :number::int4);

-- name: command_insert(documents)
-- Inserts commands, given as a JSON array of objects; leaves out those whose unique keys are taken.
INSERT INTO specify.commands (
    id,
    command_id,
    name,
    args,
    user_id,
    project_id,
    status,
    started_at,
    completed_at,
    exit_code,
    stdout,
    stderr,
    environment,
    meta,
    parent_id,
    host,
    pid
)
SELECT
    coalesce(r.id, nextval('specify.commands_id_seq')) AS id,
    coalesce(r.command_id, gen_random_uuid()) AS command_id,
    r.name,
    r.args,
    r.user_id,
    r.project_id,
    r.status,
    coalesce(r.started_at, CURRENT_TIMESTAMP) AS started_at,
    r.completed_at,
    r.exit_code,
    r.stdout,
    r.stderr,
    r.environment,
    r.meta,
    r.parent_id,
    r.host,
    r.pid
FROM jsonb_to_recordset(:documents::jsonb) AS r (
        id bigint,
        command_id uuid,
        name text,
        args text,
        user_id bigint,
        project_id bigint,
        status text,
        started_at timestamptz,
        completed_at timestamptz,
        exit_code integer,
        stdout text,
        stderr text,
        environment jsonb,
        meta jsonb,
        parent_id bigint,
        host text,
        pid integer
    )
ON CONFLICT DO NOTHING
RETURNING
    id,
    command_id,
    name,
    args,
    user_id,
    project_id,
    status,
    started_at,
    completed_at,
    duration_ms,
    exit_code,
    stdout,
    stderr,
    environment,
    meta,
    parent_id,
    host,
    pid,
    heartbeat_at,
    lease_until;

-- name: command_list(user_id, project_id, command_name, name_prefix, statuses, exit_code, parent_id, min_duration_ms, pattern, since, until, hours, before_time, before_id, row_limit)
-- Commands that match, newest first, from before a known one or from the newest.
-- plan: custom
-- example: user_id=7, project_id=null, command_name=null, name_prefix=null, statuses=null, exit_code=null, parent_id=null, min_duration_ms=null, pattern=null, since=null, until=null, hours=null, before_time=null, before_id=null, row_limit=50
-- example: user_id=null, project_id=7, command_name=null, name_prefix=null, statuses=null, exit_code=null, parent_id=null, min_duration_ms=null, pattern=null, since=null, until=null, hours=null, before_time=null, before_id=null, row_limit=50
-- example: user_id=null, project_id=null, command_name='specify init', name_prefix=null, statuses=null, exit_code=null, parent_id=null, min_duration_ms=null, pattern=null, since=null, until=null, hours=null, before_time=null, before_id=null, row_limit=50
-- example: user_id=null, project_id=null, command_name=null, name_prefix='specify', statuses=null, exit_code=null, parent_id=null, min_duration_ms=null, pattern=null, since=null, until=null, hours=null, before_time=null, before_id=null, row_limit=50
-- example: user_id=null, project_id=null, command_name=null, name_prefix=null, statuses='{failed}', exit_code=null, parent_id=null, min_duration_ms=null, pattern=null, since=null, until=null, hours=24, before_time=null, before_id=null, row_limit=50
-- example: user_id=null, project_id=null, command_name=null, name_prefix=null, statuses=null, exit_code=null, parent_id=null, min_duration_ms=null, pattern=null, since='2026-10-01', until='2026-10-02', hours=null, before_time=null, before_id=null, row_limit=50
-- example: user_id=null, project_id=null, command_name=null, name_prefix=null, statuses=null, exit_code=null, parent_id=7, min_duration_ms=null, pattern=null, since=null, until=null, hours=null, before_time=null, before_id=null, row_limit=50
-- example: user_id=null, project_id=null, command_name=null, name_prefix=null, statuses=null, exit_code=null, parent_id=null, min_duration_ms=null, pattern=null, since=null, until=null, hours=null, before_time=null, before_id=null, row_limit=50
SELECT
    c.id,
    c.command_id,
    c.name,
    c.args,
    c.user_id,
    c.project_id,
    c.status,
    c.started_at,
    c.completed_at,
    c.duration_ms,
    c.exit_code,
    c.stdout,
    c.stderr,
    c.environment,
    c.meta,
    c.parent_id,
    c.host,
    c.pid,
    c.heartbeat_at,
    c.lease_until
FROM specify.commands AS c
WHERE
    (:user_id::bigint IS NULL OR c.user_id = :user_id::bigint)
    AND (:project_id::bigint IS NULL OR c.project_id = :project_id::bigint)
    AND (:command_name::text IS NULL OR c.name = :command_name::text)
    AND (:name_prefix::text IS NULL OR starts_with(c.name, :name_prefix::text))
    AND (:statuses::text[] IS NULL OR c.status = ANY(:statuses::text[]))
    AND (:exit_code::bigint IS NULL OR c.exit_code = :exit_code::bigint)
    AND (:parent_id::bigint IS NULL OR c.parent_id = :parent_id::bigint)
    AND (:min_duration_ms::float8 IS NULL OR c.duration_ms >= :min_duration_ms::float8)
    AND (:pattern::text IS NULL OR c.name ILIKE :pattern::text OR c.args ILIKE :pattern::text)
    AND c.started_at >= coalesce(:since::timestamptz, '-infinity')
    AND c.started_at < coalesce(:until::timestamptz, 'infinity')
    AND (:hours::int4 IS NULL OR c.started_at >= CURRENT_TIMESTAMP - make_interval(hours => :hours::int4))
    AND (c.started_at, c.id) < (
        coalesce(:before_time::timestamptz, 'infinity'::timestamptz),
        coalesce(:before_id::bigint, 9223372036854775807)
    )
ORDER BY c.started_at DESC, c.id DESC
LIMIT :row_limit::bigint;

-- name: command_of_project(project_id, batch)!
-- Deletes commands of a project, so many at a time, with their metrics and spans.
-- accept: CASCADE metrics, spans and child commands go with their command
DELETE FROM specify.commands AS c
WHERE c.id = ANY(
        ARRAY(
            SELECT e.id
            FROM specify.commands AS e
            WHERE e.project_id = :project_id::bigint
            LIMIT :batch::bigint
            FOR UPDATE
        )
    );

-- name: command_page(row_order, row_limit, row_offset)
-- A page of commands in one of several orders, each row behind the number of all; beyond the end a row without command.
-- plan: custom
-- example: row_order='id', row_limit=20, row_offset=0
SELECT
    t.total,
    c.id,
    c.command_id,
    c.name,
    c.args,
    c.user_id,
    c.project_id,
    c.status,
    c.started_at,
    c.completed_at,
    c.duration_ms,
    c.exit_code,
    c.stdout,
    c.stderr,
    c.environment,
    c.meta,
    c.parent_id,
    c.host,
    c.pid,
    c.heartbeat_at,
    c.lease_until
FROM (
    SELECT count(*) AS total
    FROM specify.commands
) AS t
LEFT JOIN (
    (
        SELECT
            c.id,
            row_number() OVER (ORDER BY c.id) AS place
        FROM specify.commands AS c
        WHERE :row_order::text = 'id'
        ORDER BY c.id
        LIMIT :row_limit::bigint OFFSET :row_offset::bigint
    )
    UNION ALL
    (
        SELECT
            c.id,
            row_number() OVER (ORDER BY c.id DESC) AS place
        FROM specify.commands AS c
        WHERE :row_order::text = '-id'
        ORDER BY c.id DESC
        LIMIT :row_limit::bigint OFFSET :row_offset::bigint
    )
) AS o ON true
LEFT JOIN specify.commands AS c ON o.id = c.id
ORDER BY o.place;

-- name: command_reap(older_than_hours, row_limit)
-- Ends commands whose process has died: running, with a lease that has passed, or without one and begun long ago.
-- They ended when they were last heard of. Several may do this at once; each takes others.
-- accept: NOT-HOT the status is what commands are listed by
-- accept: MANY-ROWS row_limit at the most
UPDATE specify.commands AS c
SET
    status = 'timeout',
    completed_at = greatest(coalesce(c.heartbeat_at, c.started_at), c.started_at),
    lease_until = NULL,
    meta = c.meta || '{"orphaned": true}'::jsonb
FROM (
    SELECT e.id
    FROM specify.commands AS e
    WHERE
        e.status = 'running'
        AND coalesce(e.lease_until, e.started_at + make_interval(hours => :older_than_hours::int4))
        < CURRENT_TIMESTAMP
    ORDER BY e.started_at, e.id
    LIMIT :row_limit::bigint
    FOR UPDATE SKIP LOCKED
) AS d
WHERE c.id = d.id
RETURNING
    c.id,
    c.command_id,
    c.name,
    c.args,
    c.user_id,
    c.project_id,
    c.status,
    c.started_at,
    c.completed_at,
    c.duration_ms,
    c.exit_code,
    c.stdout,
    c.stderr,
    c.environment,
    c.meta,
    c.parent_id,
    c.host,
    c.pid,
    c.heartbeat_at,
    c.lease_until;

-- name: command_start(command_name, args, user_id, project_id, environment, meta, parent_id, host, pid, lease_seconds)<!
-- Inserts a command that runs from now on. Now is the clock's, so that one transaction may hold all of its life.
INSERT INTO specify.commands (
    name, args, user_id, project_id, status, started_at, environment, meta, parent_id, host, pid, lease_until
)
VALUES (
    :command_name::text,
    :args::text,
    :user_id::bigint,
    :project_id::bigint,
    'running',
    clock_timestamp(),
    :environment::jsonb,
    :meta::jsonb,
    :parent_id::bigint,
    :host::text,
    :pid::int4,
    clock_timestamp() + make_interval(secs => :lease_seconds::float8)
)
RETURNING
    id,
    command_id,
    name,
    args,
    user_id,
    project_id,
    status,
    started_at,
    completed_at,
    duration_ms,
    exit_code,
    stdout,
    stderr,
    environment,
    meta,
    parent_id,
    host,
    pid,
    heartbeat_at,
    lease_until;

-- name: command_statistics(since, until, user_id, project_id, command_name)
-- How many commands there were, all together, by status and by name, and how long they took.
-- The groups of one scan: a row of all, a row for each status, a row for each name.
-- plan: custom
-- example: since='2026-10-01', until='2026-10-02', user_id=null, project_id=null, command_name=null
-- example: since=null, until=null, user_id=7, project_id=null, command_name=null
-- example: since=null, until=null, user_id=null, project_id=7, command_name=null
SELECT
    c.status,
    c.name,
    count(*) AS total,
    count(*) FILTER (WHERE c.status = 'success' AND c.exit_code = 0) AS successes,
    count(*) FILTER (
        WHERE c.status IN ('failed', 'cancelled', 'timeout') OR c.exit_code IS NOT NULL AND c.status = 'success'
    ) AS judged,
    avg(c.duration_ms) AS avg_ms,
    min(c.duration_ms) AS min_ms,
    max(c.duration_ms) AS max_ms,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY c.duration_ms) AS p50_ms,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY c.duration_ms) AS p95_ms
FROM specify.commands AS c
WHERE
    c.started_at >= coalesce(:since::timestamptz, '-infinity')
    AND c.started_at <= coalesce(:until::timestamptz, 'infinity')
    AND (:user_id::bigint IS NULL OR c.user_id = :user_id::bigint)
    AND (:project_id::bigint IS NULL OR c.project_id = :project_id::bigint)
    AND (:command_name::text IS NULL OR c.name = :command_name::text)
GROUP BY GROUPING SETS ((), (c.status), (c.name))
ORDER BY total DESC, c.status ASC, c.name ASC;

-- name: command_tree(row_id)
-- A command and all that it has started, directly or not, the oldest first; 16 levels at most.
WITH RECURSIVE tree AS (
    SELECT
        r.id,
        1 AS depth
    FROM specify.commands AS r
    WHERE r.id = :row_id::bigint
    UNION ALL
    SELECT
        child.id,
        t.depth + 1
    FROM tree AS t
    INNER JOIN specify.commands AS child ON t.id = child.parent_id
    WHERE t.depth < 16
)

SELECT
    c.id,
    c.command_id,
    c.name,
    c.args,
    c.user_id,
    c.project_id,
    c.status,
    c.started_at,
    c.completed_at,
    c.duration_ms,
    c.exit_code,
    c.stdout,
    c.stderr,
    c.environment,
    c.meta,
    c.parent_id,
    c.host,
    c.pid,
    c.heartbeat_at,
    c.lease_until
FROM (
    SELECT DISTINCT tree.id
    FROM tree
) AS d
INNER JOIN specify.commands AS c ON d.id = c.id
ORDER BY c.started_at, c.id
LIMIT 10000;

-- name: command_update(documents)
-- Updates commands by id, each by a JSON object of an array; a key that it lacks is a column that stays.
-- By ascending id, so that two such updates wait for each other and do not deadlock.
-- accept: NOT-HOT where no indexed value differs, the update is one all the same
UPDATE specify.commands AS c
SET
    command_id = CASE WHEN d.doc ? 'command_id' THEN (d.doc ->> 'command_id')::uuid ELSE c.command_id END,
    name = CASE WHEN d.doc ? 'name' THEN d.doc ->> 'name' ELSE c.name END,
    args = CASE WHEN d.doc ? 'args' THEN d.doc ->> 'args' ELSE c.args END,
    user_id = CASE WHEN d.doc ? 'user_id' THEN (d.doc ->> 'user_id')::bigint ELSE c.user_id END,
    project_id = CASE WHEN d.doc ? 'project_id' THEN (d.doc ->> 'project_id')::bigint ELSE c.project_id END,
    status = CASE WHEN d.doc ? 'status' THEN d.doc ->> 'status' ELSE c.status END,
    started_at = CASE WHEN d.doc ? 'started_at' THEN (d.doc ->> 'started_at')::timestamptz ELSE c.started_at END,
    completed_at
    = CASE WHEN d.doc ? 'completed_at' THEN (d.doc ->> 'completed_at')::timestamptz ELSE c.completed_at END,
    exit_code = CASE WHEN d.doc ? 'exit_code' THEN (d.doc ->> 'exit_code')::integer ELSE c.exit_code END,
    stdout = CASE WHEN d.doc ? 'stdout' THEN d.doc ->> 'stdout' ELSE c.stdout END,
    stderr = CASE WHEN d.doc ? 'stderr' THEN d.doc ->> 'stderr' ELSE c.stderr END,
    environment = CASE WHEN d.doc ? 'environment' THEN d.doc -> 'environment' ELSE c.environment END,
    meta = CASE WHEN d.doc ? 'meta' THEN d.doc -> 'meta' ELSE c.meta END,
    parent_id = CASE WHEN d.doc ? 'parent_id' THEN (d.doc ->> 'parent_id')::bigint ELSE c.parent_id END,
    host = CASE WHEN d.doc ? 'host' THEN d.doc ->> 'host' ELSE c.host END,
    pid = CASE WHEN d.doc ? 'pid' THEN (d.doc ->> 'pid')::integer ELSE c.pid END
FROM (
    SELECT
        l.id,
        e.doc
    FROM jsonb_array_elements(:documents::jsonb) AS e (doc)
    INNER JOIN specify.commands AS l ON l.id = (e.doc ->> 'id')::bigint
    ORDER BY l.id
    FOR NO KEY UPDATE OF l
) AS d
WHERE c.id = d.id
RETURNING
    c.id,
    c.command_id,
    c.name,
    c.args,
    c.user_id,
    c.project_id,
    c.status,
    c.started_at,
    c.completed_at,
    c.duration_ms,
    c.exit_code,
    c.stdout,
    c.stderr,
    c.environment,
    c.meta,
    c.parent_id,
    c.host,
    c.pid,
    c.heartbeat_at,
    c.lease_until;
