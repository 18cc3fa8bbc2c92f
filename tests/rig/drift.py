"""A schema with one of everything, and what can be changed of it by hand."""

# One of everything.
BASE = """
CREATE SCHEMA shop;
CREATE TYPE mood AS ENUM ('calm', 'wild');
CREATE DOMAIN rating AS integer CHECK (VALUE BETWEEN 0 AND 5);
CREATE TYPE place AS (name text, depth numeric(5, 2));
CREATE TABLE spot (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name varchar(40) NOT NULL,
    mood mood DEFAULT 'calm',
    rating rating,
    seen timestamptz DEFAULT '2026-01-01 00:00:00+00',
    label text GENERATED ALWAYS AS (name || '!') STORED,
    CONSTRAINT spot_name_given CHECK (name <> '')
);
CREATE TABLE visit (
    spot_id integer NOT NULL,
    day date,
    note text,
    CONSTRAINT visit_spot FOREIGN KEY (spot_id) REFERENCES spot
);
CREATE UNIQUE INDEX spot_name ON spot (name);
CREATE TABLE wave (day date NOT NULL, height numeric) PARTITION BY RANGE (day);
CREATE TABLE wave_2026 PARTITION OF wave FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX wave_height ON wave (height);
CREATE VIEW calm_spot AS SELECT id, name FROM spot WHERE mood = 'calm';
CREATE MATERIALIZED VIEW spot_count AS SELECT count(*) AS spots FROM spot;
CREATE SEQUENCE ticket AS smallint INCREMENT 5;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.seen = now();
    RETURN NEW;
END
$$;
CREATE PROCEDURE tidy() LANGUAGE sql AS 'DELETE FROM visit';
CREATE AGGREGATE total (integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
CREATE TRIGGER spot_touch BEFORE UPDATE ON spot FOR EACH ROW EXECUTE FUNCTION touch();
CREATE RULE visit_keep AS ON DELETE TO visit DO INSTEAD NOTHING;
CREATE POLICY mine ON visit FOR SELECT USING (spot_id > 0);
CREATE STATISTICS spot_names (dependencies) ON name, mood FROM spot;
COMMENT ON TABLE spot IS 'where people surf';
CREATE TYPE span AS RANGE (SUBTYPE = timestamptz);
CREATE COLLATION german (PROVIDER = libc, LOCALE = 'C');
GRANT SELECT ON visit TO PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
"""

# What is done by hand, the object that differs then, and how: - is in the database, + in the migrations.
DRIFT = [
    ("CREATE SCHEMA loose", "SCHEMA loose", ["- CREATE SCHEMA loose"]),
    ("DROP SCHEMA shop", "SCHEMA shop", ["+ CREATE SCHEMA shop"]),
    (
        "CREATE TABLE extra (id integer PRIMARY KEY, note text)",
        "TABLE public.extra",
        [
            "- CREATE TABLE public.extra",
            "- COLUMN id integer NOT NULL",
            "- COLUMN note text",
            "- CONSTRAINT extra_pkey PRIMARY KEY (id)",
        ],
    ),
    (
        "DROP TABLE visit",
        "TABLE public.visit",
        [
            "+ CREATE TABLE public.visit",
            "+ COLUMN spot_id integer NOT NULL",
            "+ COLUMN day date",
            "+ COLUMN note text",
            "+ CONSTRAINT visit_spot FOREIGN KEY (spot_id) REFERENCES public.spot(id)",
            "+ CREATE RULE visit_keep AS",
            "+     ON DELETE TO public.visit DO INSTEAD NOTHING;",
            "+ CREATE POLICY mine AS PERMISSIVE FOR SELECT TO PUBLIC USING ((spot_id > 0))",
            "+ GRANT SELECT TO PUBLIC",
        ],
    ),
    (
        "ALTER TABLE visit SET UNLOGGED",
        "TABLE public.visit",
        ["- CREATE UNLOGGED TABLE public.visit", "+ CREATE TABLE public.visit"],
    ),
    (
        "ALTER TABLE spot SET (fillfactor = 70)",
        "TABLE public.spot",
        ["- CREATE TABLE public.spot WITH (fillfactor=70)", "+ CREATE TABLE public.spot"],
    ),
    (
        "ALTER TABLE spot SET (toast.autovacuum_enabled = false)",
        "TABLE public.spot",
        ["- CREATE TABLE public.spot WITH (toast.autovacuum_enabled=false)", "+ CREATE TABLE public.spot"],
    ),
    ("ALTER TABLE spot ADD COLUMN colour text", "TABLE public.spot", ["- COLUMN colour text"]),
    ("ALTER TABLE visit DROP COLUMN day", "TABLE public.visit", ["+ COLUMN day date"]),
    ("ALTER TABLE visit RENAME COLUMN day TO date", "TABLE public.visit", ["+ COLUMN day date", "- COLUMN date date"]),
    (
        "ALTER TABLE visit ALTER COLUMN day TYPE timestamp",
        "TABLE public.visit",
        ["- COLUMN day timestamp without time zone", "+ COLUMN day date"],
    ),
    (
        "ALTER TABLE visit ALTER COLUMN day SET NOT NULL",
        "TABLE public.visit",
        ["- COLUMN day date NOT NULL", "+ COLUMN day date"],
    ),
    (
        "ALTER TABLE spot ALTER COLUMN name DROP NOT NULL",
        "TABLE public.spot",
        ["- COLUMN name character varying(40)", "+ COLUMN name character varying(40) NOT NULL"],
    ),
    (
        "ALTER TABLE spot ALTER COLUMN mood SET DEFAULT 'wild'",
        "TABLE public.spot",
        [
            "- COLUMN mood public.mood DEFAULT 'wild'::public.mood",
            "+ COLUMN mood public.mood DEFAULT 'calm'::public.mood",
        ],
    ),
    (
        "ALTER TABLE spot ALTER COLUMN mood DROP DEFAULT",
        "TABLE public.spot",
        ["- COLUMN mood public.mood", "+ COLUMN mood public.mood DEFAULT 'calm'::public.mood"],
    ),
    (
        "ALTER TABLE spot ALTER COLUMN id SET GENERATED BY DEFAULT",
        "TABLE public.spot",
        [
            "- COLUMN id integer NOT NULL GENERATED BY DEFAULT AS IDENTITY",
            "+ COLUMN id integer NOT NULL GENERATED ALWAYS AS IDENTITY",
        ],
    ),
    (
        "ALTER TABLE spot ALTER COLUMN label DROP EXPRESSION",
        "TABLE public.spot",
        ["- COLUMN label text", "+ COLUMN label text GENERATED ALWAYS AS (((name)::text || '!'::text)) STORED"],
    ),
    (
        "ALTER TABLE visit DROP COLUMN day, ADD COLUMN day date",
        "TABLE public.visit",
        ["- COLUMN ORDER (spot_id, note, day)", "+ COLUMN ORDER (spot_id, day, note)"],
    ),
    (
        'ALTER TABLE visit ALTER COLUMN note TYPE text COLLATE "C"',
        "TABLE public.visit",
        ['- COLUMN note text COLLATE "C"', "+ COLUMN note text"],
    ),
    (
        "ALTER TABLE spot ALTER COLUMN name SET STATISTICS 1000",
        "TABLE public.spot",
        [
            "- COLUMN name character varying(40) NOT NULL STATISTICS 1000",
            "+ COLUMN name character varying(40) NOT NULL",
        ],
    ),
    (
        "ALTER TABLE spot ALTER COLUMN name SET STORAGE external",
        "TABLE public.spot",
        [
            "- COLUMN name character varying(40) STORAGE EXTERNAL NOT NULL",
            "+ COLUMN name character varying(40) NOT NULL",
        ],
    ),
    (
        "ALTER TABLE spot DROP CONSTRAINT spot_name_given",
        "TABLE public.spot",
        ["+ CONSTRAINT spot_name_given CHECK (((name)::text <> ''::text))"],
    ),
    (
        "ALTER TABLE spot ADD CONSTRAINT positive CHECK (id > 0) NOT VALID",
        "TABLE public.spot",
        ["- CONSTRAINT positive CHECK ((id > 0)) NOT VALID"],
    ),
    (
        "ALTER TABLE visit ALTER CONSTRAINT visit_spot DEFERRABLE",
        "TABLE public.visit",
        [
            "- CONSTRAINT visit_spot FOREIGN KEY (spot_id) REFERENCES public.spot(id) DEFERRABLE",
            "+ CONSTRAINT visit_spot FOREIGN KEY (spot_id) REFERENCES public.spot(id)",
        ],
    ),
    (
        "ALTER TABLE spot RENAME CONSTRAINT spot_pkey TO spot_key",
        "TABLE public.spot",
        ["- CONSTRAINT spot_key PRIMARY KEY (id)", "+ CONSTRAINT spot_pkey PRIMARY KEY (id)"],
    ),
    (
        "CREATE INDEX visit_day ON visit (day)",
        "TABLE public.visit",
        ["- CREATE INDEX visit_day ON public.visit USING btree (day)"],
    ),
    (
        "DROP INDEX spot_name",
        "TABLE public.spot",
        ["+ CREATE UNIQUE INDEX spot_name ON public.spot USING btree (name)"],
    ),
    (
        "DROP INDEX spot_name; CREATE INDEX spot_name ON spot (name)",
        "TABLE public.spot",
        [
            "- CREATE INDEX spot_name ON public.spot USING btree (name)",
            "+ CREATE UNIQUE INDEX spot_name ON public.spot USING btree (name)",
        ],
    ),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'spot_name'::regclass",
        "TABLE public.spot",
        [
            "- CREATE UNIQUE INDEX spot_name ON public.spot USING btree (name) /* INVALID */",
            "+ CREATE UNIQUE INDEX spot_name ON public.spot USING btree (name)",
        ],
    ),
    (
        "CREATE OR REPLACE VIEW calm_spot AS SELECT id, name FROM spot WHERE mood = 'wild'",
        "VIEW public.calm_spot",
        [
            "  ...",
            "   SELECT id,",
            "      name",
            "     FROM public.spot",
            "-   WHERE (mood = 'wild'::public.mood);",
            "+   WHERE (mood = 'calm'::public.mood);",
        ],
    ),
    (
        "ALTER VIEW calm_spot SET (security_barrier = true)",
        "VIEW public.calm_spot",
        [
            "- CREATE VIEW public.calm_spot WITH (security_barrier=true) AS",
            "+ CREATE VIEW public.calm_spot AS",
            "   SELECT id,",
            "      name",
            "     FROM public.spot",
        ],
    ),
    (
        "DROP MATERIALIZED VIEW spot_count",
        "MATERIALIZED VIEW public.spot_count",
        ["+ CREATE MATERIALIZED VIEW public.spot_count AS", "+  SELECT count(*) AS spots", "+    FROM public.spot;"],
    ),
    (
        "ALTER SEQUENCE ticket INCREMENT 1",
        "SEQUENCE public.ticket",
        [
            "- CREATE SEQUENCE public.ticket AS smallint INCREMENT 1 MINVALUE 1 MAXVALUE 32767 START 1 CACHE 1",
            "+ CREATE SEQUENCE public.ticket AS smallint INCREMENT 5 MINVALUE 1 MAXVALUE 32767 START 1 CACHE 1",
        ],
    ),
    (
        "ALTER SEQUENCE spot_id_seq MAXVALUE 1000",
        "SEQUENCE public.spot_id_seq",
        [
            (
                "- CREATE SEQUENCE public.spot_id_seq AS integer INCREMENT 1 MINVALUE 1 MAXVALUE 1000 START 1"
                " CACHE 1 OWNED BY public.spot.id"
            ),
            (
                "+ CREATE SEQUENCE public.spot_id_seq AS integer INCREMENT 1 MINVALUE 1 MAXVALUE 2147483647 START 1"
                " CACHE 1 OWNED BY public.spot.id"
            ),
        ],
    ),
    (
        "ALTER TYPE mood ADD VALUE 'angry' BEFORE 'wild'",
        "TYPE public.mood",
        [
            "- CREATE TYPE public.mood AS ENUM ('calm', 'angry', 'wild')",
            "+ CREATE TYPE public.mood AS ENUM ('calm', 'wild')",
        ],
    ),
    (
        "ALTER DOMAIN rating SET NOT NULL",
        "TYPE public.rating",
        ["- CREATE DOMAIN public.rating AS integer NOT NULL", "+ CREATE DOMAIN public.rating AS integer"],
    ),
    (
        "ALTER DOMAIN rating DROP CONSTRAINT rating_check",
        "TYPE public.rating",
        ["+ CONSTRAINT rating_check CHECK (((VALUE >= 0) AND (VALUE <= 5)))"],
    ),
    ("ALTER TYPE place ADD ATTRIBUTE tide text", "COMPOSITE TYPE public.place", ["- COLUMN tide text"]),
    (
        "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.seen = NULL; END $$",
        "FUNCTION public.touch()",
        [
            "  CREATE OR REPLACE FUNCTION public.touch()",
            "   RETURNS trigger",
            "   LANGUAGE plpgsql",
            "- AS $function$ BEGIN NEW.seen = NULL; END $function$",
            "+ AS $function$",
            "+ BEGIN",
            "+     NEW.seen = now();",
            "+     RETURN NEW;",
            "+ END",
            "+ $function$",
        ],
    ),
    (
        "ALTER FUNCTION touch() SECURITY DEFINER",
        "FUNCTION public.touch()",
        [
            "  CREATE OR REPLACE FUNCTION public.touch()",
            "   RETURNS trigger",
            "   LANGUAGE plpgsql",
            "-  SECURITY DEFINER",
            "  AS $function$",
            "  BEGIN",
            "      NEW.seen = now();",
        ],
    ),
    (
        "CREATE FUNCTION touch(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "FUNCTION public.touch(integer)",
        [
            "- CREATE OR REPLACE FUNCTION public.touch(integer)",
            "-  RETURNS integer",
            "-  LANGUAGE sql",
            "- AS $function$SELECT 1$function$",
        ],
    ),
    (
        "DROP PROCEDURE tidy",
        "PROCEDURE public.tidy()",
        [
            "+ CREATE OR REPLACE PROCEDURE public.tidy()",
            "+  LANGUAGE sql",
            "+ AS $procedure$DELETE FROM visit$procedure$",
            "+ GRANT EXECUTE TO PUBLIC",
        ],
    ),
    (
        "DROP AGGREGATE total (integer)",
        "AGGREGATE public.total(integer)",
        [
            "+ CREATE AGGREGATE public.total(integer) SFUNC int4pl STYPE integer INITCOND '0'",
            "+ GRANT EXECUTE TO PUBLIC",
        ],
    ),
    (
        "DROP TRIGGER spot_touch ON spot",
        "TABLE public.spot",
        ["+ CREATE TRIGGER spot_touch BEFORE UPDATE ON public.spot FOR EACH ROW EXECUTE FUNCTION public.touch()"],
    ),
    (
        "ALTER TABLE spot DISABLE TRIGGER spot_touch",
        "TABLE public.spot",
        [
            (
                "- CREATE TRIGGER spot_touch BEFORE UPDATE ON public.spot FOR EACH ROW EXECUTE FUNCTION public.touch()"
                " /* DISABLED */"
            ),
            "+ CREATE TRIGGER spot_touch BEFORE UPDATE ON public.spot FOR EACH ROW EXECUTE FUNCTION public.touch()",
        ],
    ),
    (
        "ALTER TABLE visit DISABLE TRIGGER ALL",
        "TABLE public.visit",
        [
            '- CONSTRAINT TRIGGER OF visit_spot EXECUTE FUNCTION "RI_FKey_check_ins" /* DISABLED */',
            '- CONSTRAINT TRIGGER OF visit_spot EXECUTE FUNCTION "RI_FKey_check_upd" /* DISABLED */',
        ],
    ),
    (
        "DROP RULE visit_keep ON visit",
        "TABLE public.visit",
        ["+ CREATE RULE visit_keep AS", "+     ON DELETE TO public.visit DO INSTEAD NOTHING;"],
    ),
    (
        "ALTER TABLE visit DISABLE RULE visit_keep",
        "TABLE public.visit",
        [
            "  CREATE RULE visit_keep AS",
            "-     ON DELETE TO public.visit DO INSTEAD NOTHING; /* DISABLED */",
            "+     ON DELETE TO public.visit DO INSTEAD NOTHING;",
        ],
    ),
    ("ALTER TABLE visit ENABLE ROW LEVEL SECURITY", "TABLE public.visit", ["- ENABLE ROW LEVEL SECURITY"]),
    ("ALTER TABLE visit FORCE ROW LEVEL SECURITY", "TABLE public.visit", ["- FORCE ROW LEVEL SECURITY"]),
    (
        "ALTER POLICY mine ON visit USING (spot_id > 1)",
        "TABLE public.visit",
        [
            "- CREATE POLICY mine AS PERMISSIVE FOR SELECT TO PUBLIC USING ((spot_id > 1))",
            "+ CREATE POLICY mine AS PERMISSIVE FOR SELECT TO PUBLIC USING ((spot_id > 0))",
        ],
    ),
    (
        "DROP STATISTICS spot_names",
        "TABLE public.spot",
        ["+ CREATE STATISTICS public.spot_names (dependencies) ON name, mood FROM public.spot"],
    ),
    (
        "COMMENT ON TABLE spot IS 'where sharks swim'",
        "TABLE public.spot",
        ["- COMMENT IS 'where sharks swim'", "+ COMMENT IS 'where people surf'"],
    ),
    (
        "COMMENT ON COLUMN spot.name IS 'as people say it'",
        "TABLE public.spot",
        ["- COMMENT ON COLUMN name IS 'as people say it'"],
    ),
    (
        "COMMENT ON CONSTRAINT visit_spot ON visit IS 'x'",
        "TABLE CONSTRAINT visit_spot on public.visit",
        ["- COMMENT IS 'x'"],
    ),
    (
        "CREATE TABLE wave_2027 PARTITION OF wave FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
        "TABLE public.wave_2027",
        [
            "- CREATE TABLE public.wave_2027 PARTITION OF public.wave FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
            "- COLUMN day date NOT NULL",
            "- COLUMN height numeric",
        ],
    ),
    (
        "ALTER TABLE wave DETACH PARTITION wave_2026",
        "TABLE public.wave_2026",
        [
            "- CREATE TABLE public.wave_2026",
            "+ CREATE TABLE public.wave_2026 PARTITION OF public.wave FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
            "- CREATE INDEX wave_2026_height_idx ON public.wave_2026 USING btree (height)",
        ],
    ),
    (
        "CREATE TABLE spot_old () INHERITS (spot)",
        "TABLE public.spot_old",
        [
            "- CREATE TABLE public.spot_old INHERITS (public.spot)",
            "- COLUMN id integer NOT NULL",
            "- COLUMN name character varying(40) NOT NULL",
            "- COLUMN mood public.mood DEFAULT 'calm'::public.mood",
            "- COLUMN rating public.rating",
            "- COLUMN seen timestamp with time zone DEFAULT '2026-01-01 00:00:00+00'::timestamp with time zone",
            "- COLUMN label text GENERATED ALWAYS AS (((name)::text || '!'::text)) STORED",
            "- CONSTRAINT spot_name_given CHECK (((name)::text <> ''::text))",
        ],
    ),
    ("GRANT INSERT, UPDATE ON visit TO pg_monitor", "TABLE public.visit", ["- GRANT INSERT, UPDATE TO pg_monitor"]),
    (
        "GRANT SELECT (name) ON spot TO pg_monitor WITH GRANT OPTION",
        "TABLE public.spot",
        ["- GRANT SELECT (name) TO pg_monitor WITH GRANT OPTION"],
    ),
    ("REVOKE SELECT ON visit FROM PUBLIC", "TABLE public.visit", ["+ GRANT SELECT TO PUBLIC"]),
    (
        "GRANT CREATE ON SCHEMA public TO PUBLIC",
        "SCHEMA public",
        ["- GRANT CREATE, USAGE TO PUBLIC", "+ GRANT USAGE TO PUBLIC"],
    ),
    ("GRANT EXECUTE ON FUNCTION touch() TO pg_monitor", "FUNCTION public.touch()", ["- GRANT EXECUTE TO pg_monitor"]),
    ("REVOKE EXECUTE ON PROCEDURE tidy() FROM PUBLIC", "PROCEDURE public.tidy()", ["+ GRANT EXECUTE TO PUBLIC"]),
    ("GRANT USAGE ON SEQUENCE ticket TO PUBLIC", "SEQUENCE public.ticket", ["- GRANT USAGE TO PUBLIC"]),
    ("GRANT USAGE ON TYPE mood TO pg_monitor", "TYPE public.mood", ["- GRANT USAGE TO pg_monitor"]),
    (
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO pg_monitor",
        "DEFAULT PRIVILEGES",
        ["- GRANT SELECT ON TABLES TO pg_monitor"],
    ),
    (
        "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
        "DEFAULT PRIVILEGES",
        ["+ REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"],
    ),
    ("ALTER TABLE visit REPLICA IDENTITY FULL", "TABLE public.visit", ["- REPLICA IDENTITY FULL"]),
    (
        "ALTER TABLE spot REPLICA IDENTITY USING INDEX spot_name",
        "TABLE public.spot",
        ["- REPLICA IDENTITY USING INDEX spot_name"],
    ),
    ("ALTER TABLE spot CLUSTER ON spot_name", "TABLE public.spot", ["- CLUSTER ON spot_name"]),
    (
        "CREATE OPERATOR === (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4eq)",
        "OPERATOR public.===(integer,integer)",
        ["- CREATE OPERATOR public.===(integer,integer)"],
    ),
    ("DROP COLLATION german", "COLLATION public.german", ["+ CREATE COLLATION public.german"]),
    ("CREATE EXTENSION vector", "EXTENSION vector", ["- CREATE EXTENSION vector SCHEMA public"]),
    (
        "DROP TYPE span",
        "TYPE public.span",
        ["+ CREATE TYPE public.span AS RANGE (SUBTYPE = timestamp with time zone)", "+ GRANT USAGE TO PUBLIC"],
    ),
]
