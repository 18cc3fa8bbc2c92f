-- Reference data: what is the same for every lamp.

-- name: reference_data()^
-- The supported locations, and the active API configurations in priority order, with the version they are of.
-- replica: ok
SELECT
    (SELECT rv.version FROM reference_version AS rv) AS version,
    (
        SELECT sc.config_value
        FROM system_configuration AS sc
        WHERE sc.config_key = 'supported_locations'
    ) AS locations,
    (
        SELECT
            COALESCE(
                jsonb_agg(
                    jsonb_build_object(
                        'id', ac.id,
                        'website_name', ac.website_name,
                        'full_url', ac.full_url,
                        'api_key', ac.api_key,
                        'city', ac.city,
                        'priority', ac.priority_order,
                        'is_json', ac.is_json,
                        'is_metric', ac.is_metric
                    )
                    ORDER BY ac.priority_order, ac.id
                ),
                '[]'::jsonb
            )
        FROM api_configuration AS ac
        WHERE ac.is_active
    ) AS api_configs;
