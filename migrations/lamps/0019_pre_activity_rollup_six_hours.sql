-- Why: a day's statistics read a row for each type and each status of each hour: three hundred, and a year's a hundred
-- thousand. Entries are counted by six hours as well, so a day takes half as many and a year a third. What a roll-up
-- counts is written in the order in which it will be read.
-- What is over is counted 15 seconds after its minute has ended, instead of 60: until then it is read entry by entry.
-- What is counted stays, and what is new is added up from it. Whoever runs the code of before goes on reading minutes,
-- ten minutes and hours, which are counted as ever.
-- Locks: SHARE ROW EXCLUSIVE on activity_rollup_stale until commit: roll-ups are left to the next time, and whoever
-- writes a late entry waits. Half a second for two years, in 9 million rows.

-- migrate:up
-- Nobody but this schema's owner decides what the names in the functions mean, temporary tables included.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true) AS pinned;
LOCK TABLE activity_rollup_stale IN SHARE ROW EXCLUSIVE MODE;

-- The first time at or after a moment where a count of so many minutes begins.
CREATE FUNCTION activity_rollup_next(minutes INTEGER, moment TIMESTAMPTZ) RETURNS TIMESTAMPTZ
LANGUAGE sql
STABLE
RETURN date_bin(make_interval(mins => minutes), moment - INTERVAL '1 microsecond', '2000-01-01 00:00:00+00')
+ make_interval(mins => minutes);

-- Counts the entries of a time that is not counted yet, next to what is.
CREATE OR REPLACE FUNCTION activity_rollup_add(since TIMESTAMPTZ, until TIMESTAMPTZ) RETURNS VOID
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

-- A roll-up that has begun with the function of before must not end with this one: hence another name.
DROP FUNCTION activity_rollup_repair(BIGINT);

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
CREATE OR REPLACE FUNCTION activity_roll_up(since TIMESTAMPTZ, portion BIGINT, until TIMESTAMPTZ DEFAULT 'infinity')
RETURNS BOOLEAN
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
SET row_security = off
AS $$
DECLARE
    -- Read before this transaction has an id: whoever gets a later one compares with this or a later moment.
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
    -- Never wait, so that nobody waits in a circle.
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

INSERT INTO activity_rollup_count (minutes, began, counted, name, entries)
SELECT
    360 AS minutes,
    date_bin('6 hours', rc.began, '2000-01-01 00:00:00+00') AS began,
    rc.counted,
    rc.name,
    sum(rc.entries) AS entries
FROM activity_rollup_count AS rc
WHERE rc.minutes = 60
GROUP BY 2, 3, 4
ORDER BY 2, 3, 4;

ALTER FUNCTION activity_rollup_next(INTEGER, TIMESTAMPTZ) OWNER TO surf_lamp_owner;
ALTER FUNCTION activity_rollup_recount(BIGINT) OWNER TO surf_lamp_owner;
REVOKE ALL ON FUNCTION activity_rollup_next(INTEGER, TIMESTAMPTZ), activity_rollup_recount(BIGINT) FROM public;
GRANT EXECUTE ON FUNCTION activity_rollup_next(INTEGER, TIMESTAMPTZ) TO surf_lamp_app, surf_lamp_read;

-- migrate:down
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true) AS pinned;
LOCK TABLE activity_rollup_stale IN SHARE ROW EXCLUSIVE MODE;

-- Counts the entries of a time that is not counted yet, next to what is.
CREATE OR REPLACE FUNCTION activity_rollup_add(since TIMESTAMPTZ, until TIMESTAMPTZ) RETURNS VOID
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
CROSS JOIN (VALUES (1), (10), (60)) AS w (minutes)
GROUP BY 1, 2, 3, 4
HAVING sum(c.entries) <> 0
ON CONFLICT (minutes, began, counted, name) DO UPDATE SET entries = rc.entries + excluded.entries;
$$;

DROP FUNCTION activity_rollup_recount(BIGINT);

-- Counts anew what marks say, the latest ones first.
CREATE FUNCTION activity_rollup_repair(at_most BIGINT) RETURNS VOID
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
CROSS JOIN (VALUES (1), (10), (60)) AS w (minutes)
GROUP BY 1, 2, 3, 4
HAVING sum(c.entries) <> 0
ON CONFLICT (minutes, began, counted, name) DO UPDATE SET entries = rc.entries + excluded.entries;
$$;

-- Counts a portion of what is over, as far back as is asked for, and says whether to call it again.
CREATE OR REPLACE FUNCTION activity_roll_up(since TIMESTAMPTZ, portion BIGINT, until TIMESTAMPTZ DEFAULT 'infinity')
RETURNS BOOLEAN
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
SET row_security = off
AS $$
DECLARE
    -- Read before this transaction has an id: whoever gets a later one compares with this or a later moment.
    announced CONSTANT TIMESTAMPTZ := to_timestamp(pg_sequence_last_value('activity_rollup_boundary'));
    boundary CONSTANT TIMESTAMPTZ := activity_rollup_minute(
        least(until, clock_timestamp() - interval '1 minute')
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
    -- Never wait, so that nobody waits in a circle.
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
        -- By the hour, so that nothing is left of what is counted in part.
        IF forgotten < 'infinity' THEN
            forgotten := date_bin('1 hour', forgotten, '2000-01-01 00:00:00+00') + interval '1 hour';
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

    PERFORM activity_rollup_repair(portion / 100);
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

DELETE FROM activity_rollup_count
WHERE minutes = 360;
DROP FUNCTION activity_rollup_next(INTEGER, TIMESTAMPTZ);

ALTER FUNCTION activity_rollup_repair(BIGINT) OWNER TO surf_lamp_owner;
REVOKE ALL ON FUNCTION activity_rollup_repair(BIGINT) FROM public;
