-- In place of the extension, which no embedded server has: what sql/kernel/cluster asks of it.
CREATE TABLE pg_dist_local_group (groupid int4 NOT NULL PRIMARY KEY);
CREATE TABLE pg_dist_node (
    nodeid int4 NOT NULL PRIMARY KEY,
    groupid int4 NOT NULL,
    nodename text NOT NULL,
    nodeport int4 NOT NULL,
    isactive boolean NOT NULL,
    shouldhaveshards boolean NOT NULL
);
CREATE TABLE pg_dist_partition (
    logicalrelid regclass NOT NULL PRIMARY KEY,
    partmethod "char" NOT NULL,
    partkey text,
    colocationid int4 NOT NULL,
    repmodel "char" NOT NULL
);
CREATE FUNCTION citus_add_local_table_to_metadata(
    table_name regclass, cascade_via_foreign_keys boolean DEFAULT false
) RETURNS void LANGUAGE sql RETURN NULL;
CREATE FUNCTION column_to_column_name(table_name regclass, column_var_text text) RETURNS text
LANGUAGE sql STABLE RETURN NULL;
CREATE FUNCTION create_distributed_table(
    table_name regclass, distribution_column text, colocate_with text DEFAULT 'default'
) RETURNS void LANGUAGE sql RETURN NULL;
CREATE FUNCTION create_reference_table(table_name regclass) RETURNS void LANGUAGE sql RETURN NULL;
CREATE FUNCTION truncate_local_data_after_distributing_table(function_name regclass) RETURNS void
LANGUAGE sql RETURN NULL;
CREATE FUNCTION run_command_on_all_nodes(
    command text, parallel boolean DEFAULT true, give_warning_for_connection_errors boolean DEFAULT false, OUT nodeid int4, OUT success boolean, OUT result text
) RETURNS SETOF record LANGUAGE sql RETURN (NULL::int4, NULL::boolean, NULL::text);
