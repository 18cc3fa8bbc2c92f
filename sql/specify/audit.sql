-- Audit rows: appended, never changed; they outlive their user.

-- name: audit_all(row_limit, row_offset)
-- All audit rows by id, a stretch of them.
-- plan: custom
-- example: row_limit=100, row_offset=0
SELECT
    al.id,
    al.log_id,
    al.action,
    al.resource_type,
    al.resource_id,
    al.user_id,
    al.user_name,
    al.ip_address,
    al.user_agent,
    al.timestamp,
    al.success,
    al.details,
    al.meta
FROM specify.audit_logs AS al
ORDER BY al.id
LIMIT :row_limit::bigint OFFSET :row_offset::bigint;

-- name: audit_anonymise(user_id)!
-- Takes out of a user's audit rows what tells who it is. For the owner of the tables: services cannot change them.
UPDATE specify.audit_logs AS al
SET
    user_name = NULL,
    ip_address = NULL,
    user_agent = NULL
WHERE al.user_id = :user_id::bigint;

-- name: audit_by_id(row_id)^
-- An audit row by its id.
-- accept: ONE-OF-MANY ids come from one sequence; the key of a partitioned table has its time, too
SELECT
    al.id,
    al.log_id,
    al.action,
    al.resource_type,
    al.resource_id,
    al.user_id,
    al.user_name,
    al.ip_address,
    al.user_agent,
    al.timestamp,
    al.success,
    al.details,
    al.meta
FROM specify.audit_logs AS al
WHERE al.id = :row_id::bigint;

-- name: audit_copy()#
-- Takes many audit rows at once, each under an id of its own, in COPY's binary format.
COPY specify.audit_logs (
    id,
    log_id,
    action,
    resource_type,
    resource_id,
    user_id,
    user_name,
    ip_address,
    user_agent,
    timestamp,
    success,
    details,
    meta
) FROM STDIN (FORMAT "binary");

-- name: audit_count()$
-- How many audit rows there are.
SELECT count(*) AS total
FROM specify.audit_logs;

-- name: audit_filtered(action, resource_type, resource_id, user_id, success, ip_address, since, until, hours, cap, row_limit, row_offset)
-- A page of audit rows, newest first, each row behind the number of all that match, counted up to cap if there is one. Of up
-- to 1,000 matches one scan is enough for both; more are counted by themselves, which beats a window over all of them.
-- One statement, so page and number are of one moment; beyond the end there is no row.
-- plan: custom
-- example: action=null, resource_type=null, resource_id=null, user_id=7, success=null, ip_address=null, since=null, until=null, hours=null, cap=null, row_limit=50, row_offset=0
-- example: action=null, resource_type='project', resource_id='7', user_id=null, success=null, ip_address=null, since=null, until=null, hours=null, cap=null, row_limit=50, row_offset=0
-- example: action='login', resource_type=null, resource_id=null, user_id=null, success=null, ip_address=null, since=null, until=null, hours=null, cap=null, row_limit=50, row_offset=0
-- example: action=null, resource_type=null, resource_id=null, user_id=null, success=null, ip_address=null, since='2026-10-01', until='2026-10-02', hours=null, cap=null, row_limit=50, row_offset=0
-- example: action=null, resource_type=null, resource_id=null, user_id=null, success=null, ip_address=null, since=null, until=null, hours=null, cap=null, row_limit=50, row_offset=0
WITH matching AS NOT MATERIALIZED (
    SELECT
        al.id,
        al.timestamp
    FROM specify.audit_logs AS al
    WHERE
        (:action::text IS NULL OR al.action = :action::text)
        AND (:resource_type::text IS NULL OR al.resource_type = :resource_type::text)
        AND (:resource_id::text IS NULL OR al.resource_id = :resource_id::text)
        AND (:user_id::bigint IS NULL OR al.user_id = :user_id::bigint)
        AND (:success::boolean IS NULL OR al.success = :success::boolean)
        AND (:ip_address::inet IS NULL OR al.ip_address = :ip_address::inet)
        AND al.timestamp >= coalesce(:since::timestamptz, '-infinity')
        AND al.timestamp < coalesce(:until::timestamptz, 'infinity')
        AND (:hours::int4 IS NULL OR al.timestamp >= CURRENT_TIMESTAMP - make_interval(hours => :hours::int4))
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
    f.log_id,
    f.action,
    f.resource_type,
    f.resource_id,
    f.user_id,
    f.user_name,
    f.ip_address,
    f.user_agent,
    f.timestamp,
    f.success,
    f.details,
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
INNER JOIN specify.audit_logs AS f ON p.id = f.id AND p.timestamp = f.timestamp
ORDER BY p.timestamp DESC, p.id DESC;

-- name: audit_ids(number)^
-- Reserves ids for audit rows to come, in ascending order; with them the time that those have which bring none.
-- retry: idempotent
SELECT
    array_agg(nextval('specify.audit_logs_id_seq')) AS ids,
    CURRENT_TIMESTAMP AS now
FROM generate_series(1, :number::int4);

-- name: audit_insert(log_id, action, resource_type, resource_id, user_id, user_name, ip_address, user_agent, recorded_at, success, details, meta)<!
-- Records one action, with the name that its user has now.
INSERT INTO specify.audit_logs (
    log_id,
    action,
    resource_type,
    resource_id,
    user_id,
    user_name,
    ip_address,
    user_agent,
    timestamp,
    success,
    details,
    meta
)
VALUES (
    coalesce(:log_id::uuid, gen_random_uuid()),
    :action::text,
    :resource_type::text,
    :resource_id::text,
    :user_id::bigint,
    coalesce(
        :user_name::text,
        (
            SELECT u.username
            FROM specify.users AS u
            WHERE u.id = :user_id::bigint
        )
    ),
    :ip_address::inet,
    :user_agent::text,
    coalesce(:recorded_at::timestamptz, CURRENT_TIMESTAMP),
    :success::boolean,
    :details::jsonb,
    :meta::jsonb
)
RETURNING
    id,
    log_id,
    action,
    resource_type,
    resource_id,
    user_id,
    user_name,
    ip_address,
    user_agent,
    timestamp,
    success,
    details,
    meta;

-- name: audit_list(action, resource_type, resource_id, user_id, success, ip_address, since, until, hours, before_time, before_id, row_limit)
-- Audit rows that match, newest first, from before a known one or from the newest.
-- plan: custom
-- example: action=null, resource_type=null, resource_id=null, user_id=7, success=null, ip_address=null, since=null, until=null, hours=null, before_time=null, before_id=null, row_limit=50
-- example: action=null, resource_type='project', resource_id='7', user_id=null, success=null, ip_address=null, since=null, until=null, hours=null, before_time=null, before_id=null, row_limit=50
-- example: action='login', resource_type=null, resource_id=null, user_id=null, success=null, ip_address=null, since=null, until=null, hours=null, before_time=null, before_id=null, row_limit=50
-- example: action=null, resource_type=null, resource_id=null, user_id=null, success=null, ip_address=null, since='2026-10-01', until='2026-10-02', hours=null, before_time=null, before_id=null, row_limit=50
-- example: action=null, resource_type=null, resource_id=null, user_id=null, success=null, ip_address=null, since=null, until=null, hours=null, before_time=null, before_id=null, row_limit=50
SELECT
    al.id,
    al.log_id,
    al.action,
    al.resource_type,
    al.resource_id,
    al.user_id,
    al.user_name,
    al.ip_address,
    al.user_agent,
    al.timestamp,
    al.success,
    al.details,
    al.meta
FROM specify.audit_logs AS al
WHERE
    (:action::text IS NULL OR al.action = :action::text)
    AND (:resource_type::text IS NULL OR al.resource_type = :resource_type::text)
    AND (:resource_id::text IS NULL OR al.resource_id = :resource_id::text)
    AND (:user_id::bigint IS NULL OR al.user_id = :user_id::bigint)
    AND (:success::boolean IS NULL OR al.success = :success::boolean)
    AND (:ip_address::inet IS NULL OR al.ip_address = :ip_address::inet)
    AND al.timestamp >= coalesce(:since::timestamptz, '-infinity')
    AND al.timestamp < coalesce(:until::timestamptz, 'infinity')
    AND (:hours::int4 IS NULL OR al.timestamp >= CURRENT_TIMESTAMP - make_interval(hours => :hours::int4))
    AND (al.timestamp, al.id) < (
        coalesce(:before_time::timestamptz, 'infinity'::timestamptz),
        coalesce(:before_id::bigint, 9223372036854775807)
    )
ORDER BY al.timestamp DESC, al.id DESC
LIMIT :row_limit::bigint;
