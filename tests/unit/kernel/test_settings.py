"""Settings: where they come from, what is refused, and what is never shown."""

import copy
import json
import logging
import os
import pickle
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surf_data.errors import ConfigurationError
from surf_data.kernel.secret import Secret
from surf_data.kernel.settings import ENVIRONMENT_PREFIX, Settings, SettingsKeywords, load

SECRET = "planted-7f3a"
FIELDS = attrs.fields_dict(Settings)
NUMBERS = [name for name, field in FIELDS.items() if field.metadata["low"] is not None]
WORDS = {
    "database_url": ["", "postgresql://host/db"],
    "encryption_keys": ["", "a key"],
    "redis_url": ["", "redis://host/0"],
    "replica_url": ["", "postgresql://replica/db"],
    "application_name": ["", "nightly import"],
    "jit": ["1", "on", " TRUE ", "yes", "0", "off", "False", "no"],
    "prepared_statements": ["auto", "on", "off"],
    "trace_context": ["1", "off"],
    "journal_spool": ["/var/spool/surf", "a folder"],
    "cache_prefix": ["", "staging:", "{surf}.2-x_"],
}
BAD_WORDS = {
    "database_url": ["two\nlines", "lone \ud800 surrogate"],
    "encryption_keys": ["nul \0 character"],
    "redis_url": ["nul \0 character"],
    "replica_url": ["two\nlines"],
    "application_name": ["a\ttab"],
    "jit": ["", "perhaps", "2"],
    "prepared_statements": ["", "ON", "perhaps"],
    "trace_context": ["", "00"],
    "journal_spool": ["a\tfolder"],
    "cache_prefix": ["two\nlines"],
}
BAD_NUMBERS = ["", "many", "0x10", "nan", "inf", "-inf", "1e999", "-1", "1e12"]


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return ENVIRONMENT_PREFIX + name.upper()


def bad_values() -> list[tuple[str, str]]:
    """Return each setting with each text that it refuses."""
    words = [(name, value) for name, values in BAD_WORDS.items() for value in values]
    beyond = [(name, str(FIELDS[name].metadata["high"] + 1)) for name in NUMBERS]
    return [*words, *((name, value) for name in NUMBERS for value in BAD_NUMBERS), *beyond]


def test_defaults_are_those_of_the_specification() -> None:
    """Without keywords and environment the pool and JIT are as the specification wants them."""
    found = load({})
    assert (found.pool_min_size, found.pool_max_size, found.pool_max_idle) == (5, 20, 300.0)
    assert (found.application_name, found.jit) == ("surf_data", False)
    assert (found.statement_timeout, found.slow_query_ms) == (60.0, 1000.0)
    assert found.database_url is None
    assert found.redis_url is None


@pytest.mark.parametrize(
    ("keywords", "deadline"),
    [
        ({}, 70.0),
        ({"statement_timeout": 5}, 15.0),
        ({"statement_timeout": 86_400}, 86_400.0),
        ({"statement_timeout": 0}, 0.0),
        ({"statement_timeout": 5, "deadline": 1}, 1.0),
    ],
)
def test_the_deadline_leaves_time_for_the_statement(keywords: dict[str, float], deadline: float) -> None:
    """When it is not given, it is later than the server's own time-out, and none when that is none."""
    assert load({}, **keywords).deadline == deadline


def test_the_former_names_of_the_journal_still_count() -> None:
    """The variables from before the journal served every table set it, unless the new ones are there."""
    former = {"SURF_DATA_SPOOL": "/a", "SURF_DATA_SPOOL_MAX_BYTES": "2048", "SURF_DATA_BUFFER": "7"}
    found = load({**former, "SURF_DATA_BUFFER_SECONDS": "2", "SURF_DATA_JOURNAL_SPOOL": "/b"})
    assert (found.journal_spool, found.journal_spool_max_bytes) == ("/b", 2048)
    assert (found.journal_buffer, found.journal_buffer_seconds) == (7, 2.0)


def test_every_setting_is_tested() -> None:
    """The tables of these tests name every setting."""
    assert set(FIELDS) == {*WORDS, *NUMBERS}
    assert set(WORDS) == set(BAD_WORDS)


@pytest.mark.parametrize("limit", ["low", "high"])
@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_may_be_as_far_as_its_range_goes(name: str, limit: str) -> None:
    """Both ends of a range are accepted, as the number itself and as the text of a variable."""
    value = FIELDS[name].metadata[limit]
    assert value == getattr(load({}, **{"pool_max_size": 1000, name: value}), name)
    assert value == getattr(load({variable("pool_max_size"): "1000", variable(name): str(value)}), name)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WORDS.items() for value in values])
def test_words_are_accepted(name: str, value: str) -> None:
    """Every documented way to write a setting is accepted from the environment."""
    load({variable(name): value})


@pytest.mark.parametrize(("name", "value"), bad_values())
def test_a_malformed_variable_is_named_and_not_shown(name: str, value: str, refused: Callable[..., Any]) -> None:
    """The error for a malformed variable names the variable and not its value."""
    error = refused(lambda: load({variable(name): value}), ConfigurationError)
    assert variable(name) == error.setting
    assert f"{variable(name)} must be {FIELDS[name].metadata['expected']}" == str(error)


@pytest.mark.parametrize("name", FIELDS)
def test_a_keyword_of_the_wrong_type_is_named_and_not_shown(name: str, refused: Callable[..., Any]) -> None:
    """The error for a keyword of a wrong type names the keyword and not its value."""
    for value in (b"5", [SECRET], {}, object(), *([] if FIELDS[name].default is False else [True])):
        error = refused(lambda value=value: load({}, **{name: value}), ConfigurationError)
        assert (name, f"{name} must be {FIELDS[name].metadata['expected']}") == (error.setting, str(error))


@given(name=st.sampled_from(list(FIELDS)), value=st.text(st.characters(exclude_characters="\0", codec="utf-8")))
def test_nothing_but_a_configuration_error_comes_of_any_text(name: str, value: str) -> None:
    """Whatever a variable holds, it is taken or refused with the one error that names it."""
    found: list[str | None] = []
    try:
        load({variable(name): value})
    except ConfigurationError as error:
        found.append(error.setting)
    assert found in ([], [variable(name)], ["pool_min_size"])


@pytest.mark.parametrize(
    "unknown", ["SURF_DATA_POOL_SIZE", "SURF_DATA_", "SURF_DATA_pool_max_size", "SURF_DATA_Pool_Max_Size"]
)
def test_an_unknown_variable_is_an_error_that_names_it(unknown: str, refused: Callable[..., Any]) -> None:
    """A misspelt variable of ours, or one in another case, is refused by name, whatever it holds."""
    error = refused(lambda: load({unknown: SECRET, "SURF_BOARD": "not ours"}), ConfigurationError)
    assert (unknown, f"unknown environment variable {unknown}") == (error.setting, str(error))


def test_an_unknown_keyword_is_an_error_that_names_it(refused: Callable[..., Any]) -> None:
    """A misspelt keyword is refused by name."""
    error = refused(lambda: load({}, pool_size=SECRET), ConfigurationError)
    assert (error.setting, str(error)) == ("pool_size", "unknown setting pool_size")


def test_keywords_win_over_our_variables_and_those_over_libpqs() -> None:
    """A setting comes from the keyword, else from SURF_DATA_*, else from the PG* variable that libpq knows."""
    libpq = {"PGAPPNAME": "third", "PGCONNECT_TIMEOUT": "33"}
    ours = {"SURF_DATA_APPLICATION_NAME": "second", "SURF_DATA_CONNECT_TIMEOUT": "22"}
    found = load(libpq)
    assert (found.application_name, found.connect_timeout) == ("third", 33)
    found = load({**libpq, **ours})
    assert (found.application_name, found.connect_timeout) == ("second", 22)
    found = load({**libpq, **ours}, application_name="first", connect_timeout=11)
    assert (found.application_name, found.connect_timeout) == ("first", 11)
    found = load({**libpq, **ours}, application_name=None, connect_timeout=None)
    assert (found.application_name, found.connect_timeout) == ("second", 22)


def test_a_malformed_variable_of_libpq_is_named(refused: Callable[..., Any]) -> None:
    """A PG* variable that we read is held to the same rules, under its own name."""
    error = refused(lambda: load({"PGCONNECT_TIMEOUT": SECRET}), ConfigurationError)
    assert (
        error.setting,
        str(error),
    ) == ("PGCONNECT_TIMEOUT", "PGCONNECT_TIMEOUT must be whole seconds from 1 to 3600")


def test_the_environment_is_the_process_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a mapping, the variables are those of the process."""
    for name in [name for name in os.environ if name.startswith(ENVIRONMENT_PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SURF_DATA_CACHE_PREFIX", "here:")
    assert load().cache_prefix == "here:"


def test_a_small_pool_needs_no_minimum() -> None:
    """A maximum below the default minimum lowers it; one that was given stays as it is."""
    assert load({}, pool_max_size=2).pool_min_size == 2
    assert load({"SURF_DATA_POOL_MAX_SIZE": "50"}).pool_min_size == 5
    assert load({}, pool_min_size=0, pool_max_size=2).pool_min_size == 0


def test_a_minimum_above_the_maximum_is_refused(refused: Callable[..., Any]) -> None:
    """A pool cannot keep more connections than it may have."""
    error = refused(lambda: load({}, pool_min_size=3, pool_max_size=2), ConfigurationError)
    assert error.setting == "pool_min_size"
    assert refused(lambda: load({}, pool_min_size=21), ConfigurationError).setting == "pool_min_size"


def test_the_keywords_are_the_settings_beside_the_urls() -> None:
    """Type checkers know every setting as a keyword."""
    assert {*FIELDS} - {"database_url", "redis_url"} == {*SettingsKeywords.__annotations__}


def test_a_secret_is_revealed_only_on_request() -> None:
    """A secret gives its text to reveal() and nothing else."""
    secret = Secret(SECRET)
    assert secret.reveal() == SECRET
    shown = [str(secret), repr(secret), f"{secret}", f"{secret!r}", f"{secret} {secret!r}", format(secret)]
    assert shown == ["***", "Secret('***')", "***", "Secret('***')", "*** Secret('***')", "***"]


@pytest.mark.parametrize(
    "take",
    [pickle.dumps, copy.copy, copy.deepcopy, json.JSONEncoder().encode, vars, lambda secret: format(secret, ">9")],
    ids=["pickle", "copy", "deepcopy", "json", "vars", "format"],
)
def test_a_secret_does_not_travel(take: Callable[[Secret], object]) -> None:
    """A secret can be neither pickled, copied, formatted nor serialised by accident, and the error does not show it."""
    with pytest.raises(TypeError) as caught:
        take(Secret(SECRET))
    assert SECRET not in repr(caught.value)


def test_secrets_are_equal_when_their_texts_are() -> None:
    """Secrets compare, and can be kept in sets, by their text; a plain text is no secret."""
    assert Secret(SECRET) == Secret(SECRET)
    assert Secret(SECRET) != Secret("other")
    assert Secret(SECRET) != SECRET
    assert {Secret(SECRET)} == {Secret(SECRET), Secret(SECRET)}
    assert load({}, redis_url=Secret("redis://h")).redis_url == Secret("redis://h")


def test_settings_do_not_show_their_urls(caplog: pytest.LogCaptureFixture) -> None:
    """Neither the settings nor what attrs makes of them show a URL, in a log record or anywhere else."""
    caplog.set_level(logging.NOTSET)
    found = load({"SURF_DATA_REDIS_URL": f"redis://:{SECRET}@h"}, database_url=f"postgresql://u:{SECRET}@h/d")
    logging.getLogger("surf_data.test").info("settings %s", found, extra={"facts": attrs.asdict(found)})
    shown = [str(found), repr(found), repr(attrs.asdict(found)), repr(attrs.astuple(found)), caplog.text]
    shown += [repr(vars(record)) for record in caplog.records]
    assert [text for text in shown if SECRET in text] == []
