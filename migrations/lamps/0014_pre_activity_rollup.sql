-- Why: statistics that read each entry of the last day take longer with every lamp. What is over is counted once, by
-- the minute, ten minutes, the hour and six hours, and only the rest is read: a minute is over 15 seconds after its
-- end. docs/design-notes.md says how this stays exact. Nothing is counted here: activity_roll_up() does it, in
-- portions, called by "surf-data maintain" and by whatever asks for statistics.
-- Entries may still come late, change or be removed: a trigger marks that in the same transaction, and until they
-- are counted anew what is older is read entry by entry. What removes or adds entries without firing the triggers (a
-- partition that is dropped, detached, attached or truncated by itself) calls activity_rollup_forget() in the same
-- transaction.
-- Locks: SHARE ROW EXCLUSIVE on activity_log until commit: writers wait, readers do not. Milliseconds at any size.

-- migrate:up
-- Seconds since 1970: entries from before it come late. A sequence, because other transactions must see it move at
-- once.
CREATE SEQUENCE activity_rollup_boundary MINVALUE 0 START 0;
SELECT setval('activity_rollup_boundary', 0) AS boundary;

CREATE TABLE activity_rollup (
    only_row BOOLEAN PRIMARY KEY DEFAULT true CHECK (only_row),
    -- What is counted: from, until.
    rolled_from TIMESTAMPTZ,
    rolled_until TIMESTAMPTZ,
    -- What will be once no transaction before closing_xact is left.
    closing_until TIMESTAMPTZ,
    closing_xact XID8
);
INSERT INTO activity_rollup DEFAULT VALUES;

CREATE TABLE activity_rollup_count (
    minutes BIGINT NOT NULL,
    began TIMESTAMPTZ NOT NULL,
    -- 'type' and 'status': entries of that name. 'lamp': lamps whose latest entry of what is counted is here.
    counted TEXT NOT NULL,
    name TEXT NOT NULL,
    entries BIGINT NOT NULL,
    PRIMARY KEY (minutes, began, counted, name)
) WITH (fillfactor = 70);

-- The minute of a lamp's latest entry, of what is counted.
CREATE TABLE activity_rollup_lamp (
    lamp_id UUID PRIMARY KEY,
    latest TIMESTAMPTZ NOT NULL
) WITH (fillfactor = 70);

-- What must be counted anew: a lamp's entries in a minute, or all up to the minute's end.
CREATE TABLE activity_rollup_stale (
    minute TIMESTAMPTZ NOT NULL,
    lamp_id UUID,
    everything BOOLEAN NOT NULL DEFAULT false,
    xact XID8 NOT NULL DEFAULT pg_current_xact_id(),
    UNIQUE NULLS NOT DISTINCT (minute, lamp_id, everything, xact)
);

-- Only this schema's owner decides what the names in the functions mean, temporary tables included.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true) AS pinned;

CREATE FUNCTION activity_rollup_minute(moment TIMESTAMPTZ) RETURNS TIMESTAMPTZ
LANGUAGE sql
IMMUTABLE
RETURN date_bin('1 minute', moment, '2000-01-01 00:00:00+00');

-- The first time at or after a moment where a count of so many minutes begins.
CREATE FUNCTION activity_rollup_next(minutes INTEGER, moment TIMESTAMPTZ) RETURNS TIMESTAMPTZ
LANGUAGE sql
STABLE
RETURN date_bin(make_interval(mins => minutes), moment - INTERVAL '1 microsecond', '2000-01-01 00:00:00+00')
+ make_interval(mins => minutes);

-- Of an entry that was added, changed or removed where it may be counted already.
CREATE FUNCTION activity_rollup_mark() RETURNS TRIGGER
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    -- From here to its end this transaction keeps roll-ups away; one that is at work is waited for.
    LOCK TABLE activity_rollup_stale IN ROW EXCLUSIVE MODE;
    INSERT INTO activity_rollup_stale (minute, lamp_id)
    SELECT
        activity_rollup_minute(m.created_at),
        m.lamp_id
    FROM (
        VALUES (OLD.created_at, OLD.lamp_id), (NEW.created_at, NEW.lamp_id)
    ) AS m (created_at, lamp_id)
    WHERE
        m.created_at IS NOT NULL
        -- What is not counted yet need not be counted anew. An old snapshot cannot tell.
        AND (
            current_setting('transaction_isolation') <> 'read committed'
            OR EXISTS (
                SELECT FROM activity_rollup AS ar
                WHERE m.created_at >= ar.rolled_from AND m.created_at < ar.rolled_until
            )
        )
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

-- Says that entries before a moment were removed, or came, without triggers.
CREATE FUNCTION activity_rollup_forget(until TIMESTAMPTZ) RETURNS VOID
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    LOCK TABLE activity_rollup_stale IN ROW EXCLUSIVE MODE;
    INSERT INTO activity_rollup_stale (minute, everything)
    VALUES (activity_rollup_minute(until), true)
    ON CONFLICT DO NOTHING;
END
$$;

CREATE FUNCTION activity_rollup_forget_all() RETURNS TRIGGER
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    PERFORM activity_rollup_forget('infinity');
    RETURN NULL;
END
$$;

-- Counts the entries of a time that is not counted yet, next to what is.
CREATE FUNCTION activity_rollup_add(since TIMESTAMPTZ, until TIMESTAMPTZ) RETURNS VOID
LANGUAGE sql
SET search_path FROM CURRENT
AS $$
WITH entries AS MATERIALIZED (
    SELECT
        activity_rollup_minute(al.created_at) AS minute,
        al.activity_type,
        al.status,
        al.lamp_id,
        count(*) AS entries,
        max(al.created_at) AS latest
    FROM activity_log AS al
    WHERE al.created_at >= since AND al.created_at < until
    GROUP BY GROUPING SETS (
        (activity_rollup_minute(al.created_at), al.activity_type),
        (activity_rollup_minute(al.created_at), al.status),
        (al.lamp_id)
    )
),

moved AS MATERIALIZED (
    SELECT
        e.lamp_id,
        rl.latest AS was,
        greatest(rl.latest, activity_rollup_minute(e.latest)) AS latest
    FROM entries AS e
    LEFT JOIN activity_rollup_lamp AS rl ON e.lamp_id = rl.lamp_id
    WHERE e.minute IS NULL AND e.lamp_id IS NOT NULL
),

lamps AS (
    INSERT INTO activity_rollup_lamp AS rl (lamp_id, latest)
    SELECT
        m.lamp_id,
        m.latest
    FROM moved AS m
    WHERE m.was IS DISTINCT FROM m.latest
    ON CONFLICT (lamp_id) DO UPDATE SET latest = excluded.latest
),

changes (minute, counted, name, entries) AS (
    SELECT e.minute, 'type', e.activity_type, e.entries FROM entries AS e WHERE e.activity_type IS NOT NULL
    UNION ALL
    SELECT e.minute, 'status', e.status, e.entries FROM entries AS e WHERE e.status IS NOT NULL
    UNION ALL
    SELECT m.latest, 'lamp', '', 1 FROM moved AS m WHERE m.was IS DISTINCT FROM m.latest
    UNION ALL
    SELECT m.was, 'lamp', '', -1 FROM moved AS m WHERE m.was <> m.latest
)

INSERT INTO activity_rollup_count AS rc (minutes, began, counted, name, entries)
SELECT
    w.minutes,
    date_bin(make_interval(mins => w.minutes), c.minute, '2000-01-01 00:00:00+00'),
    c.counted,
    c.name,
    sum(c.entries)
FROM changes AS c
CROSS JOIN (VALUES (1), (10), (60), (360)) AS w (minutes)
GROUP BY 1, 2, 3, 4
HAVING sum(c.entries) <> 0
ORDER BY 1, 2, 3, 4
ON CONFLICT (minutes, began, counted, name) DO UPDATE SET entries = rc.entries + excluded.entries;
$$;

-- Counts anew what marks say, the latest ones first.
CREATE FUNCTION activity_rollup_recount(at_most BIGINT) RETURNS VOID
LANGUAGE sql
SET search_path FROM CURRENT
AS $$
WITH marks AS (
    DELETE FROM activity_rollup_stale AS rs
    WHERE rs.ctid IN (SELECT o.ctid FROM activity_rollup_stale AS o ORDER BY o.minute DESC LIMIT at_most)
    RETURNING rs.minute, rs.lamp_id
),

minutes AS MATERIALIZED (
    SELECT DISTINCT m.minute FROM marks AS m
),

moved AS MATERIALIZED (
    SELECT
        m.lamp_id,
        rl.latest AS was,
        (
            SELECT activity_rollup_minute(al.created_at)
            FROM activity_log AS al
            WHERE
                al.lamp_id = m.lamp_id
                AND al.created_at >= ar.rolled_from
                AND al.created_at < ar.rolled_until
            ORDER BY al.created_at DESC
            LIMIT 1
        ) AS latest
    FROM (SELECT DISTINCT marks.lamp_id FROM marks WHERE marks.lamp_id IS NOT NULL) AS m
    CROSS JOIN activity_rollup AS ar
    LEFT JOIN activity_rollup_lamp AS rl ON m.lamp_id = rl.lamp_id
),

lamps AS (
    INSERT INTO activity_rollup_lamp AS rl (lamp_id, latest)
    SELECT
        m.lamp_id,
        m.latest
    FROM moved AS m
    WHERE m.latest IS NOT NULL AND m.was IS DISTINCT FROM m.latest
    ON CONFLICT (lamp_id) DO UPDATE SET latest = excluded.latest
),

gone AS (
    DELETE FROM activity_rollup_lamp AS rl
    USING moved AS m
    WHERE rl.lamp_id = m.lamp_id AND m.latest IS NULL
),

changes (minute, counted, name, entries) AS (
    SELECT
        m.minute,
        CASE WHEN al.status IS NULL THEN 'type' ELSE 'status' END,
        coalesce(al.status, al.activity_type),
        count(*)
    FROM minutes AS m
    INNER JOIN activity_log AS al
        ON al.created_at >= m.minute AND al.created_at < m.minute + interval '1 minute'
    GROUP BY GROUPING SETS ((m.minute, al.activity_type), (m.minute, al.status))
    UNION ALL
    SELECT rc.began, rc.counted, rc.name, -rc.entries
    FROM minutes AS m
    INNER JOIN activity_rollup_count AS rc ON m.minute = rc.began
    WHERE rc.minutes = 1 AND rc.counted <> 'lamp'
    UNION ALL
    SELECT m.latest, 'lamp', '', 1 FROM moved AS m WHERE m.was IS DISTINCT FROM m.latest AND m.latest IS NOT NULL
    UNION ALL
    SELECT m.was, 'lamp', '', -1 FROM moved AS m WHERE m.was IS DISTINCT FROM m.latest AND m.was IS NOT NULL
)

INSERT INTO activity_rollup_count AS rc (minutes, began, counted, name, entries)
SELECT
    w.minutes,
    date_bin(make_interval(mins => w.minutes), c.minute, '2000-01-01 00:00:00+00'),
    c.counted,
    c.name,
    sum(c.entries)
FROM changes AS c
CROSS JOIN (VALUES (1), (10), (60), (360)) AS w (minutes)
GROUP BY 1, 2, 3, 4
HAVING sum(c.entries) <> 0
ORDER BY 1, 2, 3, 4
ON CONFLICT (minutes, began, counted, name) DO UPDATE SET entries = rc.entries + excluded.entries;
$$;

-- Counts a portion of what is over, as far back as is asked for, and says whether to call it again.
CREATE FUNCTION activity_roll_up(since TIMESTAMPTZ, portion BIGINT, until TIMESTAMPTZ DEFAULT 'infinity')
RETURNS BOOLEAN
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
SET row_security = off
AS $$
DECLARE
    -- Read before this transaction has an id: a transaction with a later id compares with this or a later moment.
    announced CONSTANT TIMESTAMPTZ := to_timestamp(pg_sequence_last_value('activity_rollup_boundary'));
    boundary CONSTANT TIMESTAMPTZ := activity_rollup_minute(
        least(until, clock_timestamp() - interval '15 seconds')
    );
    this_xact XID8;
    oldest_xact XID8;
    state activity_rollup%ROWTYPE;
    settled TIMESTAMPTZ;
    forgotten TIMESTAMPTZ;
    target TIMESTAMPTZ;
BEGIN
    IF
        pg_current_xact_id_if_assigned() IS NOT NULL
        OR current_setting('transaction_isolation') <> 'read committed'
    THEN
        RAISE EXCEPTION 'a roll-up is a transaction by itself, and READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    this_xact := pg_current_xact_id();
    -- Never wait, so that there is no deadlock.
    BEGIN
        LOCK TABLE activity_log IN ACCESS SHARE MODE NOWAIT;
        LOCK TABLE activity_rollup_stale IN SHARE ROW EXCLUSIVE MODE NOWAIT;
    EXCEPTION
        WHEN lock_not_available THEN RETURN false;
    END;
    IF boundary > announced THEN
        PERFORM setval('activity_rollup_boundary', extract(EPOCH FROM boundary)::BIGINT);
    END IF;

    SELECT ar.* INTO STRICT state FROM activity_rollup AS ar;
    oldest_xact := pg_snapshot_xmin(pg_current_snapshot());
    settled := state.rolled_until;
    IF oldest_xact >= this_xact THEN
        settled := announced;
    ELSE
        IF state.closing_xact <= oldest_xact THEN
            settled := state.closing_until;
        END IF;
        IF state.closing_xact IS NULL OR state.closing_xact <= oldest_xact OR state.closing_xact > this_xact THEN
            state.closing_until := announced;
            state.closing_xact := this_xact;
        END IF;
    END IF;

    SELECT max(rs.minute) INTO forgotten FROM activity_rollup_stale AS rs WHERE rs.everything;
    IF forgotten >= state.rolled_from THEN
        -- By the six hours, so that nothing is left of what is counted in part.
        IF forgotten < 'infinity' THEN
            forgotten := date_bin('6 hours', forgotten, '2000-01-01 00:00:00+00') + interval '6 hours';
        END IF;
        DELETE FROM activity_rollup_count WHERE began < forgotten;
        DELETE FROM activity_rollup_lamp WHERE latest < forgotten;
        state.rolled_from := forgotten;
        IF forgotten >= state.rolled_until THEN
            state.rolled_from := NULL;
            state.rolled_until := NULL;
        END IF;
    END IF;
    DELETE FROM activity_rollup_stale
    WHERE everything OR (minute >= state.rolled_from AND minute < state.rolled_until) IS NOT TRUE;
    IF state.rolled_from IS NULL AND settled > '1970-01-01 00:00:00+00' THEN
        state.rolled_from := settled;
        state.rolled_until := settled;
    END IF;
    UPDATE activity_rollup
    SET
        rolled_from = state.rolled_from,
        rolled_until = state.rolled_until,
        closing_until = state.closing_until,
        closing_xact = state.closing_xact;
    IF state.rolled_from IS NULL THEN
        RETURN boundary > announced;
    END IF;

    PERFORM activity_rollup_recount(portion / 100);
    IF EXISTS (SELECT FROM activity_rollup_stale) THEN
        RETURN true;
    END IF;
    IF state.rolled_until < settled THEN
        SELECT activity_rollup_minute(al.created_at) INTO target
        FROM activity_log AS al
        WHERE al.created_at >= state.rolled_until AND al.created_at < settled
        ORDER BY al.created_at
        OFFSET portion LIMIT 1;
        target := CASE
            WHEN target IS NULL THEN settled
            ELSE greatest(target, state.rolled_until + interval '1 minute')
        END;
        PERFORM activity_rollup_add(state.rolled_until, target);
        UPDATE activity_rollup SET rolled_until = target;
        IF target < settled THEN
            RETURN true;
        END IF;
    END IF;
    IF state.rolled_from > since THEN
        SELECT activity_rollup_minute(al.created_at) + interval '1 minute' INTO target
        FROM activity_log AS al
        WHERE al.created_at >= since AND al.created_at < state.rolled_from
        ORDER BY al.created_at DESC
        OFFSET portion LIMIT 1;
        target := CASE
            WHEN target IS NULL THEN activity_rollup_minute(since)
            ELSE least(target, state.rolled_from - interval '1 minute')
        END;
        PERFORM activity_rollup_add(target, state.rolled_from);
        UPDATE activity_rollup SET rolled_from = target;
        IF target > since THEN
            RETURN true;
        END IF;
    END IF;
    RETURN boundary > announced;
END
$$;

CREATE TRIGGER activity_log_comes_late
AFTER INSERT ON activity_log
FOR EACH ROW
WHEN ((
    new.created_at < to_timestamp(pg_sequence_last_value('activity_rollup_boundary'::REGCLASS))
) IS NOT FALSE)
EXECUTE FUNCTION activity_rollup_mark();

CREATE TRIGGER activity_log_goes_late
AFTER DELETE ON activity_log
FOR EACH ROW
WHEN ((
    old.created_at < to_timestamp(pg_sequence_last_value('activity_rollup_boundary'::REGCLASS))
) IS NOT FALSE)
EXECUTE FUNCTION activity_rollup_mark();

CREATE TRIGGER activity_log_changes_late
AFTER UPDATE OF created_at, lamp_id, activity_type, status ON activity_log
FOR EACH ROW
WHEN ((
    least(old.created_at, new.created_at)
    < to_timestamp(pg_sequence_last_value('activity_rollup_boundary'::REGCLASS))
) IS NOT FALSE)
EXECUTE FUNCTION activity_rollup_mark();

CREATE TRIGGER activity_log_is_emptied
AFTER TRUNCATE ON activity_log
FOR EACH STATEMENT EXECUTE FUNCTION activity_rollup_forget_all();

ALTER SEQUENCE activity_rollup_boundary OWNER TO surf_lamp_owner;
ALTER TABLE activity_rollup OWNER TO surf_lamp_owner;
ALTER TABLE activity_rollup_count OWNER TO surf_lamp_owner;
ALTER TABLE activity_rollup_lamp OWNER TO surf_lamp_owner;
ALTER TABLE activity_rollup_stale OWNER TO surf_lamp_owner;
ALTER FUNCTION activity_rollup_minute(TIMESTAMPTZ) OWNER TO surf_lamp_owner;
ALTER FUNCTION activity_rollup_next(INTEGER, TIMESTAMPTZ) OWNER TO surf_lamp_owner;
ALTER FUNCTION activity_rollup_mark() OWNER TO surf_lamp_owner;
ALTER FUNCTION activity_rollup_forget(TIMESTAMPTZ) OWNER TO surf_lamp_owner;
ALTER FUNCTION activity_rollup_forget_all() OWNER TO surf_lamp_owner;
ALTER FUNCTION activity_rollup_add(TIMESTAMPTZ, TIMESTAMPTZ) OWNER TO surf_lamp_owner;
ALTER FUNCTION activity_rollup_recount(BIGINT) OWNER TO surf_lamp_owner;
ALTER FUNCTION activity_roll_up(TIMESTAMPTZ, BIGINT, TIMESTAMPTZ) OWNER TO surf_lamp_owner;

REVOKE ALL ON SEQUENCE activity_rollup_boundary FROM public;
REVOKE ALL ON activity_rollup, activity_rollup_count, activity_rollup_lamp, activity_rollup_stale FROM public;
REVOKE ALL ON FUNCTION
activity_rollup_minute(TIMESTAMPTZ),
activity_rollup_next(INTEGER, TIMESTAMPTZ),
activity_rollup_mark(),
activity_rollup_forget(TIMESTAMPTZ),
activity_rollup_forget_all(),
activity_rollup_add(TIMESTAMPTZ, TIMESTAMPTZ),
activity_rollup_recount(BIGINT),
activity_roll_up(TIMESTAMPTZ, BIGINT, TIMESTAMPTZ)
FROM public;

-- Every writer compares with the boundary, by the triggers.
GRANT SELECT ON SEQUENCE activity_rollup_boundary TO surf_lamp_app;
GRANT SELECT ON
activity_rollup, activity_rollup_count, activity_rollup_lamp, activity_rollup_stale
TO surf_lamp_app, surf_lamp_read;
GRANT EXECUTE ON FUNCTION activity_roll_up(TIMESTAMPTZ, BIGINT, TIMESTAMPTZ) TO surf_lamp_app;
GRANT EXECUTE ON FUNCTION activity_rollup_next(INTEGER, TIMESTAMPTZ) TO surf_lamp_app, surf_lamp_read;

-- migrate:down
DROP TRIGGER activity_log_is_emptied ON activity_log;
DROP TRIGGER activity_log_changes_late ON activity_log;
DROP TRIGGER activity_log_goes_late ON activity_log;
DROP TRIGGER activity_log_comes_late ON activity_log;
DROP FUNCTION activity_roll_up(TIMESTAMPTZ, BIGINT, TIMESTAMPTZ);
DROP FUNCTION activity_rollup_recount(BIGINT);
DROP FUNCTION activity_rollup_add(TIMESTAMPTZ, TIMESTAMPTZ);
DROP FUNCTION activity_rollup_forget_all();
DROP FUNCTION activity_rollup_forget(TIMESTAMPTZ);
DROP FUNCTION activity_rollup_mark();
DROP FUNCTION activity_rollup_next(INTEGER, TIMESTAMPTZ);
DROP FUNCTION activity_rollup_minute(TIMESTAMPTZ);
DROP TABLE activity_rollup_stale;
DROP TABLE activity_rollup_lamp;
DROP TABLE activity_rollup_count;
DROP TABLE activity_rollup;
DROP SEQUENCE activity_rollup_boundary;
