-- RDF specifications, and their contents, each text once.

-- name: specification_all(row_limit, row_offset)
-- All specifications by id, a stretch of them.
-- plan: custom
-- example: row_limit=100, row_offset=0
SELECT
    s.id,
    s.spec_id,
    s.project_id,
    s.file_path,
    s.content_hash,
    s.format,
    s.triple_count,
    s.valid,
    s.validation_errors,
    s.created_at,
    s.updated_at,
    s.meta
FROM specify.rdf_specifications AS s
ORDER BY s.id
LIMIT :row_limit::bigint OFFSET :row_offset::bigint;

-- name: specification_by_hash(content_hash)
-- The specifications that have this content.
SELECT
    s.id,
    s.spec_id,
    s.project_id,
    s.file_path,
    s.content_hash,
    s.format,
    s.triple_count,
    s.valid,
    s.validation_errors,
    s.created_at,
    s.updated_at,
    s.meta
FROM specify.rdf_specifications AS s
WHERE s.content_hash = :content_hash::text
ORDER BY s.id
LIMIT 10000;

-- name: specification_by_id(row_id)^
-- A specification by its id.
SELECT
    s.id,
    s.spec_id,
    s.project_id,
    s.file_path,
    s.content_hash,
    s.format,
    s.triple_count,
    s.valid,
    s.validation_errors,
    s.created_at,
    s.updated_at,
    s.meta
FROM specify.rdf_specifications AS s
WHERE s.id = :row_id::bigint;

-- name: specification_content(row_id)^
-- The hash that a specification has, and its content where that is stored.
SELECT
    s.content_hash,
    c.content
FROM specify.rdf_specifications AS s
LEFT JOIN specify.rdf_contents AS c ON s.content_hash = c.content_hash
WHERE s.id = :row_id::bigint;

-- name: specification_content_store(content_hash, content)!
-- Stores a content, once. One that is there already is marked as stored just now; see specification_contents_clean.
INSERT INTO specify.rdf_contents AS c (content_hash, content)
VALUES (:content_hash::text, :content::text)
ON CONFLICT (
    content_hash) DO UPDATE SET stored_at = CURRENT_TIMESTAMP
WHERE c.stored_at < CURRENT_TIMESTAMP - interval '10 minutes';

-- name: specification_contents_clean(hours, batch)!
-- Deletes contents that no specification has, unless they were stored just now, by one that is about to have them.
-- accept: SEQ-SCAN done once a day
DELETE FROM specify.rdf_contents AS c
WHERE c.content_hash = ANY(
        ARRAY(
            SELECT e.content_hash
            FROM specify.rdf_contents AS e
            WHERE
                e.stored_at < CURRENT_TIMESTAMP - make_interval(hours => :hours::int4)
                AND NOT EXISTS (
                    SELECT FROM specify.rdf_specifications AS s
                    WHERE s.content_hash = e.content_hash
                )
            LIMIT :batch::bigint
            FOR UPDATE SKIP LOCKED
        )
    );

-- name: specification_count()$
-- How many specifications there are.
SELECT count(*) AS total
FROM specify.rdf_specifications;

-- name: specification_delete(row_id)!
-- Deletes a specification.
DELETE FROM specify.rdf_specifications AS s
WHERE s.id = :row_id::bigint;

-- name: specification_find(query, project_id, row_limit)
-- Specifications by words in their stored content, the best match first, of the 2,000 newest that match.
-- plan: custom
-- example: query='waves', project_id=7, row_limit=20
-- example: query='waves', project_id=null, row_limit=20
WITH hit AS MATERIALIZED (
    SELECT
        s.id,
        c.search
    FROM specify.rdf_contents AS c
    INNER JOIN specify.rdf_specifications AS s ON c.content_hash = s.content_hash
    WHERE
        c.search @@ websearch_to_tsquery('pg_catalog.english', :query::text)
        AND (:project_id::bigint IS NULL OR s.project_id = :project_id::bigint)
    ORDER BY s.id DESC
    LIMIT 2000
)

SELECT
    s.id,
    s.spec_id,
    s.project_id,
    s.file_path,
    s.content_hash,
    s.format,
    s.triple_count,
    s.valid,
    s.validation_errors,
    s.created_at,
    s.updated_at,
    s.meta
FROM hit AS h
INNER JOIN specify.rdf_specifications AS s ON h.id = s.id
ORDER BY ts_rank_cd(h.search, websearch_to_tsquery('pg_catalog.english', :query::text)) DESC, s.id DESC
LIMIT :row_limit::bigint;

-- name: specification_insert(documents)
-- Inserts specifications, given as a JSON array of objects; leaves out those whose unique keys are taken.
INSERT INTO specify.rdf_specifications (
    id, spec_id, project_id, file_path, content_hash, format, triple_count, valid, validation_errors, meta
)
SELECT
    coalesce(r.id, nextval('specify.rdf_specifications_id_seq')) AS id,
    coalesce(r.spec_id, gen_random_uuid()) AS spec_id,
    r.project_id,
    r.file_path,
    r.content_hash,
    r.format,
    r.triple_count,
    r.valid,
    r.validation_errors,
    r.meta
FROM jsonb_to_recordset(:documents::jsonb) AS r (
        id bigint,
        spec_id uuid,
        project_id bigint,
        file_path text,
        content_hash text,
        format text,
        triple_count bigint,
        valid boolean,
        validation_errors text,
        meta jsonb
    )
ON CONFLICT DO NOTHING
RETURNING
    id,
    spec_id,
    project_id,
    file_path,
    content_hash,
    format,
    triple_count,
    valid,
    validation_errors,
    created_at,
    updated_at,
    meta;

-- name: specification_invalid(row_limit)
-- The specifications that are not valid.
SELECT
    s.id,
    s.spec_id,
    s.project_id,
    s.file_path,
    s.content_hash,
    s.format,
    s.triple_count,
    s.valid,
    s.validation_errors,
    s.created_at,
    s.updated_at,
    s.meta
FROM specify.rdf_specifications AS s
WHERE NOT s.valid
ORDER BY s.id
LIMIT :row_limit::bigint;

-- name: specification_of_project(project_id, row_limit)
-- The specifications of a project, the latest first.
SELECT
    s.id,
    s.spec_id,
    s.project_id,
    s.file_path,
    s.content_hash,
    s.format,
    s.triple_count,
    s.valid,
    s.validation_errors,
    s.created_at,
    s.updated_at,
    s.meta
FROM specify.rdf_specifications AS s
WHERE s.project_id = :project_id::bigint
ORDER BY s.updated_at DESC, s.id DESC
LIMIT :row_limit::bigint;

-- name: specification_page(row_order, row_limit, row_offset)
-- A page of specifications in one of several orders, each row behind the number of all; beyond the end a row without specification.
-- plan: custom
-- example: row_order='id', row_limit=20, row_offset=0
SELECT
    t.total,
    s.id,
    s.spec_id,
    s.project_id,
    s.file_path,
    s.content_hash,
    s.format,
    s.triple_count,
    s.valid,
    s.validation_errors,
    s.created_at,
    s.updated_at,
    s.meta
FROM (
    SELECT count(*) AS total
    FROM specify.rdf_specifications
) AS t
LEFT JOIN (
    (
        SELECT
            s.id,
            row_number() OVER (ORDER BY s.id) AS place
        FROM specify.rdf_specifications AS s
        WHERE :row_order::text = 'id'
        ORDER BY s.id
        LIMIT :row_limit::bigint OFFSET :row_offset::bigint
    )
    UNION ALL
    (
        SELECT
            s.id,
            row_number() OVER (ORDER BY s.id DESC) AS place
        FROM specify.rdf_specifications AS s
        WHERE :row_order::text = '-id'
        ORDER BY s.id DESC
        LIMIT :row_limit::bigint OFFSET :row_offset::bigint
    )
) AS o ON true
LEFT JOIN specify.rdf_specifications AS s ON o.id = s.id
ORDER BY o.place;

-- name: specification_update(documents)
-- Updates specifications by id, each by a JSON object of an array; a key that it lacks is a column that stays.
-- By ascending id, so that two such updates wait for each other and do not deadlock.
-- accept: NOT-HOT where no indexed value differs, the update is one all the same
UPDATE specify.rdf_specifications AS s
SET
    spec_id = CASE WHEN d.doc ? 'spec_id' THEN (d.doc ->> 'spec_id')::uuid ELSE s.spec_id END,
    project_id = CASE WHEN d.doc ? 'project_id' THEN (d.doc ->> 'project_id')::bigint ELSE s.project_id END,
    file_path = CASE WHEN d.doc ? 'file_path' THEN d.doc ->> 'file_path' ELSE s.file_path END,
    content_hash = CASE WHEN d.doc ? 'content_hash' THEN d.doc ->> 'content_hash' ELSE s.content_hash END,
    format = CASE WHEN d.doc ? 'format' THEN d.doc ->> 'format' ELSE s.format END,
    triple_count = CASE WHEN d.doc ? 'triple_count' THEN (d.doc ->> 'triple_count')::bigint ELSE s.triple_count END,
    valid = CASE WHEN d.doc ? 'valid' THEN (d.doc ->> 'valid')::boolean ELSE s.valid END,
    validation_errors
    = CASE WHEN d.doc ? 'validation_errors' THEN d.doc ->> 'validation_errors' ELSE s.validation_errors END,
    meta = CASE WHEN d.doc ? 'meta' THEN d.doc -> 'meta' ELSE s.meta END,
    updated_at = CURRENT_TIMESTAMP
FROM (
    SELECT
        l.id,
        e.doc
    FROM jsonb_array_elements(:documents::jsonb) AS e (doc)
    INNER JOIN specify.rdf_specifications AS l ON l.id = (e.doc ->> 'id')::bigint
    ORDER BY l.id
    FOR NO KEY UPDATE OF l
) AS d
WHERE s.id = d.id
RETURNING
    s.id,
    s.spec_id,
    s.project_id,
    s.file_path,
    s.content_hash,
    s.format,
    s.triple_count,
    s.valid,
    s.validation_errors,
    s.created_at,
    s.updated_at,
    s.meta;
