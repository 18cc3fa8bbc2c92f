"""Functions of PostgreSQL's own that return null only where they are given null.

A strict function returns null for null, but that it never does for anything else is written nowhere. So these are named
one by one, by what the server calls them itself: `lower` of a text is never null, `lower` of a range is. The tests call
each with the values that are known for trouble: infinities, NaN, empty texts, arrays and ranges, JSON's null.
"""

import re

_TYPES = (
    "array|bit|bool|bpchar|bytea|cash|char|date|enum|inet|interval|jsonb|macaddr|macaddr8|multirange|name|network"
    "|numeric|oid|oidvector|pg_lsn|range|record|text|tid|time|timestamp|timestamptz|timetz|tsquery|tsvector|uuid|xid8"
    "|float4|float48|float8|float84|int2|int24|int28|int4|int42|int48|int8|int82|int84"
)

#: Comparisons, by the way in which the server's authors named them.
_COMPARISONS = re.compile(
    rf"(?:{_TYPES})_?(?:eq|ne|lt|le|gt|ge|larger|smaller|cmp)|bttextcmp|(?:text|bpchar)_pattern_(?:lt|le|gt|ge)"
    r"|(?:date|timestamp|timestamptz)_(?:eq|ne|lt|le|gt|ge)_(?:date|timestamp|timestamptz)"
    r"|(?:nametext|textname|name|text|bpchar|bytea)(?:eq|ne|lt|le|gt|ge)(?:name|text)?"
    r"|(?:name|text|bpchar)(?:like|nlike|iclike|icnlike|regexeq|regexne|icregexeq|icregexne)|bytea(?:like|nlike)"
    r"|xid(?:eq|neq)|xideqint4|xidneqint4"
)

#: Arithmetic of numbers.
_ARITHMETIC = re.compile(
    r"int(?:2|4|8|24|28|42|48|82|84)(?:pl|mi|mul|div|mod|um|up|abs|and|or|xor|not|shl|shr|larger|smaller)"
    r"|int(?:4|8)(?:gcd|lcm)"
    r"|float(?:4|8|48|84)(?:pl|mi|mul|div|um|up|abs|larger|smaller)"
    r"|numeric_(?:add|sub|mul|div|mod|div_trunc|uminus|uplus|abs|round|trunc|ceil|floor|sqrt|exp|ln|log|power|sign"
    r"|gcd|lcm|larger|smaller|inc)"
    r"|d(?:round|trunc|ceil|floor|sqrt|cbrt|pow|exp|log1|log10|sign|sin|cos|tan|asin|acos|atan|atan2|pi)"
    r"|degrees|radians"
)

_NAMED = frozenset(
    """
    array_cardinality array_sort array_to_json array_to_json_pretty array_to_text arraycontained
    arraycontains arrayoverlap trim_array

    binary_decode binary_encode bytea_bit_count bytea_substr bytea_substr_no_len byteacat byteaoctetlen byteapos
    byteatrim md5_bytea sha224_bytea sha256_bytea sha384_bytea sha512_bytea crc32_bytea crc32c_bytea

    ascii btrim btrim1 casefold chr initcap lower lpad ltrim ltrim1 md5_text quote_ident quote_literal
    repeat replace_text rpad rtrim rtrim1 split_part text_left text_reverse text_right text_starts_with
    text_substr text_substr_no_len textcat textlen textoctetlen textoverlay textoverlay_no_len textpos
    textregexreplace textregexreplace_noopt to_hex32 to_hex64 translate unicode_normalize_func upper bpcharlen
    bpcharoctetlen like_escape similar_to_escape_1 similar_to_escape_2 textregexreplace_extended
    textregexreplace_extended_no_flags textregexreplace_extended_no_n regexp_count regexp_count_no_flags
    regexp_count_no_start regexp_like regexp_like_no_flags

    bool_int4 booltext bpchar bpchar_name char_text dtof dtoi2 dtoi4 dtoi8 float4_numeric float8_numeric ftod ftoi2
    ftoi4 ftoi8 i2tod i2tof i2toi4 i4tod i4tof i4toi2 i8tod i8tof i8tooid int28 int2_numeric int4_bool int4_cash
    int4_numeric int48 int82 int84 int8_numeric name_bpchar name_text numeric numeric_float4 numeric_float8 numeric_int2
    numeric_int4 numeric_int8 oidtoi8 text_name varchar int8_cash numeric_cash cash_numeric

    clock_timestamp date_finite date_mi date_mi_interval date_mii date_pl_interval date_pli date_timestamp
    date_timestamptz datetime_timestamp datetimetz_timestamptz float8_timestamptz interval_div interval_finite
    interval_justify_days interval_justify_hours interval_justify_interval interval_mi interval_mul interval_pl
    interval_scale interval_trunc interval_um make_date make_interval make_time make_timestamp make_timestamptz
    make_timestamptz_at_timezone mul_d_interval now statement_timestamp time_interval time_mi_interval time_mi_time
    time_pl_interval time_scale time_timetz timeofday timestamp_bin timestamp_date timestamp_finite timestamp_izone
    timestamp_mi timestamp_mi_interval timestamp_pl_interval timestamp_scale timestamp_timestamptz timestamp_trunc
    timestamp_zone timestamptz_bin timestamptz_date timestamptz_izone timestamptz_mi_interval timestamptz_pl_interval
    timestamptz_scale timestamptz_timestamp timestamptz_trunc timestamptz_trunc_zone timestamptz_zone timetz_time

    json_array_length json_strip_nulls json_typeof jsonb_array_length jsonb_concat jsonb_contained jsonb_contains
    jsonb_delete jsonb_delete_array jsonb_delete_idx jsonb_delete_path jsonb_exists jsonb_exists_all jsonb_exists_any
    jsonb_insert jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_typeof row_to_json row_to_json_pretty to_json to_jsonb

    elem_contained_by_range elem_contained_by_multirange multirange_contains_elem multirange_contains_multirange
    multirange_contains_range multirange_empty multirange_overlaps_multirange range_adjacent range_after range_before
    range_contained_by range_contains range_contains_elem range_empty range_intersect range_lower_inc range_lower_inf
    range_merge range_minus range_overlaps range_overleft range_overright range_union range_upper_inc range_upper_inf

    plainto_tsquery plainto_tsquery_byid phraseto_tsquery phraseto_tsquery_byid to_tsquery to_tsquery_byid to_tsvector
    to_tsvector_byid ts_headline ts_headline_byid ts_match_qv ts_match_vq ts_rank_tt ts_rank_ttf ts_rankcd_tt
    ts_rankcd_ttf tsvector_concat tsvector_length tsvector_setweight tsvector_strip websearch_to_tsquery
    websearch_to_tsquery_byid

    network_broadcast network_cmp network_family network_host network_hostmask network_masklen network_netmask
    network_network network_overlap network_show network_sub network_subeq network_sup network_supeq inet_to_cidr

    currval_oid gen_random_uuid hashtext hashtextextended lastval nextval_oid setval_oid setval3_oid uuidv7
    uuidv7_interval drandom numeric_random int4random int8random current_database pgsql_version pg_backend_pid
    show_config_by_name pg_current_xact_id pg_current_wal_flush_lsn pg_current_wal_insert_lsn pg_current_wal_lsn
    pg_stat_get_vacuum_count pg_stat_get_xact_numscans pg_wal_lsn_diff pg_advisory_unlock_int8 pg_advisory_unlock_int4
    pg_try_advisory_lock_int8 pg_try_advisory_lock_int4 pg_try_advisory_xact_lock_int8 pg_try_advisory_xact_lock_int4
    width_bucket_float8 width_bucket_numeric
    """.split()
)

#: Functions that are not strict, and never null when these of their arguments are not: their places, from 0. They
#: take any number of arguments; what is given as ``VARIADIC`` counts as one of them.
BY_ARGUMENT: dict[str, tuple[int, ...]] = {
    "array_append": (),
    "array_prepend": (),
    "format_type": (0,),
    "json_build_array": (),
    "json_build_array_noargs": (),
    "json_build_object": (),
    "json_build_object_noargs": (),
    "jsonb_build_array": (),
    "jsonb_build_array_noargs": (),
    "jsonb_build_object": (),
    "jsonb_build_object_noargs": (),
    "set_config_by_name": (),
    "text_concat": (),
    "text_concat_ws": (0,),
    "text_format": (0,),
    "text_format_nv": (0,),
    "text_to_array": (0,),
}

#: Functions that return rows, none of whose columns is ever null.
ROWS = frozenset(
    """
    generate_series_int4 generate_series_int8 generate_series_numeric generate_series_step_int4
    generate_series_step_int8 generate_series_step_numeric generate_series_timestamp generate_series_timestamptz
    generate_series_timestamptz_at_zone generate_subscripts generate_subscripts_nodir json_array_elements json_each
    json_object_keys jsonb_array_elements jsonb_each jsonb_object_keys regexp_matches regexp_split_to_table
    regexp_split_to_table_no_flags text_to_table
    """.split()
)


def never_null(internal: str | None) -> bool:
    """Return whether a built-in function returns null only for null.

    Arguments:
        internal: its name within the server; ``None`` for a function that is not built in.
    """
    return internal is not None and (
        internal in _NAMED
        or _COMPARISONS.fullmatch(internal) is not None
        or _ARITHMETIC.fullmatch(internal) is not None
    )
