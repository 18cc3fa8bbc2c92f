-- Configuration of projects: typed values as text, encrypted where the row says so.

-- name: configuration_all(row_limit, row_offset)
-- All configuration entries by id, a stretch of them.
-- plan: custom
-- example: row_limit=100, row_offset=0
SELECT
    c.id,
    c.config_id,
    c.project_id,
    c.key,
    c.value,
    c.type,
    c.encrypted,
    c.description,
    c.created_at,
    c.updated_at,
    c.meta
FROM specify.configurations AS c
ORDER BY c.id
LIMIT :row_limit::bigint OFFSET :row_offset::bigint;

-- name: configuration_by_id(row_id)^
-- A configuration entry by its id.
SELECT
    c.id,
    c.config_id,
    c.project_id,
    c.key,
    c.value,
    c.type,
    c.encrypted,
    c.description,
    c.created_at,
    c.updated_at,
    c.meta
FROM specify.configurations AS c
WHERE c.id = :row_id::bigint;

-- name: configuration_compare_set(project_id, key, expected_value, expected_type, value, value_type)!
-- Sets a value if it is still the expected one, and in the clear.
UPDATE specify.configurations AS c
SET
    value = :value::text,
    type = :value_type::text,
    updated_at = CURRENT_TIMESTAMP
WHERE
    c.project_id = :project_id::bigint
    AND c.key = :key::text
    AND NOT c.encrypted
    AND c.value = :expected_value::text
    AND c.type = :expected_type::text;

-- name: configuration_count()$
-- How many configuration entries there are.
-- accept: SEQ-SCAN an honest total counts every row
SELECT count(*) AS total
FROM specify.configurations;

-- name: configuration_delete(row_id)!
-- Deletes a configuration entry.
DELETE FROM specify.configurations AS c
WHERE c.id = :row_id::bigint;

-- name: configuration_get(project_id, key)^
-- A configuration entry by its key.
SELECT
    c.id,
    c.config_id,
    c.project_id,
    c.key,
    c.value,
    c.type,
    c.encrypted,
    c.description,
    c.created_at,
    c.updated_at,
    c.meta
FROM specify.configurations AS c
WHERE c.project_id = :project_id::bigint AND c.key = :key::text;

-- name: configuration_insert(documents)
-- Inserts configuration entries, given as a JSON array of objects; leaves out those whose unique keys are taken.
INSERT INTO specify.configurations (
    id, config_id, project_id, key, value, type, encrypted, description, meta
)
SELECT
    coalesce(r.id, nextval('specify.configurations_id_seq')) AS id,
    coalesce(r.config_id, gen_random_uuid()) AS config_id,
    r.project_id,
    r.key,
    r.value,
    r.type,
    r.encrypted,
    r.description,
    r.meta
FROM jsonb_to_recordset(:documents::jsonb) AS r (
        id bigint,
        config_id uuid,
        project_id bigint,
        key text,
        value text,
        type text,
        encrypted boolean,
        description text,
        meta jsonb
    )
ON CONFLICT DO NOTHING
RETURNING
    id,
    config_id,
    project_id,
    key,
    value,
    type,
    encrypted,
    description,
    created_at,
    updated_at,
    meta;

-- name: configuration_of_project(project_id)
-- The configuration entries of a project, by key.
SELECT
    c.id,
    c.config_id,
    c.project_id,
    c.key,
    c.value,
    c.type,
    c.encrypted,
    c.description,
    c.created_at,
    c.updated_at,
    c.meta
FROM specify.configurations AS c
WHERE c.project_id = :project_id::bigint
ORDER BY c.key
LIMIT 10000;

-- name: configuration_page(row_order, row_limit, row_offset)
-- A page of configuration entries in one of several orders, each row behind the number of all; beyond the end a row without configuration entry.
-- plan: custom
-- example: row_order='id', row_limit=20, row_offset=0
-- accept: SEQ-SCAN an honest total counts every row
SELECT
    t.total,
    c.id,
    c.config_id,
    c.project_id,
    c.key,
    c.value,
    c.type,
    c.encrypted,
    c.description,
    c.created_at,
    c.updated_at,
    c.meta
FROM (
    SELECT count(*) AS total
    FROM specify.configurations
) AS t
LEFT JOIN (
    (
        SELECT
            c.id,
            row_number() OVER (ORDER BY c.id) AS place
        FROM specify.configurations AS c
        WHERE :row_order::text = 'id'
        ORDER BY c.id
        LIMIT :row_limit::bigint OFFSET :row_offset::bigint
    )
    UNION ALL
    (
        SELECT
            c.id,
            row_number() OVER (ORDER BY c.id DESC) AS place
        FROM specify.configurations AS c
        WHERE :row_order::text = '-id'
        ORDER BY c.id DESC
        LIMIT :row_limit::bigint OFFSET :row_offset::bigint
    )
) AS o ON true
LEFT JOIN specify.configurations AS c ON o.id = c.id
ORDER BY o.place;

-- name: configuration_remove(project_id, key)!
-- Deletes a configuration entry by its key.
DELETE FROM specify.configurations AS c
WHERE c.project_id = :project_id::bigint AND c.key = :key::text;

-- name: configuration_set(project_id, key, value, value_type, encrypted, description, meta)<!
-- Sets a value, new or not; description and meta stay where null is given. Of two writers the last one wins.
INSERT INTO specify.configurations AS c (project_id, key, value, type, encrypted, description, meta)
VALUES (
    :project_id::bigint,
    :key::text,
    :value::text,
    :value_type::text,
    :encrypted::boolean,
    :description::text,
    coalesce(:meta::jsonb, '{}'::jsonb)
)
ON CONFLICT (project_id, key) DO UPDATE
    SET
        value = excluded.value,
        type = excluded.type,
        encrypted = excluded.encrypted,
        description = coalesce(excluded.description, c.description),
        meta = coalesce(:meta::jsonb, c.meta),
        updated_at = CURRENT_TIMESTAMP
RETURNING
    c.id,
    c.config_id,
    c.project_id,
    c.key,
    c.value,
    c.type,
    c.encrypted,
    c.description,
    c.created_at,
    c.updated_at,
    c.meta;

-- name: configuration_update(documents)
-- Updates configuration entries by id, each by a JSON object of an array; a key that it lacks is a column that stays.
-- By ascending id, so that two such updates wait for each other and do not deadlock.
-- accept: NOT-HOT where no indexed value differs, the update is one all the same
UPDATE specify.configurations AS c
SET
    config_id = CASE WHEN d.doc ? 'config_id' THEN (d.doc ->> 'config_id')::uuid ELSE c.config_id END,
    project_id = CASE WHEN d.doc ? 'project_id' THEN (d.doc ->> 'project_id')::bigint ELSE c.project_id END,
    key = CASE WHEN d.doc ? 'key' THEN d.doc ->> 'key' ELSE c.key END,
    value = CASE WHEN d.doc ? 'value' THEN d.doc ->> 'value' ELSE c.value END,
    type = CASE WHEN d.doc ? 'type' THEN d.doc ->> 'type' ELSE c.type END,
    encrypted = CASE WHEN d.doc ? 'encrypted' THEN (d.doc ->> 'encrypted')::boolean ELSE c.encrypted END,
    description = CASE WHEN d.doc ? 'description' THEN d.doc ->> 'description' ELSE c.description END,
    meta = CASE WHEN d.doc ? 'meta' THEN d.doc -> 'meta' ELSE c.meta END,
    updated_at = CURRENT_TIMESTAMP
FROM (
    SELECT
        l.id,
        e.doc
    FROM jsonb_array_elements(:documents::jsonb) AS e (doc)
    INNER JOIN specify.configurations AS l ON l.id = (e.doc ->> 'id')::bigint
    ORDER BY l.id
    FOR NO KEY UPDATE OF l
) AS d
WHERE c.id = d.id
RETURNING
    c.id,
    c.config_id,
    c.project_id,
    c.key,
    c.value,
    c.type,
    c.encrypted,
    c.description,
    c.created_at,
    c.updated_at,
    c.meta;
