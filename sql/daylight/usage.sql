-- What users do.

-- name: usage_daily(since, until)
-- What happened between two moments, by type and hour: events, and users. First by user, which a cluster does in each
-- shard.
-- accept: ALL-SHARDS a day of all users, asked for once
-- accept: BIG-SORT a day of a million events, asked for once
WITH user_hour AS MATERIALIZED (
    SELECT
        ua.user_id,
        ua.event_type,
        date_bin('1 hour', ua.occurred_at, '2000-01-01 00:00:00+00') AS hour,
        count(*) AS events
    FROM daylight.usage_analytics AS ua
    WHERE ua.occurred_at >= :since::timestamptz AND ua.occurred_at < :until::timestamptz
    GROUP BY ua.user_id, ua.event_type, date_bin('1 hour', ua.occurred_at, '2000-01-01 00:00:00+00')
)

SELECT
    CASE WHEN grouping(uh.event_type) = 0 THEN uh.event_type END AS event_type,
    CASE WHEN grouping(uh.hour) = 0 THEN uh.hour END AS hour,
    COALESCE(sum(uh.events), 0)::bigint AS events,
    count(DISTINCT uh.user_id) AS users
FROM user_hour AS uh
GROUP BY GROUPING SETS ((), (uh.event_type), (uh.hour))
ORDER BY 2, 1;

-- name: usage_insert(id, user_id, event_type, event_data, session_id, user_agent)<!
-- Records an event, now.
INSERT INTO daylight.usage_analytics (id, user_id, event_type, event_data, session_id, user_agent, occurred_at)
VALUES (
    :id::text,
    :user_id::text,
    :event_type::text,
    :event_data::jsonb,
    :session_id::text,
    :user_agent::text,
    CURRENT_TIMESTAMP
)
RETURNING id, user_id, event_type, event_data, session_id, user_agent, occurred_at;

-- name: usage_insert_many(ids, user_ids, event_types, documents, session_ids, user_agents)!
-- Records many events, now.
-- accept: ALL-SHARDS events of many users are in many shards
INSERT INTO daylight.usage_analytics (id, user_id, event_type, event_data, session_id, user_agent, occurred_at)
SELECT
    e.id,
    e.user_id,
    e.event_type,
    e.event_data,
    e.session_id,
    e.user_agent,
    CURRENT_TIMESTAMP AS occurred_at
FROM
    unnest(
        :ids::text[],
        :user_ids::text[],
        :event_types::text[],
        :documents::jsonb[],
        :session_ids::text[],
        :user_agents::text[]
    ) AS e (id, user_id, event_type, event_data, session_id, user_agent);

-- name: usage_of_user(user_id, since, until)
-- Events of a user between two moments, oldest first.
SELECT
    ua.id,
    ua.user_id,
    ua.event_type,
    ua.event_data,
    ua.session_id,
    ua.user_agent,
    ua.occurred_at
FROM daylight.usage_analytics AS ua
WHERE
    ua.user_id = :user_id::text
    AND ua.occurred_at >= :since::timestamptz
    AND ua.occurred_at < :until::timestamptz
ORDER BY ua.occurred_at, ua.id
LIMIT 100000;
