"""Types as annotations: how they are written, and whether one takes the values of another."""

import builtins
import sys
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, get_args, get_origin

#: Where types are imported from that are defined elsewhere.
_PUBLIC = {
    "surf_data.kernel.postgres.adaptation": "surf_data.kernel.postgres",
    "surf_data.kernel.postgres.copying": "surf_data.kernel.postgres",
    "surf_data.kernel.postgres.execution": "surf_data.kernel.postgres",
}
_UNIONS = (Union, types.UnionType)


class Imports:
    """Writes types, and remembers what has to be imported for them.

    Arguments:
        taken: names that must not be used as they are, because something else has them.
    """

    def __init__(self, taken: frozenset[str] = frozenset()) -> None:
        self._taken = taken
        self._names: dict[str, tuple[str, str]] = {}

    def written(self, kind: Any) -> str:
        """Return how a type is written in an annotation."""
        if kind is None or kind is types.NoneType:
            return "None"
        if kind is ...:
            return "..."
        origin, arguments = get_origin(kind), get_args(kind)
        if origin in _UNIONS:
            # None comes last, as people write it.
            ordered = sorted(arguments, key=lambda each: each is types.NoneType)
            return " | ".join(dict.fromkeys(self.written(each) for each in ordered))
        if origin is not None:
            return f"{self.name(origin)}[{', '.join(self.written(each) for each in arguments) or '()'}]"
        return self.name(kind)

    def name(self, kind: Any) -> str:
        """Return how a class is written without its arguments."""
        module, name = str(kind.__module__), str(kind.__qualname__)
        if module == builtins.__name__ and name not in self._taken:
            return name
        place = (_PUBLIC.get(module, module), name)
        # A second class of the same name gets another one here.
        alias = name if name not in self._taken else f"_{name}"
        while self._names.setdefault(alias, place) != place:
            alias += "_"
        return alias

    def lines(self) -> Iterator[str]:
        """Yield the import statements: Python's own modules, then a blank line, then the others."""
        sections: dict[bool, dict[str, list[str]]] = {False: {}, True: {}}
        for alias, (module, name) in sorted(self._names.items()):
            others = module.partition(".")[0] not in sys.stdlib_module_names
            imported = name if alias == name else f"{name} as {alias}"
            sections[others].setdefault(module, []).append(imported)
        for place, section in enumerate(filter(None, sections.values())):
            if place:
                yield ""
            for module, names in sorted(section.items()):
                yield f"from {module} import {', '.join(sorted(names))}"


def takes(declared: Any, given: Any) -> bool:
    """Return whether every value of one type is a value of another; what cannot be known counts as such.

    Arguments:
        declared: the type that is to take the values.
        given: the type of the values.
    """
    declared, given = _plain(declared), _plain(given)
    if given is Any or declared in (Any, object):
        return True
    if get_origin(given) in _UNIONS:
        return all(takes(declared, each) for each in get_args(given))
    if get_origin(declared) in _UNIONS:
        return any(takes(each, given) for each in get_args(declared))
    if get_origin(declared) is Literal or isinstance(declared, (str, TypeVar)):
        # Which values there are, only the data knows.
        return True
    return _is_class_for(declared, given)


def _plain(declared: Any) -> Any:
    while True:
        if get_origin(declared) is Annotated:
            declared = get_args(declared)[0]
        elif isinstance(declared, NewType):
            declared = declared.__supertype__
        else:
            return types.NoneType if declared is None else declared


def _is_class_for(declared: Any, given: Any) -> bool:
    outer, inner = get_origin(declared) or declared, get_origin(given) or given
    if not isinstance(outer, type) or not isinstance(inner, type):
        return outer is inner
    # An int goes wherever a float does.
    if not issubclass(inner, outer) and (outer, inner) != (float, int):
        return False
    return all(
        # Whether an element of an array is null, nothing says; a class may.
        takes(ours, theirs) or takes(ours | None, theirs)
        for ours, theirs in zip(get_args(declared), get_args(given), strict=False)
    )
