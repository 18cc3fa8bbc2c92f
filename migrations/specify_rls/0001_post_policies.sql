-- Why: several tenants in one database. A session of the role surf_specify_tenant sees and writes the projects of one
-- user, and what belongs to them; services and readers go on as before. The user is set for each transaction:
-- SELECT set_config('surf_data.user_id', '7', true). Without it a tenant sees nothing.
-- A folder and a history of its own, for those who want it: surf-data migrate --folder migrations/specify_rls up.
-- What a tenant may learn of others: that a slug is taken. Bulk creation by COPY is refused by the server for tenants.
-- Locks: ACCESS EXCLUSIVE on each table until commit; nothing is scanned. Milliseconds at any size.

-- migrate:up
DO $$
DECLARE
    name text;
BEGIN
    IF to_regrole('surf_specify_tenant') IS NULL THEN
        CREATE ROLE surf_specify_tenant;
    END IF;
    EXECUTE 'GRANT USAGE ON SCHEMA specify TO surf_specify_tenant';
    EXECUTE 'GRANT USAGE ON ALL SEQUENCES IN SCHEMA specify TO surf_specify_tenant';
    EXECUTE 'GRANT SELECT, INSERT, UPDATE, DELETE ON specify.projects, specify.commands, specify.rdf_specifications, '
        'specify.configurations TO surf_specify_tenant';
    EXECUTE 'GRANT SELECT, INSERT ON specify.performance_metrics, specify.telemetry_events TO surf_specify_tenant';
    FOREACH name IN ARRAY ARRAY[
        'projects', 'commands', 'rdf_specifications', 'configurations', 'performance_metrics', 'telemetry_events'
    ] LOOP
        EXECUTE format('ALTER TABLE specify.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY service ON specify.%I TO surf_specify_app, surf_specify_read USING (true) WITH CHECK (true)',
            name
        );
    END LOOP;
END
$$;

CREATE POLICY tenant ON specify.projects TO surf_specify_tenant
USING (owner_id = nullif(current_setting('surf_data.user_id', true), '')::bigint)
WITH CHECK (owner_id = nullif(current_setting('surf_data.user_id', true), '')::bigint);
-- The policy of projects counts within these, too.
CREATE POLICY tenant ON specify.commands TO surf_specify_tenant
USING (project_id IN (SELECT p.id FROM specify.projects AS p))
WITH CHECK (project_id IN (SELECT p.id FROM specify.projects AS p));
CREATE POLICY tenant ON specify.rdf_specifications TO surf_specify_tenant
USING (project_id IN (SELECT p.id FROM specify.projects AS p))
WITH CHECK (project_id IN (SELECT p.id FROM specify.projects AS p));
CREATE POLICY tenant ON specify.configurations TO surf_specify_tenant
USING (project_id IN (SELECT p.id FROM specify.projects AS p))
WITH CHECK (project_id IN (SELECT p.id FROM specify.projects AS p));
CREATE POLICY tenant ON specify.performance_metrics TO surf_specify_tenant
USING (project_id IN (SELECT p.id FROM specify.projects AS p))
WITH CHECK (project_id IN (SELECT p.id FROM specify.projects AS p));
-- A span belongs to a project by its command.
CREATE POLICY tenant ON specify.telemetry_events TO surf_specify_tenant
USING (command_id IN (SELECT c.id FROM specify.commands AS c))
WITH CHECK (command_id IN (SELECT c.id FROM specify.commands AS c));

-- migrate:down
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'projects', 'commands', 'rdf_specifications', 'configurations', 'performance_metrics', 'telemetry_events'
    ] LOOP
        EXECUTE format('DROP POLICY tenant ON specify.%I', name);
        EXECUTE format('DROP POLICY service ON specify.%I', name);
        EXECUTE format('ALTER TABLE specify.%I DISABLE ROW LEVEL SECURITY', name);
        EXECUTE format('REVOKE ALL ON specify.%I FROM surf_specify_tenant', name);
    END LOOP;
    EXECUTE 'REVOKE ALL ON ALL SEQUENCES IN SCHEMA specify FROM surf_specify_tenant';
    EXECUTE 'REVOKE ALL ON SCHEMA specify FROM surf_specify_tenant';
END
$$;
