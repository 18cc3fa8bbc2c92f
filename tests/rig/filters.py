"""Filters for `surf_data.mining`, generated: most are in the grammar, some nearly, some hostile."""

import random
from collections.abc import Iterator

#: Columns of ``dx.asset_cycle_tmp_vlx`` of each type.
COLUMNS = {
    "text": ("asset_guid", "cycle_status", "current_area", "tmp_idle_near_loader"),
    "integer": ("cycle_number", "asset_cycle_vlx_id", "outlier_type_id"),
    "float": ("loader_latitude", "load_seconds"),
    "boolean": ("is_outlier", "is_within_load_region"),
    "time": ("created_date", "cycle_end_utc"),
}

#: What people try.
HOSTILE = (
    "' OR 1=1 --",
    "'; DROP TABLE mining.asset_cycles; --",
    "') OR ('a'='a",
    "1 OR 1=1",
    "pg_sleep(10)",
    "cycle_status = cycle_status",
    "cycle_status = (SELECT 'x')",
    "EXISTS (SELECT 1)",
    "cycle_status = 'a' UNION SELECT 1",
    "cycle_status::text = 'a'",
    "cycle_status = E'\\x41'",
    "cycle_status = U&'\\0041'",
    "cycle_status = B'1'",
    "cycle_status = $$a$$",
    "cycle_status = $1",
    "cycle_status = :name",
    "cycle_status = ?",
    "cycle_status = 'a'/**/OR/**/1=1",
    "cycle_status = 'a' -- b",
    "cycle_status = 'a' \x00",
    "cycle_status = 'a\\' OR 1=1 --'",
    "cycle_status ~ '.*'",
    "cycle_status SIMILAR TO 'a'",
    "cycle_status = ANY('{a}')",
    "cycle_status = ALL(ARRAY['a'])",
    "cycle_status IS DISTINCT FROM 'a'",
    "cycle_status COLLATE \"C\" = 'a'",
    "cycle_status = 'a' || 'b'",
    "cycle_status = concat('a')",
    "cycle_status = CURRENT_USER",
    "cycle_number = 1 + 1",
    "cycle_number = 0x1F",
    "cycle_number = 1_000",
    "cycle_number !=-1",
    "cycle_number = 1e2",
    "cycle_number = '1'",
    "cycle_number = 9999999999999999999999",
    "load_seconds = 1e999",
    "load_seconds = 1e-400",
    "load_seconds = 'NaN'",
    "load_seconds = .5",
    "load_seconds = 5.",
    "created_date = 'now'",
    "created_date = 'infinity'",
    "created_date = '2025-02-30'",
    "created_date = '2025-01-01 24:00:00'",
    "created_date = '2025-01-01 23:59:60'",
    "created_date = '2025-01-01 00:00:00.1234567'",
    "created_date = '01/02/2025'",
    "created_date = '20250101'",
    "created_date = '2025-01-01 00:00:00 America/New_York'",
    "created_date = '2025-01-01 BC'",
    "created_date = TIMESTAMP '2025-01-01'",
    "is_outlier",
    "is_outlier IS TRUE",
    "is_outlier = 'yes'",
    "is_outlier = 1",
    "NOT is_outlier",
    "cycle_number IN ()",
    "cycle_number IN (1, NULL)",
    "cycle_number = NULL",
    "cycle_status LIKE 'a' ESCAPE 'b'",
    "cycle_number LIKE '1'",
    "users.password = 'a'",
    "\"cycle_status\" = 'a'",
    "xmin = 1",
    "ctid = '(0,1)'",
    "tableoid = 1",
    "unknown = 1",
    "cycle_status = 'a' 'b'",
    "cycle_status = 'a'\n'b'",
    "cycle_status = 'a' AND",
    "AND cycle_status = 'a'",
    "(cycle_status = 'a'",
    "cycle_status = 'a')",
    "cycle_status = 'ａ' ＯＲ 1=1",
    "cycle_ſtatus = 'a'",
    "cycle_status = 'a' OR\xa01=1",
    "cycle_status BETWEEN 'a' AND 'b' AND",
    "cycle_status NOT = 'a'",
    "NOT NOT NOT NOT cycle_status = 'a'",
    "cycle_status <> 'a' <> 'b'",
    "cycle_status => 'a'",
    "cycle_status =< 'a'",
    "cycle_status == 'a'",
    "%s",
    "cycle_status = %s",
    "cycle_status = %(x)s",
    "cycle_status = '%s'",
    "cycle_status = '%'",
    "cycle_status LIKE '%%'",
)

_TEXTS = (
    "INPROGRESS",
    "COMPLETE",
    "truck-1",
    "",
    "it''s",
    "%",
    "t%",
    "_ruck-1",
    "ü",
    "LOAD",
    "a b",
    " ",
    "--",
    ";",
    "/*",
    '"',
    "$$",
    "%s",
    "{}",
    "🚚",
)
_INTEGERS = ("0", "1", "-1", "2", "3", "10", "007", "2147483648", "-2147483649", "9223372036854775807")
_FLOATS = ("0", "-0", "1", "-1.5", "0.1", "1e3", "1E-3", "1e+3", "9007199254740993", "1e308", "4.9e-324", "12.50")
_TIMES = (
    "2026-11-02",
    "2026-11-02 06:00:00",
    "2026-11-02T06:00:00",
    "2026-11-02 06:00:00+00:00",
    "2026-11-02 08:00:00+02",
    "2026-11-02 00:30:00-0530",
    "2026-11-02 06:00:00.5",
    "2026-11-02 06:00:00.000001Z",
    "2026-11-02 06:00Z",
    "0001-01-03",
    "0099-12-31 23:59:59",
    "9999-12-30 23:59:59.999999",
    "1900-02-28",
    "2000-02-29",
    "1582-10-10",
)
_OPERATORS = ("=", "<>", "!=", "<", "<=", ">", ">=")
_NOISE = (
    "'",
    '"',
    "\\",
    "--",
    "/*",
    "*/",
    ";",
    "(",
    ")",
    ",",
    "=",
    "%",
    "$",
    "\x00",
    "OR",
    "AND",
    "NOT",
    "1",
    "é",
    " ",
)


def filters(seed: int, count: int) -> Iterator[str]:
    """Yield so many filters, the same for the same seed."""
    choice = random.Random(seed)  # noqa: S311 - examples
    yield from HOSTILE[:count]
    for _ in range(count - len(HOSTILE)):
        text = _condition(choice, choice.randrange(3))
        yield _spoilt(choice, text) if choice.random() < 0.3 else text


def _spoilt(choice: random.Random, text: str) -> str:
    for _ in range(choice.randrange(1, 3)):
        place = choice.randrange(len(text) + 1)
        end = place + choice.randrange(3)
        noise = choice.choice((*_NOISE, choice.choice(HOSTILE), ""))
        text = text[:place] + noise + text[end:]
    return text


def _condition(choice: random.Random, depth: int) -> str:
    if depth == 0:
        return _predicate(choice)
    kind = choice.randrange(5)
    if kind == 0:
        return f"{_word(choice, 'not')}{_space(choice)}{_condition(choice, depth - 1)}"
    if kind == 1:
        return f"({_gap(choice)}{_condition(choice, depth - 1)}{_gap(choice)})"
    joint = _word(choice, "and" if kind < 4 else "or")
    return f"{_condition(choice, depth - 1)}{_space(choice)}{joint}{_space(choice)}{_condition(choice, depth - 1)}"


def _predicate(choice: random.Random) -> str:
    kind = choice.choice(tuple(COLUMNS))
    column = _word(choice, choice.choice(COLUMNS[kind]))
    negation = choice.choice(("", f"{_space(choice)}{_word(choice, 'not')}"))
    form = choice.randrange(8)
    if form == 0:
        return f"{column}{_space(choice)}{_word(choice, 'is')}{negation}{_space(choice)}{_word(choice, 'null')}"
    if form == 1:
        members = f"{_gap(choice)},{_gap(choice)}".join(_value(choice, kind) for _ in range(choice.randrange(1, 4)))
        return f"{column}{negation}{_space(choice)}{_word(choice, 'in')}{_gap(choice)}({_gap(choice)}{members})"
    if form == 2:
        low, high = _value(choice, kind), _value(choice, kind)
        between, joint = _word(choice, "between"), _word(choice, "and")
        return f"{column}{negation}{_space(choice)}{between}{_space(choice)}{low}{_space(choice)}{joint} {high}"
    if form == 3 and kind == "text":
        like = _word(choice, choice.choice(("like", "ilike")))
        return f"{column}{negation}{_space(choice)}{like}{_space(choice)}{_value(choice, kind)}"
    # Most have no space: that is where PostgreSQL's own scanner surprises.
    return f"{column}{_gap(choice)}{choice.choice(_OPERATORS)}{_gap(choice)}{_value(choice, kind)}"


def _value(choice: random.Random, kind: str) -> str:
    if kind == "text":
        return f"'{choice.choice(_TEXTS)}'"
    if kind == "time":
        return f"'{choice.choice(_TIMES)}'"
    if kind == "boolean":
        return _word(choice, choice.choice(("true", "false")))
    return choice.choice(_INTEGERS if kind == "integer" else _FLOATS)


def _word(choice: random.Random, word: str) -> str:
    return choice.choice((word, word.upper(), word.capitalize()))


def _space(choice: random.Random) -> str:
    return choice.choice((" ", " ", "  ", "\n", "\t", "\r\n"))


def _gap(choice: random.Random) -> str:
    return choice.choice(("", " ", "\t"))
