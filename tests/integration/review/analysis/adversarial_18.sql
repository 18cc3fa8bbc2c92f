-- What PostgreSQL 17 and 18 have that 16 has not
INSERT INTO pet (id, name, weight) VALUES (50, 'Zed', 1) RETURNING old.id, new.id, old.name, new.kind, old IS NULL;
INSERT INTO pet (id, name, weight) VALUES (1, 'Zed', 1) ON CONFLICT (id) DO UPDATE SET kind = NULL RETURNING old.id, new.id, old.kind, new.kind;
UPDATE person SET nick = NULL WHERE nick IS NOT NULL RETURNING old.nick, new.nick, old.id, new.id, old.name;
DELETE FROM pet WHERE kind IS NOT NULL RETURNING old.id, new.id, old.kind, new.kind, old.name, new.name;
UPDATE person SET age = 1 WHERE age > 1 RETURNING WITH (OLD AS o, NEW AS n) o.age, n.age, o.age + 1, coalesce(n.nick, 'x');
MERGE INTO pet AS t USING person AS s ON t.id = s.id WHEN MATCHED AND s.id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET kind = NULL WHEN NOT MATCHED THEN INSERT (id, name, weight) VALUES (s.id + 200, s.name, 1) RETURNING merge_action(), t.id, t.name, t.kind, s.id, s.name, s.nick;
MERGE INTO pet AS t USING (SELECT * FROM person WHERE id = 1) AS s ON t.id = s.id WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED BY SOURCE THEN UPDATE SET kind = 'x' RETURNING t.id, s.id, s.name, t.kind;
MERGE INTO pet AS t USING person AS s ON t.id = s.id AND s.nick IS NOT NULL WHEN NOT MATCHED THEN INSERT (id, name, weight) VALUES (s.id + 300, s.name, 1) RETURNING old.id, new.id, s.nick, t.weight;
WITH m AS (MERGE INTO pet AS t USING person AS s ON t.id = s.id WHEN MATCHED THEN DELETE RETURNING t.id, s.name, t.owner) SELECT * FROM m;
SELECT JSON_VALUE('{"a": null}', '$.a'), JSON_QUERY('{}', '$.a'), JSON_EXISTS('{}', '$.a'), JSON_SCALAR(1), JSON_SERIALIZE('{}'), JSON('{}');
SELECT t.a, t.b FROM JSON_TABLE('[{"a": 1}]', '$[*]' COLUMNS (a int4 PATH '$.a', b int4 PATH '$.b')) AS t;
SELECT jsonb 'null'::int4, (jsonb '1')::int4, (jsonb 'null')::text, (jsonb 'null')::bool;
SELECT a, b FROM unproven;
SELECT name, nick, count(*), upper(name) FROM person GROUP BY GROUPING SETS ((name, nick), (name), ()) HAVING name > 'A';
SELECT (SELECT p.nick FROM pet GROUP BY p.nick LIMIT 1), count(*) FROM person AS p GROUP BY p.nick;
SELECT id, doubled, tripled FROM computed;
SELECT uuidv7(), casefold(name), array_sort(tags), crc32('x'), random(1, 9) FROM person;
INSERT INTO computed (id, a) VALUES (9, NULL) RETURNING id, doubled, tripled, old.doubled, new.doubled;
