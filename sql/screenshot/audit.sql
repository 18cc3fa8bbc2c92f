-- The audit log: only added to, in partitions by month, and sealed.

-- name: audit_by_correlation_id(correlation_id, row_limit)
-- What happened in one request, in order.
SELECT
    al.id,
    al.action,
    al.level,
    al.category,
    al.description,
    al.details,
    al.resource_type,
    al.resource_id,
    al.old_values,
    al.new_values,
    al.context,
    al.metadata,
    al.ip_address,
    al.user_agent,
    al.session_id,
    al.correlation_id,
    al.source,
    al.is_success,
    al.error_message,
    al.duration,
    al.user_id,
    al.created_at
FROM screenshot.audit_logs AS al
WHERE al.correlation_id = :correlation_id::text
ORDER BY al.created_at, al.id
LIMIT :row_limit::int8;

-- name: audit_copy()#
-- Takes many entries at once, in COPY's binary format.
COPY screenshot.audit_logs (
    id,
    action,
    level,
    category,
    description,
    details,
    resource_type,
    resource_id,
    old_values,
    new_values,
    context,
    metadata,
    ip_address,
    user_agent,
    session_id,
    correlation_id,
    source,
    is_success,
    error_message,
    duration,
    user_id,
    user_digest,
    created_at
) FROM STDIN (FORMAT "binary");

-- name: audit_history(user_id, after_created_at, after_id, row_limit)
-- What a user did, the newest first, from behind a known entry on.
-- plan: custom
-- example: user_id='8a6e0804-2bd0-4672-b79d-d97027f9071a', after_created_at=null, after_id=null, row_limit=100
SELECT
    al.id,
    al.action,
    al.level,
    al.category,
    al.description,
    al.details,
    al.resource_type,
    al.resource_id,
    al.old_values,
    al.new_values,
    al.context,
    al.metadata,
    al.ip_address,
    al.user_agent,
    al.session_id,
    al.correlation_id,
    al.source,
    al.is_success,
    al.error_message,
    al.duration,
    al.user_id,
    al.created_at
FROM screenshot.audit_logs AS al
WHERE
    al.user_id = :user_id::uuid
    AND (:after_id::uuid IS NULL OR (al.created_at, al.id) < (:after_created_at::timestamptz, :after_id::uuid))
ORDER BY al.created_at DESC, al.id DESC
LIMIT :row_limit::int8;

-- name: audit_insert(id, action, level, category, description, details, resource_type, resource_id, old_values, new_values, context, metadata, ip_address, user_agent, session_id, correlation_id, source, is_success, error_message, duration, user_id, user_digest)$
-- Adds an entry of now; its time.
INSERT INTO screenshot.audit_logs (
    id,
    action,
    level,
    category,
    description,
    details,
    resource_type,
    resource_id,
    old_values,
    new_values,
    context,
    metadata,
    ip_address,
    user_agent,
    session_id,
    correlation_id,
    source,
    is_success,
    error_message,
    duration,
    user_id,
    user_digest
)
VALUES (
    :id::uuid,
    :action::text,
    :level::text,
    :category::text,
    :description::text,
    :details::text,
    :resource_type::text,
    :resource_id::text,
    :old_values::jsonb,
    :new_values::jsonb,
    :context::jsonb,
    :metadata::jsonb,
    :ip_address::inet,
    :user_agent::text,
    :session_id::text,
    :correlation_id::text,
    :source::text,
    :is_success::boolean,
    :error_message::text,
    :duration::int4,
    :user_id::uuid,
    :user_digest::bytea
)
RETURNING created_at;

-- name: audit_insert_many(ids, actions, levels, categories, descriptions, details_list, resource_types, resource_ids, old_values_list, new_values_list, contexts, metadatas, ip_addresses, user_agents, session_ids, correlation_ids, sources, successes, error_messages, durations, user_ids, user_digests, created_ats)!
-- Adds entries of moments, except those that are there already; an array for each column.
-- retry: idempotent
INSERT INTO screenshot.audit_logs (
    id,
    action,
    level,
    category,
    description,
    details,
    resource_type,
    resource_id,
    old_values,
    new_values,
    context,
    metadata,
    ip_address,
    user_agent,
    session_id,
    correlation_id,
    source,
    is_success,
    error_message,
    duration,
    user_id,
    user_digest,
    created_at
)
SELECT
    entry.id,
    entry.action,
    entry.level,
    entry.category,
    entry.description,
    entry.details,
    entry.resource_type,
    entry.resource_id,
    entry.old_values,
    entry.new_values,
    entry.context,
    entry.metadata,
    entry.ip_address,
    entry.user_agent,
    entry.session_id,
    entry.correlation_id,
    entry.source,
    entry.is_success,
    entry.error_message,
    entry.duration,
    entry.user_id,
    entry.user_digest,
    entry.created_at
FROM
    unnest(
        :ids::uuid[],
        :actions::text[],
        :levels::text[],
        :categories::text[],
        :descriptions::text[],
        :details_list::text[],
        :resource_types::text[],
        :resource_ids::text[],
        :old_values_list::jsonb[],
        :new_values_list::jsonb[],
        :contexts::jsonb[],
        :metadatas::jsonb[],
        :ip_addresses::inet[],
        :user_agents::text[],
        :session_ids::text[],
        :correlation_ids::text[],
        :sources::text[],
        :successes::boolean[],
        :error_messages::text[],
        :durations::int4[],
        :user_ids::uuid[],
        :user_digests::bytea[],
        :created_ats::timestamptz[]
    ) AS entry (
        id,
        action,
        level,
        category,
        description,
        details,
        resource_type,
        resource_id,
        old_values,
        new_values,
        context,
        metadata,
        ip_address,
        user_agent,
        session_id,
        correlation_id,
        source,
        is_success,
        error_message,
        duration,
        user_id,
        user_digest,
        created_at
    )
ON CONFLICT (id, created_at) DO NOTHING;

-- name: audit_insert_once(id, action, level, category, description, details, resource_type, resource_id, old_values, new_values, context, metadata, ip_address, user_agent, session_id, correlation_id, source, is_success, error_message, duration, user_id, user_digest, created_at)!
-- Adds an entry of a moment, unless it is there already.
-- retry: idempotent
INSERT INTO screenshot.audit_logs (
    id,
    action,
    level,
    category,
    description,
    details,
    resource_type,
    resource_id,
    old_values,
    new_values,
    context,
    metadata,
    ip_address,
    user_agent,
    session_id,
    correlation_id,
    source,
    is_success,
    error_message,
    duration,
    user_id,
    user_digest,
    created_at
)
VALUES (
    :id::uuid,
    :action::text,
    :level::text,
    :category::text,
    :description::text,
    :details::text,
    :resource_type::text,
    :resource_id::text,
    :old_values::jsonb,
    :new_values::jsonb,
    :context::jsonb,
    :metadata::jsonb,
    :ip_address::inet,
    :user_agent::text,
    :session_id::text,
    :correlation_id::text,
    :source::text,
    :is_success::boolean,
    :error_message::text,
    :duration::int4,
    :user_id::uuid,
    :user_digest::bytea,
    :created_at::timestamptz
)
ON CONFLICT (id, created_at) DO NOTHING;

-- name: audit_manifest(sealed_hour)$
-- For each entry of an hour 32 bytes, in order: its id, and half of the SHA-256 of what it says. A user that was deleted
-- since makes no difference; one that was replaced does. Nothing in the text of the row depends on a session's settings,
-- as a time and bytes would.
SELECT
    string_agg(
        uuid_send(al.id) || substring(
            sha256(
                convert_to(
                    row(
                        al.id,
                        al.action,
                        al.level,
                        al.category,
                        al.description,
                        al.details,
                        al.resource_type,
                        al.resource_id,
                        al.old_values,
                        al.new_values,
                        al.context,
                        al.metadata,
                        al.ip_address,
                        al.user_agent,
                        al.session_id,
                        al.correlation_id,
                        al.source,
                        al.is_success,
                        al.error_message,
                        al.duration,
                        extract(EPOCH FROM al.created_at),
                        encode(al.user_digest, 'hex'),
                        al.user_id IS NOT NULL
                        AND al.user_digest IS DISTINCT FROM sha256(convert_to(al.user_id::text, 'UTF8'))
                    )::text,
                    'UTF8'
                )
            ) FROM 1 for 16
        ),
        ''::bytea
        ORDER BY al.created_at, al.id
    ) AS manifest
FROM screenshot.audit_logs AS al
WHERE
    al.created_at >= :sealed_hour::timestamptz
    AND al.created_at < :sealed_hour::timestamptz + interval '1 hour';

-- name: audit_protect_partitions()$
-- Puts the trigger against TRUNCATE on partitions that lack it; how many they were.
SELECT screenshot.audit_protect_partitions() AS protected;

-- name: audit_seal_hours(since, until)
-- Hours within a time that hold more entries than their seals, in order.
-- accept: MANY-ROWS a group for each hour, of which the planner knows nothing
-- accept: BIG-SORT as above
SELECT
    logged.sealed_hour,
    logged.entries,
    coalesce(sealed.entries, 0)::int8 AS sealed_entries
FROM (
    SELECT
        date_trunc('hour', al.created_at, 'UTC') AS sealed_hour,
        count(*) AS entries
    FROM screenshot.audit_logs AS al
    WHERE al.created_at >= :since::timestamptz AND al.created_at < date_trunc('hour', :until::timestamptz, 'UTC')
    GROUP BY date_trunc('hour', al.created_at, 'UTC')
) AS logged
LEFT JOIN (
    SELECT
        seal.sealed_hour,
        sum(seal.entries) AS entries
    FROM screenshot.audit_seals AS seal
    WHERE seal.sealed_hour >= :since::timestamptz - interval '1 hour'
    GROUP BY seal.sealed_hour
) AS sealed ON logged.sealed_hour = sealed.sealed_hour
WHERE logged.entries > coalesce(sealed.entries, 0)
ORDER BY logged.sealed_hour;

-- name: audit_seal_insert(sealed_hour, number, entries, manifest, previous, digest)!
-- Seals entries of an hour.
INSERT INTO screenshot.audit_seals (
    sealed_hour,
    number,
    entries,
    manifest,
    previous,
    digest
)
VALUES (
    :sealed_hour::timestamptz,
    :number::int4,
    :entries::int4,
    :manifest::bytea,
    :previous::bytea,
    :digest::bytea
);

-- name: audit_seal_last()$
-- The digest of the newest seal.
SELECT seal.digest
FROM screenshot.audit_seals AS seal
ORDER BY seal.position DESC
LIMIT 1;

-- name: audit_seal_list(since)
-- The seals, in the order in which they were made, without what they hold; all when since is null.
-- plan: custom
-- example: since=null
-- example: since='2026-01-01 00:00:00+00'
-- accept: MANY-ROWS a seal for each hour
SELECT
    seal.sealed_hour,
    seal.number,
    seal.entries,
    seal.previous,
    seal.digest,
    sha256(seal.manifest) AS manifest_digest
FROM screenshot.audit_seals AS seal
WHERE :since::timestamptz IS NULL OR seal.sealed_hour >= :since::timestamptz
ORDER BY seal.position;

-- name: audit_seal_manifests(sealed_hour)
-- What the seals of an hour hold, in order.
SELECT seal.manifest
FROM screenshot.audit_seals AS seal
WHERE seal.sealed_hour = :sealed_hour::timestamptz
ORDER BY seal.number;

-- name: audit_search(action, level, category, resource_type, resource_id, since, until, after_created_at, after_id, row_limit)
-- Entries of a time, the newest first, from behind a known one on; what is null does not count.
-- plan: custom
-- example: action='user_login', level=null, category=null, resource_type=null, resource_id=null, since='2026-01-01 00:00:00+00', until='2026-02-01 00:00:00+00', after_created_at=null, after_id=null, row_limit=100
-- example: action=null, level=null, category=null, resource_type='project', resource_id='8a6e0804-2bd0-4672-b79d-d97027f9071a', since='2026-01-01 00:00:00+00', until='2027-01-01 00:00:00+00', after_created_at=null, after_id=null, row_limit=100
SELECT
    al.id,
    al.action,
    al.level,
    al.category,
    al.description,
    al.details,
    al.resource_type,
    al.resource_id,
    al.old_values,
    al.new_values,
    al.context,
    al.metadata,
    al.ip_address,
    al.user_agent,
    al.session_id,
    al.correlation_id,
    al.source,
    al.is_success,
    al.error_message,
    al.duration,
    al.user_id,
    al.created_at
FROM screenshot.audit_logs AS al
WHERE
    al.created_at >= :since::timestamptz
    AND al.created_at < :until::timestamptz
    AND (:action::text IS NULL OR al.action = :action::text)
    AND (:level::text IS NULL OR al.level = :level::text)
    AND (:category::text IS NULL OR al.category = :category::text)
    AND (:resource_type::text IS NULL OR al.resource_type = :resource_type::text)
    AND (:resource_id::text IS NULL OR al.resource_id = :resource_id::text)
    AND (:after_id::uuid IS NULL OR (al.created_at, al.id) < (:after_created_at::timestamptz, :after_id::uuid))
ORDER BY al.created_at DESC, al.id DESC
LIMIT :row_limit::int8;
