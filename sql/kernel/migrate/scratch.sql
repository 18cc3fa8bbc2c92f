-- Databases that a check makes for itself and drops at its end.

-- name: scratch_claim(database)^
-- Names the session after its database, so that others see that it is still in use. It has to write, though the
-- client's environment may say that its sessions only read.
-- session: keeps
SELECT
    set_config('application_name', :database::text, false) AS application_name,
    set_config('default_transaction_read_only', 'off', false) AS default_transaction_read_only;

-- name: scratch_configure(date_style, interval_style, search_path, time_zone)^
-- Makes a session read files as the database does that is checked. Files are UTF-8, whatever the client's locale is.
-- session: keeps
SELECT
    set_config('client_encoding', 'UTF8', false) AS client_encoding,
    set_config('datestyle', :date_style::text, false) AS date_style,
    set_config('default_transaction_read_only', 'off', false) AS default_transaction_read_only,
    set_config('intervalstyle', :interval_style::text, false) AS interval_style,
    set_config('search_path', :search_path::text, false) AS search_path,
    set_config('statement_timeout', '0', false) AS statement_timeout,
    set_config('timezone', :time_zone::text, false) AS time_zone;

-- name: scratch_environment()^
-- What decides how a session reads a migration: where names are looked for, and what times without a zone mean.
SELECT
    current_setting('datestyle') AS date_style,
    current_setting('intervalstyle') AS interval_style,
    current_setting('search_path') AS search_path,
    current_setting('timezone') AS time_zone;

-- name: scratch_extensions()
-- The extensions that can be created on this server.
SELECT pae.name::text AS extension
FROM pg_available_extensions AS pae
ORDER BY pae.name;

-- name: scratch_leftovers(prefix)
-- Our databases that no session claims or is connected to: what made them was killed.
SELECT pd.datname::text AS database
FROM pg_database AS pd
WHERE
    starts_with(pd.datname::text, :prefix::text)
    AND pg_has_role(pd.datdba, 'USAGE')
    AND NOT EXISTS (
        SELECT
        FROM pg_stat_activity AS psa
        WHERE psa.application_name = pd.datname::text OR psa.datid = pd.oid
    )
ORDER BY pd.datname;

-- name: scratch_roles()
-- The roles of this server, without PostgreSQL's own.
SELECT pr.rolname::text AS role
FROM pg_roles AS pr
WHERE NOT starts_with(pr.rolname::text, 'pg_')
ORDER BY pr.rolname;
