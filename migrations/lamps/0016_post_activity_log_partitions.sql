-- Why: an activity log in partitions by time. A month that has expired is dropped in milliseconds and leaves no bloat,
-- and the indexes that entries are inserted into stay as small as a month. Why months: docs/design-notes.md.
-- The table that there is becomes the first partition, unchanged; no row is moved or read. Months follow, and a
-- default partition, which takes rows without a partition of their own. `surf-data maintain` creates the next ones.
-- What is on the table goes with its name: columns, constraints, indexes, triggers, policies, comments, rights. What
-- cannot go with it (a view, a publication, a foreign key of another table) stops the run and is named.
-- No role may use a partition except through the table: row security would be bypassed.
-- Locks: ACCESS EXCLUSIVE on lamp_registry and activity_log until commit; nothing is scanned: 0015 has proved what
-- would have to be. About a tenth of a second at any size. The lamps come first: so do they in a change of a lamp that
-- is logged.

-- migrate:up
-- 0015 has done this; after a way down it is to be done again.
ALTER TABLE activity_log VALIDATE CONSTRAINT activity_log_before_partitions;

LOCK TABLE lamp_registry IN ACCESS EXCLUSIVE MODE;
LOCK TABLE activity_log IN ACCESS EXCLUSIVE MODE;

DO $$
DECLARE
    log CONSTANT oid := 'activity_log'::regclass;
    hindrance text;
    boundary timestamptz;
    triggers text[];
    policies text[];
    indexes text[];
    command text;
    name text;
BEGIN
    PERFORM set_config('timezone', 'UTC', true);

    SELECT string_agg(DISTINCT pg_describe_object(pd.classid, pd.objid, 0), ', ') INTO hindrance
    FROM pg_depend AS pd
    WHERE
        pd.refobjid IN (log, (SELECT pc.reltype FROM pg_class AS pc WHERE pc.oid = log))
        AND (
            pd.classid IN ('pg_rewrite'::regclass, 'pg_publication_rel'::regclass, 'pg_proc'::regclass)
            OR pd.classid = 'pg_policy'::regclass
            AND EXISTS (SELECT FROM pg_policy AS pp WHERE pp.oid = pd.objid AND pp.polrelid <> log)
            OR pd.classid = 'pg_constraint'::regclass
            AND EXISTS (SELECT FROM pg_constraint AS pk WHERE pk.oid = pd.objid AND pk.conrelid <> log)
        );
    IF hindrance IS NOT NULL THEN
        RAISE EXCEPTION 'on activity_log there is what would stay behind: %', hindrance
            USING HINT = 'Drop it, run the migration again, and make it again, on the table of partitions.';
    END IF;

    -- An empty log needs no partition for the weeks until the month that 0015 has chosen.
    boundary := CASE
        WHEN pg_relation_size(log) > 0
            THEN (
                SELECT substring(pg_get_constraintdef(pk.oid) FROM '''([^'']+)''')::timestamptz
                FROM pg_constraint AS pk
                WHERE pk.conrelid = log AND pk.conname = 'activity_log_before_partitions'
            )
        ELSE date_trunc('month', CURRENT_TIMESTAMP AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
    END;

    -- Said now, while the table has its name: so they fit the new one.
    triggers := ARRAY(
        SELECT t.command
        FROM
            pg_trigger AS pt,
            LATERAL (
                VALUES
                (pg_get_triggerdef(pt.oid)),
                (
                    format(
                        'ALTER TABLE activity_log %s TRIGGER %I',
                        CASE pt.tgenabled
                            WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS'
                        END,
                        pt.tgname
                    )
                )
            ) AS t (command)
        WHERE
            pt.tgrelid = log AND NOT pt.tgisinternal
            AND (pt.tgenabled <> 'O' OR starts_with(t.command, 'CREATE'))
        ORDER BY pt.tgname, t.command DESC
    );
    policies := ARRAY(
        SELECT
            format(
                'CREATE POLICY %I ON activity_log AS %s FOR %s TO %s%s%s',
                pp.polname,
                CASE WHEN pp.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                CASE pp.polcmd
                    WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL'
                END,
                (
                    SELECT
                        string_agg(
                            CASE u.role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(u.role)) END, ', '
                        )
                    FROM unnest(pp.polroles) AS u (role)
                ),
                ' USING (' || pg_get_expr(pp.polqual, pp.polrelid) || ')',
                ' WITH CHECK (' || pg_get_expr(pp.polwithcheck, pp.polrelid) || ')'
            )
        FROM pg_policy AS pp
        WHERE pp.polrelid = log
        UNION ALL
        SELECT s.command
        FROM
            pg_class AS pc,
            LATERAL (
                VALUES
                (pc.relrowsecurity, 'ALTER TABLE activity_log ENABLE ROW LEVEL SECURITY'),
                (pc.relforcerowsecurity, 'ALTER TABLE activity_log FORCE ROW LEVEL SECURITY')
            ) AS s (is_set, command)
        WHERE pc.oid = log AND s.is_set
    );
    indexes := ARRAY(
        SELECT pg_get_indexdef(pi.indexrelid)
        FROM pg_index AS pi
        INNER JOIN pg_class AS pc ON pi.indexrelid = pc.oid
        WHERE pi.indrelid = log AND pi.indisvalid AND NOT pi.indisprimary
        ORDER BY pc.relname
    );
    FOR name IN
        SELECT pt.tgname
        FROM pg_trigger AS pt
        WHERE pt.tgrelid = log AND NOT pt.tgisinternal
    LOOP
        EXECUTE format('DROP TRIGGER %I ON activity_log', name);
    END LOOP;
    FOR name IN
        SELECT pp.polname
        FROM pg_policy AS pp
        WHERE pp.polrelid = log
    LOOP
        EXECUTE format('DROP POLICY %I ON activity_log', name);
    END LOOP;
    ALTER TABLE activity_log DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
    FOR name IN
        SELECT pc.relname
        FROM pg_index AS pi
        INNER JOIN pg_class AS pc ON pi.indexrelid = pc.oid
        WHERE pi.indrelid = log
    LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', name, left(name, 50) || '_first');
    END LOOP;

    ALTER TABLE activity_log RENAME TO activity_log_first;
    CREATE TABLE activity_log (LIKE activity_log_first INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE (created_at);
    ALTER TABLE activity_log
        DROP CONSTRAINT activity_log_before_partitions,
        ADD CONSTRAINT activity_log_pkey PRIMARY KEY (id, created_at),
        ADD CONSTRAINT activity_log_lamp_id_fkey
        FOREIGN KEY (lamp_id) REFERENCES lamp_registry (lamp_id) ON DELETE SET NULL;
    FOREACH command IN ARRAY indexes || triggers || policies LOOP
        EXECUTE command;
    END LOOP;
    EXECUTE format('COMMENT ON TABLE activity_log IS %L', obj_description(log, 'pg_class'));

    EXECUTE format(
        'ALTER TABLE activity_log ATTACH PARTITION activity_log_first FOR VALUES FROM (MINVALUE) TO (%L)', boundary
    );
    ALTER TABLE activity_log_first DROP CONSTRAINT activity_log_before_partitions;
    EXECUTE format('ALTER TABLE activity_log_first RENAME TO %I', to_char(boundary, '"activity_log_before_"YYYY_MM'));
    FOR month IN 0..3 LOOP
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF activity_log FOR VALUES FROM (%L) TO (%L)',
            to_char(boundary + make_interval(months => month), '"activity_log_"YYYY_MM'),
            boundary + make_interval(months => month),
            boundary + make_interval(months => month + 1)
        );
    END LOOP;
    CREATE TABLE activity_log_default PARTITION OF activity_log DEFAULT;

    -- Rights of the table, then rights of columns; the owner's own are nothing that could be granted.
    FOR command, name IN
        SELECT
            format(
                'GRANT %s%s ON activity_log TO %s%s',
                ae.privilege_type,
                ' (' || quote_ident(g.attname) || ')',
                CASE ae.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(ae.grantee)) END,
                CASE WHEN ae.is_grantable THEN ' WITH GRANT OPTION' END
            ),
            CASE ae.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(ae.grantee)) END
        FROM (
            SELECT NULL::name AS attname, pc.relacl AS acl, pc.relowner
            FROM pg_class AS pc
            WHERE pc.oid = log
            UNION ALL
            SELECT pa.attname, pa.attacl, pc.relowner
            FROM pg_attribute AS pa
            INNER JOIN pg_class AS pc ON pa.attrelid = pc.oid
            WHERE pc.oid = log
        ) AS g,
            LATERAL aclexplode(g.acl) AS ae
        WHERE ae.grantee <> g.relowner
    LOOP
        EXECUTE command;
        EXECUTE format('REVOKE ALL ON %s FROM %s', log::regclass, name);
    END LOOP;
    FOR name IN SELECT tree.relid::regclass FROM pg_partition_tree('activity_log') AS tree LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO surf_lamp_owner', name);
    END LOOP;
    ALTER SEQUENCE activity_log_id_seq OWNED BY activity_log.id;
END
$$;

-- migrate:down
-- The largest partition becomes the table again; the rows of the others are moved into it, which may take long.
LOCK TABLE lamp_registry IN ACCESS EXCLUSIVE MODE;
LOCK TABLE activity_log IN ACCESS EXCLUSIVE MODE;

DO $$
DECLARE
    log CONSTANT oid := 'activity_log'::regclass;
    today CONSTANT timestamp := CURRENT_TIMESTAMP AT TIME ZONE 'UTC';
    boundary CONSTANT timestamptz :=
        (date_trunc('month', today + interval '14 days') + interval '1 month') AT TIME ZONE 'UTC';
    largest regclass;
    triggers text[];
    policies text[];
    renames text[];
    command text;
    name text;
BEGIN
    PERFORM set_config('timezone', 'UTC', true);
    SELECT tree.relid INTO largest
    FROM pg_partition_tree('activity_log') AS tree
    WHERE tree.isleaf
    ORDER BY pg_relation_size(tree.relid) DESC, tree.relid
    LIMIT 1;
    triggers := ARRAY(
        SELECT t.command
        FROM
            pg_trigger AS pt,
            LATERAL (
                VALUES
                (pg_get_triggerdef(pt.oid)),
                (
                    format(
                        'ALTER TABLE activity_log %s TRIGGER %I',
                        CASE pt.tgenabled
                            WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS'
                        END,
                        pt.tgname
                    )
                )
            ) AS t (command)
        WHERE
            pt.tgrelid = log AND NOT pt.tgisinternal
            AND (pt.tgenabled <> 'O' OR starts_with(t.command, 'CREATE'))
        ORDER BY pt.tgname, t.command DESC
    );
    policies := ARRAY(
        SELECT
            format(
                'CREATE POLICY %I ON activity_log AS %s FOR %s TO %s%s%s',
                pp.polname,
                CASE WHEN pp.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                CASE pp.polcmd
                    WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL'
                END,
                (
                    SELECT
                        string_agg(
                            CASE u.role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(u.role)) END, ', '
                        )
                    FROM unnest(pp.polroles) AS u (role)
                ),
                ' USING (' || pg_get_expr(pp.polqual, pp.polrelid) || ')',
                ' WITH CHECK (' || pg_get_expr(pp.polwithcheck, pp.polrelid) || ')'
            )
        FROM pg_policy AS pp
        WHERE pp.polrelid = log
        UNION ALL
        SELECT s.command
        FROM
            pg_class AS pc,
            LATERAL (
                VALUES
                (pc.relrowsecurity, 'ALTER TABLE activity_log ENABLE ROW LEVEL SECURITY'),
                (pc.relforcerowsecurity, 'ALTER TABLE activity_log FORCE ROW LEVEL SECURITY')
            ) AS s (is_set, command)
        WHERE pc.oid = log AND s.is_set
    );
    renames := ARRAY(
        SELECT format('ALTER INDEX %s RENAME TO %I', pi.indexrelid::regclass, pc.relname)
        FROM pg_index AS pi
        INNER JOIN pg_inherits AS pin ON pi.indexrelid = pin.inhrelid
        INNER JOIN pg_class AS pc ON pin.inhparent = pc.oid
        WHERE pi.indrelid = largest
        ORDER BY pc.relname
    );
    FOR command IN
        SELECT
            format(
                'GRANT %s%s ON %s TO %s%s',
                ae.privilege_type,
                ' (' || quote_ident(g.attname) || ')',
                largest,
                CASE ae.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(ae.grantee)) END,
                CASE WHEN ae.is_grantable THEN ' WITH GRANT OPTION' END
            )
        FROM (
            SELECT NULL::name AS attname, pc.relacl AS acl, pc.relowner
            FROM pg_class AS pc
            WHERE pc.oid = log
            UNION ALL
            SELECT pa.attname, pa.attacl, pc.relowner
            FROM pg_attribute AS pa
            INNER JOIN pg_class AS pc ON pa.attrelid = pc.oid
            WHERE pc.oid = log
        ) AS g,
            LATERAL aclexplode(g.acl) AS ae
        WHERE ae.grantee <> g.relowner
    LOOP
        EXECUTE command;
    END LOOP;
    EXECUTE format('ALTER TABLE activity_log DETACH PARTITION %s', largest);
    EXECUTE format('INSERT INTO %s SELECT * FROM activity_log', largest);
    EXECUTE format('ALTER SEQUENCE activity_log_id_seq OWNED BY %s.id', largest);
    EXECUTE format('COMMENT ON TABLE %s IS %L', largest, obj_description(log, 'pg_class'));
    DROP TABLE activity_log;
    EXECUTE format('ALTER TABLE %s RENAME TO activity_log', largest);
    FOREACH command IN ARRAY renames || triggers || policies LOOP
        EXECUTE command;
    END LOOP;
    EXECUTE format(
        'ALTER TABLE activity_log ADD CONSTRAINT activity_log_before_partitions CHECK (created_at < %L) NOT VALID',
        boundary
    );
END
$$;
