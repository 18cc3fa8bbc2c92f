-- How one query is looked at: as the body of a function that is never called, within a transaction that is rolled back.

-- name: analysis_tree(name)$
-- The tree that the server made of the function's body: names resolved, types decided, nothing planned yet.
-- accept: ONE-OF-MANY the transaction has made the function, and no other of the name
SELECT pp.prosqlbody::text AS tree
FROM pg_proc AS pp
WHERE pp.proname = :name::name AND pp.pronamespace = pg_my_temp_schema();
