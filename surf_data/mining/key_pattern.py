"""`RedisKeyPattern`: the name of a key with places for values."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

import attrs

from surf_data.errors import ValidationError
from surf_data.kernel import validation

_MAX_VALUE, _MAX_KEY = 200, 512
_PART = re.compile(r"\{\{|\}\}|\{(?P<name>[a-z_][a-z0-9_]*)\}|[{}]", re.IGNORECASE | re.ASCII)
# What stays as it is in a value: all but what separates the parts of a key, or is special in a pattern or a hash tag.
_SAFE = "!\"#$&'()+,-./;<=>@^_`|~"


@attrs.frozen
class RedisKeyPattern:
    """A key: ``{name}`` in the pattern stands for a value, ``{{`` and ``}}`` for braces.

    In a value, colons, braces, wildcards, blanks, control characters and what is not ASCII are percent-encoded, so that
    two different values never give one key.

    Raises:
        ValidationError: a placeholder has no value, a value no placeholder, or something has another form.
    """

    #: The pattern.
    pattern: str = attrs.field()
    #: The values: text of 1 to 200 characters, whole numbers or UUIDs.
    params: Mapping[str, Any] = attrs.field(factory=dict)
    #: The key.
    key: str = attrs.field(
        init=False, default=attrs.Factory(lambda self: _filled(self.pattern, self.params), takes_self=True)
    )


def _filled(pattern: object, params: object) -> str:
    template = validation.text("pattern", pattern, maximum=_MAX_KEY)
    given = validation.mapping("params", params)
    used: set[str] = set()

    def fill(part: re.Match[str]) -> str:
        name: str | None = part["name"]
        if name is None:
            if len(part[0]) == 1:
                raise validation.invalid("pattern", "has a brace that is no placeholder: write {{ or }}")
            return str(part[0][0])
        if name not in given:
            raise ValidationError(f"params lacks {name[:40]}", field=name[:40])
        used.add(name)
        return _encoded(f"params.{name[:40]}", given[name])

    key = _PART.sub(fill, template)
    validation.check_keys("params", given, required=tuple(used))
    if len(key.encode()) > _MAX_KEY:
        raise validation.invalid("pattern", f"gives a key of more than {_MAX_KEY} bytes")
    return key


def _encoded(field: str, value: object) -> str:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str):
        return quote(validation.text(field, value, maximum=_MAX_VALUE), safe=_SAFE)
    return str(validation.integer(field, value, minimum=-validation.INT8_MAX, maximum=validation.INT8_MAX))
