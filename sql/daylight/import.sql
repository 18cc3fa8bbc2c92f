-- Rows that come from a SQLite file. A row that is there already is never changed: it is unchanged or conflicting.
-- Checksums are order-free: the sum of the first 60 bits of the MD5 of each row's canonical text.

-- name: import_begin(fingerprint, file_name, layout)^
-- Begins a run, or goes on with the one of the same file that has not ended.
WITH present AS (
    SELECT
        ir.id,
        ir.progress
    FROM daylight.import_runs AS ir
    WHERE ir.fingerprint = :fingerprint::text AND ir.status = 'running'
    ORDER BY ir.id DESC
    LIMIT 1
),

created AS (
    INSERT INTO daylight.import_runs (fingerprint, file_name, layout)
    SELECT
        :fingerprint::text AS fingerprint,
        :file_name::text AS file_name,
        :layout::text AS layout
    WHERE NOT EXISTS (SELECT FROM present)
    RETURNING id, progress
)

SELECT
    b.id,
    b.progress
FROM (
    SELECT
        p.id,
        p.progress
    FROM present AS p
    UNION ALL
    SELECT
        c.id,
        c.progress
    FROM created AS c
) AS b
ORDER BY b.id
LIMIT 1;

-- name: import_completed(fingerprint)$
-- The newest run that has imported a file completely.
SELECT ir.id
FROM daylight.import_runs AS ir
WHERE ir.fingerprint = :fingerprint::text AND ir.status = 'completed'
ORDER BY ir.id DESC
LIMIT 1;

-- name: import_end(run_id, status)!
-- Ends a run.
-- retry: idempotent
UPDATE daylight.import_runs AS ir
SET status = :status::text, ended_at = CURRENT_TIMESTAMP
WHERE ir.id = :run_id::bigint;

-- name: import_history_checksum(run_id, table_name, last_key, first_at, last_at)$
-- The checksum of what is there of a portion of entries of the location history, from when to when they are, which spares
-- the other weeks. They are read in one pass, and IS TRUE has each id looked for in a hash: how many there are, the planner
-- does not know, and as a join, by old statistics, it may read all of an index for each.
-- accept: ALL-SHARDS files are imported before the tables are spread
-- plan: custom
-- example: run_id=1, table_name='history', last_key=1000, first_at='2026-01-01 00:00:00+00', last_at='2026-01-07 00:00:00+00'
SELECT
    COALESCE(
        sum(
            ('x' || left(
                md5(
                    concat_ws(
                        chr(31),
                        lh.id,
                        lh.user_id,
                        lh.location::text,
                        lh.activity,
                        lh.metadata::text,
                        (extract(EPOCH FROM lh.recorded_at) * 1000000)::bigint::text
                    )
                ),
                15
            ))::bit(60)::bigint
        ),
        0
    ) AS checksum
FROM daylight.location_history AS lh
WHERE
    lh.recorded_at >= :first_at::timestamptz
    AND lh.recorded_at <= :last_at::timestamptz
    AND (
        lh.id IN (
            SELECT unnest(ip.inserted_ids || ip.unchanged_ids) AS id
            FROM daylight.import_portions AS ip
            WHERE
                ip.run_id = :run_id::bigint
                AND ip.table_name = :table_name::text
                AND ip.last_key = :last_key::bigint
        )
    ) IS TRUE;

-- name: import_history_copy()#
-- Takes entries of the location history of which none is there yet.
COPY daylight.location_history (
    id, user_id, location, lat, lng, activity, metadata, recorded_at, created_at, updated_at
) FROM STDIN (FORMAT "binary");

-- name: import_history_exists(first_id, last_id)$
-- Whether there are entries with ids in a range, by the order of their texts.
-- accept: ALL-SHARDS files are imported before the tables are spread
SELECT EXISTS(
    SELECT
    FROM daylight.location_history AS lh
    WHERE lh.id >= :first_id::text AND lh.id <= :last_id::text
) AS is_any;

-- name: import_history_merge(ids, user_ids, locations, lats, lngs, activities, documents, moments, created, updated)
-- Stores entries of the location history, and says what became of each.
-- accept: NO-SHARD files are imported before the tables are spread
WITH given AS MATERIALIZED (
    SELECT
        e.id,
        e.user_id,
        e.location,
        e.lat,
        e.lng,
        e.activity,
        e.metadata,
        e.recorded_at,
        e.created_at,
        e.updated_at
    FROM
        unnest(
            :ids::text[],
            :user_ids::text[],
            :locations::jsonb[],
            :lats::float8[],
            :lngs::float8[],
            :activities::text[],
            :documents::jsonb[],
            :moments::timestamptz[],
            :created::timestamptz[],
            :updated::timestamptz[]
        ) AS e (id, user_id, location, lat, lng, activity, metadata, recorded_at, created_at, updated_at)
),

stored AS (
    INSERT INTO daylight.location_history (
        id, user_id, location, lat, lng, activity, metadata, recorded_at, created_at, updated_at
    )
    SELECT
        g.id,
        g.user_id,
        g.location,
        g.lat,
        g.lng,
        g.activity,
        g.metadata,
        g.recorded_at,
        g.created_at,
        g.updated_at
    FROM given AS g
    WHERE NOT EXISTS (
            SELECT FROM daylight.location_history AS lh
            WHERE lh.id = g.id
        )
    ON CONFLICT DO NOTHING
    RETURNING id
)

SELECT
    g.id,
    CASE
        WHEN s.id IS NOT NULL THEN 'inserted'
        WHEN
            EXISTS (
                SELECT
                FROM daylight.location_history AS lh
                WHERE
                    lh.id = g.id
                    AND (lh.user_id, lh.location, lh.activity, lh.metadata, lh.recorded_at)
                    = (g.user_id, g.location, g.activity, g.metadata, g.recorded_at)
            )
            THEN 'unchanged'
        ELSE 'conflicting'
    END AS outcome
FROM given AS g
LEFT JOIN stored AS s ON g.id = s.id;

-- name: import_history_undo(run_id, table_name, last_key, first_at, last_at)!
-- Deletes entries that a portion has inserted and nothing has changed since.
-- accept: ALL-SHARDS files are imported before the tables are spread
-- plan: custom
-- example: run_id=1, table_name='history', last_key=1000, first_at='2026-01-01 00:00:00+00', last_at='2026-01-07 00:00:00+00'
WITH doomed AS MATERIALIZED (
    SELECT
        f.id,
        f.recorded_at,
        ir.started_at
    FROM daylight.location_history AS f
    INNER JOIN daylight.import_runs AS ir ON ir.id = :run_id::bigint
    WHERE
        f.recorded_at >= :first_at::timestamptz
        AND f.recorded_at <= :last_at::timestamptz
        AND (
            f.id IN (
                SELECT unnest(ip.inserted_ids) AS id
                FROM daylight.import_portions AS ip
                WHERE
                    ip.run_id = :run_id::bigint
                    AND ip.table_name = :table_name::text
                    AND ip.last_key = :last_key::bigint
            )
        ) IS TRUE
)

DELETE FROM daylight.location_history AS lh
USING doomed AS d
WHERE
    lh.id = d.id
    AND lh.recorded_at = d.recorded_at
    AND lh.updated_at < d.started_at;

-- name: import_list(row_limit)
-- Runs, newest first.
SELECT
    ir.id,
    ir.file_name,
    ir.layout,
    ir.status,
    ir.started_at,
    ir.ended_at,
    ir.progress
FROM daylight.import_runs AS ir
ORDER BY ir.id DESC
LIMIT :row_limit::bigint;

-- name: import_portion(run_id, table_name, last_key, inserted_ids, unchanged_ids, first_at, last_at, checksum)!
-- Notes what a portion has inserted; one that another process has noted is refused by import_progress afterwards.
INSERT INTO daylight.import_portions (
    run_id, table_name, last_key, inserted_ids, unchanged_ids, first_at, last_at, checksum
)
VALUES (
    :run_id::bigint,
    :table_name::text,
    :last_key::bigint,
    :inserted_ids::text[],
    :unchanged_ids::text[],
    :first_at::timestamptz,
    :last_at::timestamptz,
    :checksum::numeric
)
ON CONFLICT DO NOTHING;

-- name: import_portions(run_id, table_name)
-- The portions of a table in their order, each by its last key.
SELECT
    ip.last_key,
    ip.first_at,
    ip.last_at,
    ip.checksum
FROM daylight.import_portions AS ip
WHERE ip.run_id = :run_id::bigint AND ip.table_name = :table_name::text
ORDER BY ip.last_key;

-- name: import_profiles_checksum(run_id, table_name, last_key)$
-- The checksum of what is there of a portion of profiles.
SELECT
    COALESCE(
        sum(
            ('x' || left(
                md5(
                    concat_ws(
                        chr(31),
                        up.user_id,
                        up.first_name,
                        up.last_name,
                        COALESCE(up.avatar, chr(30)),
                        up.timezone,
                        up.preferences::text,
                        up.settings::text
                    )
                ),
                15
            ))::bit(60)::bigint
        ),
        0
    ) AS checksum
FROM daylight.import_portions AS ip
CROSS JOIN LATERAL unnest(ip.inserted_ids || ip.unchanged_ids) AS e (id)
INNER JOIN daylight.user_profiles AS up
    ON e.id = up.user_id
WHERE
    ip.run_id = :run_id::bigint
    AND ip.table_name = :table_name::text
    AND ip.last_key = :last_key::bigint;

-- name: import_profiles_merge(ids, first_names, last_names, avatars, zones, documents, options, created, updated)
-- Stores profiles, and says what became of each: refused where there is no such user.
WITH given AS MATERIALIZED (
    SELECT
        e.id,
        e.first_name,
        e.last_name,
        e.avatar,
        e.timezone,
        e.preferences,
        e.settings,
        e.created_at,
        e.updated_at
    FROM
        unnest(
            :ids::text[],
            :first_names::text[],
            :last_names::text[],
            :avatars::text[],
            :zones::text[],
            :documents::jsonb[],
            :options::jsonb[],
            :created::timestamptz[],
            :updated::timestamptz[]
        ) AS e (id, first_name, last_name, avatar, timezone, preferences, settings, created_at, updated_at)
),

stored AS (
    INSERT INTO daylight.user_profiles (
        user_id,
        first_name,
        last_name,
        avatar,
        timezone,
        preferences,
        settings,
        created_at,
        updated_at,
        inactive_since
    )
    SELECT
        g.id,
        g.first_name,
        g.last_name,
        g.avatar,
        g.timezone,
        g.preferences,
        g.settings,
        g.created_at,
        g.updated_at,
        u.inactive_since
    FROM given AS g
    INNER JOIN daylight.users AS u ON g.id = u.id
    ON CONFLICT DO NOTHING
    RETURNING user_id
)

SELECT
    g.id,
    CASE
        WHEN s.user_id IS NOT NULL THEN 'inserted'
        WHEN up.user_id IS NULL THEN 'refused'
        WHEN
            (up.first_name, up.last_name, up.timezone, up.preferences, up.settings)
            = (g.first_name, g.last_name, g.timezone, g.preferences, g.settings)
            AND (up.avatar IS NOT DISTINCT FROM g.avatar)
            THEN 'unchanged'
        ELSE 'conflicting'
    END AS outcome
FROM given AS g
LEFT JOIN stored AS s ON g.id = s.user_id
LEFT JOIN daylight.user_profiles AS up ON g.id = up.user_id;

-- name: import_profiles_undo(run_id, table_name, last_key)!
-- Deletes profiles that a portion has inserted and nothing has changed since.
DELETE FROM daylight.user_profiles AS up
USING
    daylight.import_runs AS ir,
    daylight.import_portions AS ip,
    unnest(ip.inserted_ids) AS e (id)
WHERE
    ir.id = :run_id::bigint
    AND ip.run_id = ir.id
    AND ip.table_name = :table_name::text
    AND ip.last_key = :last_key::bigint
    AND up.user_id = e.id
    AND up.updated_at < ir.started_at;

-- name: import_progress(run_id, expected, progress)!
-- Notes how far a run came; no row when another process has gone on with it meanwhile.
UPDATE daylight.import_runs AS ir
SET progress = :progress::jsonb
WHERE ir.id = :run_id::bigint AND ir.status = 'running' AND ir.progress = :expected::jsonb;

-- name: import_quarantine(run_id, table_name, keys, columns, reasons)!
-- Notes rows that were refused, and why; not what is in them.
INSERT INTO daylight.import_quarantine (run_id, table_name, source_key, column_name, reason)
SELECT
    :run_id::bigint AS run_id,
    :table_name::text AS table_name,
    e.source_key,
    e.column_name,
    e.reason
FROM unnest(:keys::text[], :columns::text[], :reasons::text[]) AS e (source_key, column_name, reason)
ON CONFLICT DO NOTHING;

-- name: import_quarantined(run_id, row_limit)
-- Rows that a run has refused.
SELECT
    iq.table_name,
    iq.source_key,
    iq.column_name,
    iq.reason
FROM daylight.import_quarantine AS iq
WHERE iq.run_id = :run_id::bigint
ORDER BY iq.table_name, iq.source_key
LIMIT :row_limit::bigint;

-- name: import_run(run_id)^
-- A run.
SELECT
    ir.id,
    ir.file_name,
    ir.layout,
    ir.status,
    ir.started_at,
    ir.ended_at,
    ir.progress
FROM daylight.import_runs AS ir
WHERE ir.id = :run_id::bigint;

-- name: import_sessions_checksum(run_id, table_name, last_key)$
-- The checksum of what is there of a portion of sessions.
SELECT
    COALESCE(
        sum(
            ('x' || left(
                md5(
                    concat_ws(
                        chr(31),
                        us.session_hash,
                        us.user_id,
                        us.data::text,
                        (extract(EPOCH FROM us.expires_at) * 1000000)::bigint::text
                    )
                ),
                15
            ))::bit(60)::bigint
        ),
        0
    ) AS checksum
FROM daylight.import_portions AS ip
CROSS JOIN LATERAL unnest(ip.inserted_ids || ip.unchanged_ids) AS e (id)
INNER JOIN daylight.user_sessions AS us
    ON e.id = us.session_hash
WHERE
    ip.run_id = :run_id::bigint
    AND ip.table_name = :table_name::text
    AND ip.last_key = :last_key::bigint;

-- name: import_sessions_merge(ids, user_ids, documents, expiries, created)
-- Stores sessions, and says what became of each: refused where there is no such user.
WITH given AS MATERIALIZED (
    SELECT
        e.id,
        e.user_id,
        e.data,
        e.expires_at,
        e.created_at
    FROM
        unnest(
            :ids::text[],
            :user_ids::text[],
            :documents::jsonb[],
            :expiries::timestamptz[],
            :created::timestamptz[]
        ) AS e (id, user_id, data, expires_at, created_at)
),

stored AS (
    INSERT INTO daylight.user_sessions (session_hash, user_id, data, expires_at, created_at)
    SELECT
        g.id,
        g.user_id,
        g.data,
        g.expires_at,
        g.created_at
    FROM given AS g
    INNER JOIN daylight.users AS u ON g.user_id = u.id
    ON CONFLICT DO NOTHING
    RETURNING session_hash
)

SELECT
    g.id,
    CASE
        WHEN s.session_hash IS NOT NULL THEN 'inserted'
        WHEN us.session_hash IS NULL THEN 'refused'
        WHEN (us.user_id, us.data, us.expires_at) = (g.user_id, g.data, g.expires_at) THEN 'unchanged'
        ELSE 'conflicting'
    END AS outcome
FROM given AS g
LEFT JOIN stored AS s ON g.id = s.session_hash
LEFT JOIN daylight.user_sessions AS us ON g.id = us.session_hash;

-- name: import_sessions_undo(run_id, table_name, last_key)!
-- Deletes sessions that a portion has inserted.
DELETE FROM daylight.user_sessions AS us
USING
    daylight.import_runs AS ir,
    daylight.import_portions AS ip,
    unnest(ip.inserted_ids) AS e (id)
WHERE
    ir.id = :run_id::bigint
    AND ip.run_id = ir.id
    AND ip.table_name = :table_name::text
    AND ip.last_key = :last_key::bigint
    AND us.session_hash = e.id;

-- name: import_users_checksum(run_id, table_name, last_key)$
-- The checksum of what is there of a portion of users.
SELECT
    COALESCE(
        sum(
            ('x' || left(
                md5(
                    concat_ws(
                        chr(31),
                        u.id,
                        u.email,
                        u.username,
                        u.password_hash,
                        u.is_active::text,
                        u.email_verified::text,
                        COALESCE((extract(EPOCH FROM u.last_login_at) * 1000000)::bigint::text, chr(30))
                    )
                ),
                15
            ))::bit(60)::bigint
        ),
        0
    ) AS checksum
FROM daylight.import_portions AS ip
CROSS JOIN LATERAL unnest(ip.inserted_ids || ip.unchanged_ids) AS e (id)
INNER JOIN daylight.users AS u
    ON e.id = u.id
WHERE
    ip.run_id = :run_id::bigint
    AND ip.table_name = :table_name::text
    AND ip.last_key = :last_key::bigint;

-- name: import_users_merge(ids, emails, email_keys, usernames, username_keys, password_hashes, active, verified, created, updated, logins)
-- Stores users, and says what became of each: refused where the e-mail address or the username is another's.
WITH given AS MATERIALIZED (
    SELECT
        e.id,
        e.email,
        e.email_key,
        e.username,
        e.username_key,
        e.password_hash,
        e.is_active,
        e.email_verified,
        e.created_at,
        e.updated_at,
        e.last_login_at
    FROM
        unnest(
            :ids::text[],
            :emails::text[],
            :email_keys::text[],
            :usernames::text[],
            :username_keys::text[],
            :password_hashes::text[],
            :active::boolean[],
            :verified::boolean[],
            :created::timestamptz[],
            :updated::timestamptz[],
            :logins::timestamptz[]
        ) AS e (
            id,
            email,
            email_key,
            username,
            username_key,
            password_hash,
            is_active,
            email_verified,
            created_at,
            updated_at,
            last_login_at
        )
),

stored AS (
    INSERT INTO daylight.users (
        id,
        email,
        email_key,
        username,
        username_key,
        password_hash,
        is_active,
        email_verified,
        created_at,
        updated_at,
        last_login_at,
        last_active_at
    )
    SELECT
        g.id,
        g.email,
        g.email_key,
        g.username,
        g.username_key,
        g.password_hash,
        g.is_active,
        g.email_verified,
        g.created_at,
        g.updated_at,
        g.last_login_at,
        COALESCE(greatest(g.last_login_at, g.updated_at), g.updated_at) AS last_active_at
    FROM given AS g
    ON CONFLICT DO NOTHING
    RETURNING id
)

SELECT
    g.id,
    CASE
        WHEN s.id IS NOT NULL THEN 'inserted'
        WHEN u.id IS NULL THEN 'refused'
        WHEN
            (u.email, u.username, u.password_hash, u.is_active, u.email_verified)
            = (g.email, g.username, g.password_hash, g.is_active, g.email_verified)
            AND (u.last_login_at IS NOT DISTINCT FROM g.last_login_at)
            THEN 'unchanged'
        ELSE 'conflicting'
    END AS outcome
FROM given AS g
LEFT JOIN stored AS s ON g.id = s.id
LEFT JOIN daylight.users AS u ON g.id = u.id;

-- name: import_users_undo(run_id, table_name, last_key)!
-- Deletes users that a portion has inserted, nothing has changed since, and nothing else refers to.
-- accept: CASCADE only what there is none of goes with them
DELETE FROM daylight.users AS u
USING
    daylight.import_runs AS ir,
    daylight.import_portions AS ip,
    unnest(ip.inserted_ids) AS e (id)
WHERE
    ir.id = :run_id::bigint
    AND ip.run_id = ir.id
    AND ip.table_name = :table_name::text
    AND ip.last_key = :last_key::bigint
    AND u.id = e.id
    AND u.updated_at < ir.started_at
    AND NOT EXISTS (
        SELECT FROM daylight.user_profiles AS up
        WHERE up.user_id = u.id
    )
    AND NOT EXISTS (
        SELECT FROM daylight.user_sessions AS us
        WHERE us.user_id = u.id
    )
    AND NOT EXISTS (
        SELECT FROM daylight.auth_sessions AS aus
        WHERE aus.user_id = u.id
    )
    AND NOT EXISTS (
        SELECT FROM daylight.plans AS p
        WHERE p.user_id = u.id
    )
    AND NOT EXISTS (
        SELECT FROM daylight.locations AS l
        WHERE l.user_id = u.id
    )
    AND NOT EXISTS (
        SELECT FROM daylight.user_roles AS ur
        WHERE ur.user_id = u.id
    )
    AND NOT EXISTS (
        SELECT FROM daylight.api_keys AS ak
        WHERE ak.user_id = u.id
    );
