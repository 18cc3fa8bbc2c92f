"""Surf data as the cache keeps them: documents without the time at which they were stored, which the envelope knows."""

import copy
from collections.abc import Mapping
from typing import Any

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.kernel.cache import Entry
from surf_data.kernel.cache.json_values import copy_json
from surf_data.lamps.types import SurfData


def to_document(field: str, data: SurfData | Mapping[str, Any]) -> dict[str, Any]:
    """Return what is stored of ``data``.

    Arguments:
        field: what the caller calls ``data``, for the error.
        data: surf data, or a mapping that `SurfData.from_dict` accepts.

    Raises:
        ValidationError: ``data`` is refused; the error names the place in it.
    """
    surf = data if isinstance(data, SurfData) else _from_dict(field, validation.mapping(field, data))
    document = surf.to_dict()
    del document["cache_timestamp"]
    return document


def _from_dict(field: str, values: Mapping[str, Any]) -> SurfData:
    try:
        return SurfData.from_dict(values)
    except ValidationError as error:
        problem = validation.nested(f"{field}.", error)
    raise problem


def surf_data(entry: Entry) -> SurfData:
    """Return what is in an entry of the cache.

    Raises:
        ValidationError: it is not what `to_document` returns.
    """
    return SurfData.from_dict({**entry.value, "cache_timestamp": entry.stored_at})


def copy_for_caller(data: SurfData) -> SurfData:
    """Return ``data`` for a caller of its own, who may change what can be changed of it."""
    # The rest cannot be changed; and nothing needs to be checked again.
    if not data.extra:
        return data
    changed = copy.copy(data)
    object.__setattr__(changed, "extra", copy_json(data.extra))
    return changed
