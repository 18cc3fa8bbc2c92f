-- A user with a project and its first code, and an administrator, for a laptop or a test server. What exists is left as
-- it is. Neither can sign in with a password: there is no hash.
INSERT INTO screenshot.users (id, email, email_key, first_name, last_name, role) VALUES
('01980000-0000-7000-8000-000000000001', 'sample@example.com', 'sample@example.com', 'Sample', 'User', 'user'),
('01980000-0000-7000-8000-000000000002', 'admin@example.com', 'admin@example.com', 'Sample', 'Admin', 'admin')
ON CONFLICT DO NOTHING;

INSERT INTO screenshot.projects (id, name, description, tags, user_id, code_versions)
SELECT
    '01980000-0000-7000-8000-000000000011',
    'My Website',
    'A beautiful website',
    ARRAY['sample'],
    u.id,
    1
FROM screenshot.users AS u
WHERE u.email_key = 'sample@example.com'
ON CONFLICT DO NOTHING;

INSERT INTO screenshot.generated_codes (id, code, provider, model, status, version, project_id, completed_at)
SELECT
    '01980000-0000-7000-8000-000000000021',
    '<!doctype html><title>My Website</title>',
    'claude',
    'sample',
    'completed',
    1,
    p.id,
    CURRENT_TIMESTAMP
FROM screenshot.projects AS p
WHERE p.id = '01980000-0000-7000-8000-000000000011'
ON CONFLICT DO NOTHING;
