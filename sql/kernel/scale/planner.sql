-- The settings by which the planner compares plans.

-- name: planner_setting_list()
-- The settings that decide which plan is the cheapest, and whether PostgreSQL would have them so by itself.
SELECT
    ps.name,
    current_setting(ps.name) AS value,
    coalesce(ps.setting = ps.boot_val, false) AS is_default
FROM pg_settings AS ps
WHERE
    ps.name IN ('hash_mem_multiplier', 'max_parallel_workers_per_gather', 'work_mem')
    OR (starts_with(ps.category, 'Query Tuning') AND NOT starts_with(ps.name, 'jit') AND ps.name <> 'plan_cache_mode')
ORDER BY ps.name;

-- name: planner_setting_set(name, value)$
-- Changes a setting for the session.
-- session: keeps
SELECT set_config(:name::text, :value::text, false) AS value;
