-- Projects: what commands, specifications and configuration belong to.

-- name: project_by_id(row_id)^
-- A project by its id.
SELECT
    p.id,
    p.name,
    p.slug,
    p.description,
    p.owner_id,
    p.path,
    p.repository_url,
    p.is_active,
    p.created_at,
    p.updated_at,
    p.meta,
    p.settings
FROM specify.projects AS p
WHERE p.id = :row_id::bigint;

-- name: project_by_slug(slug)^
-- A project by its slug.
SELECT
    p.id,
    p.name,
    p.slug,
    p.description,
    p.owner_id,
    p.path,
    p.repository_url,
    p.is_active,
    p.created_at,
    p.updated_at,
    p.meta,
    p.settings
FROM specify.projects AS p
WHERE p.slug = :slug::text;

-- name: project_count()$
-- How many projects there are.
SELECT count(*) AS total
FROM specify.projects;

-- name: project_delete(row_id)!
-- Deletes a project, and what belongs to it.
-- accept: CASCADE what belongs to a project goes with it; delete_project does so in portions
DELETE FROM specify.projects AS p
WHERE p.id = :row_id::bigint;

-- name: project_find(query, row_limit)
-- Projects by words in name and description, the best match first. Of the 2,000 newest that match, so that a word which
-- most of them have costs no more than that.
WITH hit AS MATERIALIZED (
    SELECT
        p.id,
        p.search
    FROM specify.projects AS p
    WHERE p.search @@ websearch_to_tsquery('pg_catalog.english', :query::text)
    ORDER BY p.id DESC
    LIMIT 2000
)

SELECT
    p.id,
    p.name,
    p.slug,
    p.description,
    p.owner_id,
    p.path,
    p.repository_url,
    p.is_active,
    p.created_at,
    p.updated_at,
    p.meta,
    p.settings
FROM hit AS h
INNER JOIN specify.projects AS p ON h.id = p.id
ORDER BY ts_rank_cd(h.search, websearch_to_tsquery('pg_catalog.english', :query::text)) DESC, p.id DESC
LIMIT :row_limit::bigint;

-- name: project_insert(documents)
-- Inserts projects, given as a JSON array of objects; leaves out those whose unique keys are taken.
INSERT INTO specify.projects (
    id, name, slug, description, owner_id, path, repository_url, is_active, meta, settings
)
SELECT
    coalesce(r.id, nextval('specify.projects_id_seq')) AS id,
    r.name,
    r.slug,
    r.description,
    r.owner_id,
    r.path,
    r.repository_url,
    r.is_active,
    r.meta,
    r.settings
FROM jsonb_to_recordset(:documents::jsonb) AS r (
        id bigint,
        name text,
        slug text,
        description text,
        owner_id bigint,
        path text,
        repository_url text,
        is_active boolean,
        meta jsonb,
        settings jsonb
    )
ON CONFLICT DO NOTHING
RETURNING
    id,
    name,
    slug,
    description,
    owner_id,
    path,
    repository_url,
    is_active,
    created_at,
    updated_at,
    meta,
    settings;

-- name: project_list(owner_id, is_active, row_limit, row_offset)
-- Projects by id, of one owner or of all, in use or not.
-- plan: custom
-- example: owner_id=7, is_active=true, row_limit=100, row_offset=0
-- example: owner_id=null, is_active=true, row_limit=100, row_offset=0
SELECT
    p.id,
    p.name,
    p.slug,
    p.description,
    p.owner_id,
    p.path,
    p.repository_url,
    p.is_active,
    p.created_at,
    p.updated_at,
    p.meta,
    p.settings
FROM specify.projects AS p
WHERE
    (:owner_id::bigint IS NULL OR p.owner_id = :owner_id::bigint)
    AND (:is_active::boolean IS NULL OR p.is_active = :is_active::boolean)
ORDER BY p.id
LIMIT :row_limit::bigint OFFSET :row_offset::bigint;

-- name: project_page(row_order, row_limit, row_offset)
-- A page of projects in one of several orders, each row behind the number of all; beyond the end a row without project.
-- plan: custom
-- example: row_order='id', row_limit=20, row_offset=0
SELECT
    t.total,
    p.id,
    p.name,
    p.slug,
    p.description,
    p.owner_id,
    p.path,
    p.repository_url,
    p.is_active,
    p.created_at,
    p.updated_at,
    p.meta,
    p.settings
FROM (
    SELECT count(*) AS total
    FROM specify.projects
) AS t
LEFT JOIN (
    (
        SELECT
            p.id,
            row_number() OVER (ORDER BY p.id) AS place
        FROM specify.projects AS p
        WHERE :row_order::text = 'id'
        ORDER BY p.id
        LIMIT :row_limit::bigint OFFSET :row_offset::bigint
    )
    UNION ALL
    (
        SELECT
            p.id,
            row_number() OVER (ORDER BY p.id DESC) AS place
        FROM specify.projects AS p
        WHERE :row_order::text = '-id'
        ORDER BY p.id DESC
        LIMIT :row_limit::bigint OFFSET :row_offset::bigint
    )
    UNION ALL
    (
        SELECT
            p.id,
            row_number() OVER (ORDER BY p.updated_at DESC, p.id DESC) AS place
        FROM specify.projects AS p
        WHERE :row_order::text = '-updated_at'
        ORDER BY p.updated_at DESC, p.id DESC
        LIMIT :row_limit::bigint OFFSET :row_offset::bigint
    )
) AS o ON true
LEFT JOIN specify.projects AS p ON o.id = p.id
ORDER BY o.place;

-- name: project_recent(days, row_limit)
-- The projects that were changed within so many days, the latest first.
SELECT
    p.id,
    p.name,
    p.slug,
    p.description,
    p.owner_id,
    p.path,
    p.repository_url,
    p.is_active,
    p.created_at,
    p.updated_at,
    p.meta,
    p.settings
FROM specify.projects AS p
WHERE p.updated_at >= CURRENT_TIMESTAMP - make_interval(days => :days::int4)
ORDER BY p.updated_at DESC, p.id DESC
LIMIT :row_limit::bigint;

-- name: project_search(query, pattern, owner_id, row_limit)
-- Projects with a text in their name or description: the name itself first, then names that begin so.
-- plan: custom
-- example: query='api', pattern='%api%', owner_id=7, row_limit=10
-- example: query='api', pattern='%api%', owner_id=null, row_limit=10
-- accept: BIG-SORT of what a short text matches; migrations/specify_trgm finds longer ones
-- accept: SEQ-SCAN a substring has no index here; migrations/specify_trgm gives it one
SELECT
    p.id,
    p.name,
    p.slug,
    p.description,
    p.owner_id,
    p.path,
    p.repository_url,
    p.is_active,
    p.created_at,
    p.updated_at,
    p.meta,
    p.settings
FROM specify.projects AS p
WHERE
    (:owner_id::bigint IS NULL OR p.owner_id = :owner_id::bigint)
    AND (p.name ILIKE :pattern::text OR p.description ILIKE :pattern::text)
ORDER BY
    lower(p.name) = lower(:query::text) DESC,
    starts_with(lower(p.name), lower(:query::text)) DESC,
    p.id
LIMIT :row_limit::bigint;

-- name: project_update(documents)
-- Updates projects by id, each by a JSON object of an array; a key that it lacks is a column that stays.
-- By ascending id, so that two such updates wait for each other and do not deadlock.
-- accept: NOT-HOT where no indexed value differs, the update is one all the same
UPDATE specify.projects AS p
SET
    name = CASE WHEN d.doc ? 'name' THEN d.doc ->> 'name' ELSE p.name END,
    slug = CASE WHEN d.doc ? 'slug' THEN d.doc ->> 'slug' ELSE p.slug END,
    description = CASE WHEN d.doc ? 'description' THEN d.doc ->> 'description' ELSE p.description END,
    owner_id = CASE WHEN d.doc ? 'owner_id' THEN (d.doc ->> 'owner_id')::bigint ELSE p.owner_id END,
    path = CASE WHEN d.doc ? 'path' THEN d.doc ->> 'path' ELSE p.path END,
    repository_url = CASE WHEN d.doc ? 'repository_url' THEN d.doc ->> 'repository_url' ELSE p.repository_url END,
    is_active = CASE WHEN d.doc ? 'is_active' THEN (d.doc ->> 'is_active')::boolean ELSE p.is_active END,
    meta = CASE WHEN d.doc ? 'meta' THEN d.doc -> 'meta' ELSE p.meta END,
    settings = CASE WHEN d.doc ? 'settings' THEN d.doc -> 'settings' ELSE p.settings END,
    updated_at = CURRENT_TIMESTAMP
FROM (
    SELECT
        l.id,
        e.doc
    FROM jsonb_array_elements(:documents::jsonb) AS e (doc)
    INNER JOIN specify.projects AS l ON l.id = (e.doc ->> 'id')::bigint
    ORDER BY l.id
    FOR NO KEY UPDATE OF l
) AS d
WHERE p.id = d.id
RETURNING
    p.id,
    p.name,
    p.slug,
    p.description,
    p.owner_id,
    p.path,
    p.repository_url,
    p.is_active,
    p.created_at,
    p.updated_at,
    p.meta,
    p.settings;
