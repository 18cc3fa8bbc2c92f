"""Compares the attrs classes of rows with the columns that PostgreSQL gives."""

from collections.abc import Iterator
from typing import Any

import attrs

from surf_data.review.analysis import python_types
from surf_data.review.analysis.facts import Facts, ResultColumn
from surf_data.review.stubs import annotations


def row_problems(row: type[attrs.AttrsInstance], facts: Facts) -> Iterator[str]:
    """Yield what is wrong with the class of a query's rows, in words to act on.

    Arguments:
        row: a class with a positional field for each column, in the same order.
        facts: the query.
    """
    columns = {column.name: column for column in facts.columns or ()}
    names = [column.name for column in facts.columns or ()]
    try:
        fields = {field.name: field for field in attrs.fields(attrs.resolve_types(row))}
    except NameError as error:
        yield f"{row.__name__}: the annotation {error.name} is not known when the program runs"
        return
    for name in columns:
        if names.count(name) > 1:
            yield f"two columns are called {name}; give one another name with AS"
        if name not in fields:
            yield f"{row.__name__} has no field for the column {name}"
    for name in fields:
        if name not in columns:
            yield f"{row.__name__}.{name} has no column"
    if sorted(names) == sorted(fields) and names != list(fields):
        yield f"{row.__name__} has its fields in another order than the columns: {', '.join(names)}"
    for name, field in fields.items():
        # What a converter makes of a value, the annotation says; what it takes, nothing does.
        if name in columns and field.converter is None:
            yield from _wrong(row, field, columns[name])


def _wrong(row: type[attrs.AttrsInstance], field: "attrs.Attribute[Any]", column: ResultColumn) -> Iterator[str]:
    given = python_types.read(column.type)
    place = f"{row.__name__}.{field.name}"
    if not annotations.takes(field.type, given):
        write = annotations.Imports().written
        yield f"{place} is {write(field.type)}, but {column.type.name} arrives as {write(given)}"
    elif column.nullable and not annotations.takes(field.type, None):
        yield f"{place} is not optional, but the column may be null: {column.reason}"
