"""Names that callers give: of allowed characters, or refused before anything is sent."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data import ConfigurationError, ValidationError, load_queries, migrate
from surf_data.kernel import settings, validation
from surf_data.migrate import template


def unreachable(*_: object, **__: object) -> psycopg.Connection[Any]:
    """Fail a test that connects."""
    raise AssertionError


NOWHERE = Path("nowhere")
#: What a name can be given to, by the name of the field.
PLACES: dict[str, Callable[[Any], object]] = {
    "the_field": partial(validation.identifier, "the_field"),
    "domain of a runner": partial(migrate.Runner, unreachable, NOWHERE),
    "domain of a reset": lambda name: migrate.reset(unreachable, NOWHERE, name),
    "namespace": lambda name: load_queries(NOWHERE, namespace=name),
    "application": lambda name: load_queries(NOWHERE, application=name),
    "name of a migration": lambda name: template.new_file(NOWHERE, name),
    "cache_prefix": lambda name: settings.load({}, cache_prefix=name),
}
BAD = {
    "NUL": "a\0b",
    "too long": "a" * 64,
    "much too long": "a" * 1_000_000,
    "too long in bytes": "\u00e9" * 32,
    "mixed case": "Lamps",
    "another alphabet": "lamp\u0455",
    "a digit of another alphabet": "lamps\u0661",
    "a lone surrogate": "lamps\ud800",
    "a quote": 'lamps"',
    "an apostrophe": "lamps'; --",
    "the end of a comment": "lamps */ DROP TABLE lamps; /*",
    "a wildcard": "lamp*",
    "a space": "lamps ",
    "a line": "lamps\n",
    "a number": 7,
    "bytes": b"lamps",
    "a list": ["lamps"],
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("place", PLACES)
def test_bad_names(place: str, bad: object) -> None:
    """A name that would be cut off, folded, or be more than a name is refused, and the error says which it was."""
    with pytest.raises((ValidationError, ConfigurationError)) as caught:
        PLACES[place](bad)
    error = caught.value
    named = error.setting if isinstance(error, ConfigurationError) else error.field
    assert named == place.partition(" ")[0]
    assert error.__cause__ is error.__context__ is None
    assert len(str(error)) < 200


@pytest.mark.parametrize("name", ["lamps", "l", "surf_data_2", "a" * 63])
def test_good_names(name: str) -> None:
    """What can be written without quotes is taken as it is."""
    assert validation.identifier("the_field", name) == name
    assert settings.load({}, cache_prefix=name).cache_prefix == name


def test_other_marks() -> None:
    """A place may allow more marks, which mean themselves."""
    assert validation.identifier("the_field", "{a}-[b]^", marks="{}-[]^") == "{a}-[b]^"
    with pytest.raises(ValidationError):
        validation.identifier("the_field", "a_b", marks="-")
