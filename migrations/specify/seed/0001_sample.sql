-- A user with a project, three commands, a metric of each and a specification, for a laptop or a test server.
-- No password matches this hash, and the user has no API key. What exists is left unchanged.
INSERT INTO specify.users (username, username_key, email, email_key, full_name, password_hash)
VALUES ('sample', 'sample', 'sample@example.com', 'sample@example.com', 'Sample User', '!')
ON CONFLICT DO NOTHING;

INSERT INTO specify.projects (name, slug, description, owner_id)
SELECT
    'Surf API' AS name,
    'surf-api' AS slug,
    'Waves and wind, for surfers' AS description,
    u.id AS owner_id
FROM specify.users AS u
WHERE u.username_key = 'sample'
ON CONFLICT DO NOTHING;

INSERT INTO specify.commands (
    command_id, name, args, user_id, project_id, status, started_at, completed_at, exit_code
)
SELECT
    s.command_id::uuid AS command_id,
    s.name,
    s.args,
    p.owner_id AS user_id,
    p.id AS project_id,
    s.status,
    CURRENT_TIMESTAMP - s.ago::interval AS started_at,
    CURRENT_TIMESTAMP - s.ago::interval + s.taken::interval AS completed_at,
    s.exit_code
FROM (
    VALUES
    ('5eed0000-0000-4000-8000-000000000001', 'specify init', '--here', 'success', '2 days', '1.5 seconds', 0),
    ('5eed0000-0000-4000-8000-000000000002', 'specify check', 'api.ttl', 'failed', '1 day', '0.4 seconds', 2),
    ('5eed0000-0000-4000-8000-000000000003', 'specify check', 'api.ttl', 'success', '1 hour', '0.6 seconds', 0)
) AS s (command_id, name, args, status, ago, taken, exit_code)
CROSS JOIN specify.projects AS p
WHERE p.slug = 'surf-api'
ON CONFLICT DO NOTHING;

INSERT INTO specify.performance_metrics (name, type, value, unit, command_id, project_id, timestamp)
SELECT
    'execution_time' AS name,
    'timer' AS type,
    c.duration_ms AS value,
    'ms' AS unit,
    c.id AS command_id,
    c.project_id,
    c.completed_at AS timestamp
FROM specify.commands AS c
WHERE
    c.command_id::text LIKE '5eed0000-0000-4000-8000-%'
    AND NOT EXISTS (
        SELECT FROM specify.performance_metrics AS pm
        WHERE pm.command_id = c.id
    );

INSERT INTO specify.rdf_contents (content_hash, content)
SELECT
    encode(sha256(convert_to(s.content, 'UTF8')), 'hex') AS content_hash,
    s.content
FROM (VALUES ('@prefix ex: <https://example.com/> . ex:wave a ex:Ocean .')) AS s (content)
ON CONFLICT DO NOTHING;

INSERT INTO specify.rdf_specifications (project_id, file_path, content_hash, triple_count)
SELECT
    p.id AS project_id,
    'specs/wave.ttl' AS file_path,
    c.content_hash,
    1 AS triple_count
FROM specify.projects AS p
CROSS JOIN specify.rdf_contents AS c
WHERE p.slug = 'surf-api' AND c.content LIKE '@prefix ex: <https://example.com/> . ex:wave %'
ON CONFLICT DO NOTHING;
