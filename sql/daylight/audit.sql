-- What was done by whom: added to, never changed.

-- name: audit_insert_many(ids, moments, event_types, user_ids, session_ids, resources, actions, outcomes, risk_levels, ip_addresses, user_agents, details, changes, labels, sources, correlation_ids, trace_ids)!
-- Records entries, each under an id of its own; no row for those that are there already.
-- retry: idempotent
INSERT INTO daylight.audit_logs (
    id,
    occurred_at,
    event_type,
    user_id,
    session_id,
    resource,
    action,
    outcome,
    risk_level,
    ip_address,
    user_agent,
    details,
    changes,
    compliance_labels,
    source,
    correlation_id,
    trace_id
)
SELECT
    e.id,
    e.occurred_at,
    e.event_type,
    e.user_id,
    e.session_id,
    e.resource,
    e.action,
    e.outcome,
    e.risk_level,
    e.ip_address,
    e.user_agent,
    e.details,
    e.changes,
    string_to_array(e.labels, ',') AS compliance_labels,
    e.source,
    e.correlation_id,
    e.trace_id
FROM
    unnest(
        :ids::uuid[],
        :moments::timestamptz[],
        :event_types::text[],
        :user_ids::text[],
        :session_ids::text[],
        :resources::text[],
        :actions::text[],
        :outcomes::text[],
        :risk_levels::text[],
        :ip_addresses::inet[],
        :user_agents::text[],
        :details::jsonb[],
        :changes::jsonb[],
        :labels::text[],
        :sources::text[],
        :correlation_ids::text[],
        :trace_ids::text[]
    ) AS e (
        id,
        occurred_at,
        event_type,
        user_id,
        session_id,
        resource,
        action,
        outcome,
        risk_level,
        ip_address,
        user_agent,
        details,
        changes,
        labels,
        source,
        correlation_id,
        trace_id
    )
ON CONFLICT (id, occurred_at) DO NOTHING;

-- name: audit_list(user_id, event_type, since, until, before_occurred_at, before_id, row_limit)
-- Entries of the audit log, newest first; of one user, of one type, between two moments, from before a known entry.
-- example: user_id='kai', event_type=null, since=null, until=null, before_occurred_at=null, before_id=null, row_limit=100
-- plan: custom
SELECT
    al.id,
    al.occurred_at,
    al.event_type,
    al.user_id,
    al.session_id,
    al.resource,
    al.action,
    al.outcome,
    al.risk_level,
    al.ip_address,
    al.user_agent,
    al.details,
    al.changes,
    al.compliance_labels,
    al.retention_policy,
    al.source,
    al.version,
    al.correlation_id,
    al.trace_id
FROM daylight.audit_logs AS al
WHERE
    (:user_id::text IS NULL OR al.user_id = :user_id::text)
    AND (:event_type::text IS NULL OR al.event_type = :event_type::text)
    AND al.occurred_at >= COALESCE(:since::timestamptz, '-infinity'::timestamptz)
    AND al.occurred_at <= COALESCE(:until::timestamptz, 'infinity'::timestamptz)
    AND (al.occurred_at, al.id) < (
        COALESCE(:before_occurred_at::timestamptz, 'infinity'::timestamptz),
        COALESCE(:before_id::uuid, '00000000-0000-0000-0000-000000000000'::uuid)
    )
ORDER BY al.occurred_at DESC, al.id DESC
LIMIT :row_limit::bigint;

-- name: audit_manifest(sealed_hour)$
-- For each entry of an hour 32 bytes, in order: its id, and half of the SHA-256 of what it says.
SELECT
    string_agg(
        uuid_send(al.id) || substring(sha256(convert_to(to_jsonb(al)::text, 'UTF8')) FROM 1 for 16),
        ''::bytea
        ORDER BY al.occurred_at, al.id
    ) AS manifest
FROM daylight.audit_logs AS al
WHERE
    al.occurred_at >= :sealed_hour::timestamptz
    AND al.occurred_at < :sealed_hour::timestamptz + interval '1 hour';

-- name: audit_seal_hours(since, until)
-- Hours within a time that hold more entries than their seals, in order.
-- accept: MANY-ROWS once an hour it is one; all hours of seven years only after an import
-- accept: BIG-SORT likewise
-- example: since='2026-01-01 00:00:00+00', until='2026-01-08 00:00:00+00'
SELECT
    logged.sealed_hour,
    logged.entries,
    COALESCE(sealed.entries, 0)::bigint AS sealed_entries
FROM (
    SELECT
        date_trunc('hour', al.occurred_at, 'UTC') AS sealed_hour,
        count(*) AS entries
    FROM daylight.audit_logs AS al
    WHERE al.occurred_at >= :since::timestamptz AND al.occurred_at < date_trunc('hour', :until::timestamptz, 'UTC')
    GROUP BY date_trunc('hour', al.occurred_at, 'UTC')
) AS logged
LEFT JOIN (
    SELECT
        seal.sealed_hour,
        sum(seal.entries) AS entries
    FROM daylight.audit_seals AS seal
    WHERE seal.sealed_hour >= :since::timestamptz - interval '1 hour'
    GROUP BY seal.sealed_hour
) AS sealed ON logged.sealed_hour = sealed.sealed_hour
WHERE logged.entries > COALESCE(sealed.entries, 0)
ORDER BY logged.sealed_hour;

-- name: audit_seal_insert(sealed_hour, number, entries, manifest, previous, digest)!
-- Seals entries of an hour.
INSERT INTO daylight.audit_seals (sealed_hour, number, entries, manifest, previous, digest)
VALUES (
    :sealed_hour::timestamptz,
    :number::bigint,
    :entries::bigint,
    :manifest::bytea,
    :previous::bytea,
    :digest::bytea
);

-- name: audit_seal_last()$
-- The digest of the newest seal.
SELECT seal.digest
FROM daylight.audit_seals AS seal
ORDER BY seal.position DESC
LIMIT 1;

-- name: audit_seal_list(since)
-- The seals, in the order in which they were made, without what they hold; all when since is null.
-- plan: custom
-- example: since='2026-01-01 00:00:00+00'
SELECT
    seal.sealed_hour,
    seal.number,
    seal.entries,
    seal.previous,
    seal.digest,
    sha256(seal.manifest) AS manifest_digest
FROM daylight.audit_seals AS seal
WHERE :since::timestamptz IS NULL OR seal.sealed_hour >= :since::timestamptz
ORDER BY seal.position;

-- name: audit_seal_manifests(sealed_hour)
-- What the seals of an hour hold, in order.
SELECT seal.manifest
FROM daylight.audit_seals AS seal
WHERE seal.sealed_hour = :sealed_hour::timestamptz
ORDER BY seal.number;
