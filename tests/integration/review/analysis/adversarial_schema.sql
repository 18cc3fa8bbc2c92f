-- A schema full of traps, and rows full of nulls.
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE address AS (street text, number int4);
CREATE DOMAIN nonnegative AS int4 CHECK (value >= 0);
CREATE TABLE person (
    id int4 PRIMARY KEY,
    name text NOT NULL,
    nick text,
    age int4,
    boss int4 REFERENCES person,
    tags text [],
    doc jsonb,
    born timestamptz,
    mood mood,
    score numeric,
    email text UNIQUE,
    active bool NOT NULL DEFAULT true,
    home address
);
INSERT INTO person VALUES
(1, 'Ann', 'annie', 30, NULL, '{a,NULL}', '{"a": null}', 'infinity', 'ok', 'NaN', 'a@x', true, ('Main', NULL)),
(2, 'Bob', NULL, NULL, 1, '{}', NULL, NULL, NULL, NULL, NULL, true, NULL),
(3, 'bob', 'bob', 41, 1, NULL, '{}', '-infinity', 'happy', 5, NULL, false, (NULL, NULL)),
(4, '', '', 5, 2, '{b}', 'null', now(), 'sad', 1.5, 'd@x', true, ('', 4)),
(5, 'Eve', 'Ann', NULL, NULL, NULL, '[]', NULL, NULL, 0, NULL, false, NULL);
CREATE TABLE pet (
    id int4 PRIMARY KEY,
    owner int4 REFERENCES person ON DELETE CASCADE,
    name text NOT NULL,
    kind text,
    weight numeric NOT NULL
);
INSERT INTO pet VALUES
(1, 1, 'Rex', NULL, 3), (2, 1, 'Tom', 'cat', 1), (3, NULL, 'Stray', 'cat', 2), (4, 4, 'Fly', NULL, 0.1),
(7, 3, 'Ann', 'dog', 9);
ALTER TABLE person DROP CONSTRAINT person_boss_fkey;
CREATE TABLE nobody (LIKE person INCLUDING ALL);

CREATE FUNCTION loose(int4) RETURNS int4 LANGUAGE sql IMMUTABLE AS 'SELECT coalesce($1, 1)';
CREATE FUNCTION strict_null(int4) RETURNS int4 LANGUAGE sql IMMUTABLE STRICT AS 'SELECT CASE WHEN $1 > 2 THEN 1 END';
CREATE FUNCTION volatile_null() RETURNS int4 LANGUAGE sql VOLATILE AS 'SELECT NULL::int4';
CREATE FUNCTION person_of(int4) RETURNS person LANGUAGE sql STABLE AS 'SELECT p FROM person AS p WHERE p.id = $1 + 1';
CREATE FUNCTION whole(int4) RETURNS person LANGUAGE sql STABLE AS 'SELECT NULL::person';
CREATE FUNCTION people() RETURNS SETOF person LANGUAGE sql STABLE AS 'TABLE person';
CREATE FUNCTION two_outs(int4, OUT a int4, OUT b text) LANGUAGE sql AS 'SELECT $1, NULL::text';

CREATE VIEW pet_of AS SELECT p.id, p.name, q.name AS pet, q.weight FROM person AS p LEFT JOIN pet AS q ON p.id = q.owner;
CREATE VIEW namesake AS
SELECT p.name, upper(p.nick) AS shout, (SELECT count(*) FROM pet AS q WHERE q.name = p.name) AS pets FROM person AS p;
CREATE VIEW grown AS SELECT id, age FROM person;
CREATE VIEW nested_view AS SELECT v.id, v.pet, g.age, v.name FROM pet_of AS v FULL JOIN grown AS g ON v.id = g.id + 1;
CREATE VIEW simple_view AS SELECT id, name, kind, weight FROM pet WHERE kind IS NOT NULL;
CREATE MATERIALIZED VIEW stored AS SELECT id, name, nick FROM person;
CREATE SEQUENCE counter;

CREATE TABLE part (id int4 NOT NULL, a text NOT NULL, b text) PARTITION BY LIST (id);
CREATE TABLE part_1 PARTITION OF part (b NOT NULL) FOR VALUES IN (1);
CREATE TABLE part_2 PARTITION OF part FOR VALUES IN (2);
INSERT INTO part VALUES (1, 'a', 'b'), (2, 'a', NULL);

CREATE TABLE guarded (id int4 PRIMARY KEY, a text NOT NULL, b text);
INSERT INTO guarded VALUES (9, 'old', 'b');
CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.a = 'drop' THEN RETURN NULL; END IF;
    NEW.b := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON guarded FOR EACH ROW EXECUTE FUNCTION guard();

CREATE TABLE ruled (id int4 NOT NULL, a text NOT NULL);
CREATE RULE instead AS ON INSERT TO ruled DO INSTEAD
INSERT INTO guarded (id, a) VALUES (new.id, new.a) RETURNING NULL::int4, guarded.b;
