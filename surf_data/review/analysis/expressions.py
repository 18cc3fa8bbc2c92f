"""Whether an expression is null, given what it is made of."""

import itertools
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Protocol

import attrs

from surf_data.review.analysis import conditions, never_null
from surf_data.review.analysis.nodes import Node
from surf_data.review.analysis.scope import Scope


@attrs.frozen
class Claim:
    """Whether an expression is sure not to be null."""

    not_null: bool
    #: Why it is, or what may make it null.
    reason: str


def sure(reason: str) -> Claim:
    """Return the claim that something is not null."""
    return Claim(not_null=True, reason=reason)


def maybe(reason: str) -> Claim:
    """Return the claim that something may be null."""
    return Claim(not_null=False, reason=reason)


class Look(Protocol):
    """Looks at the parts of an expression."""

    @abstractmethod
    def of(self, expression: Node, scope: Scope) -> Claim:
        """Return whether an expression is sure not to be null."""

    @abstractmethod
    def unsure(self, expressions: Iterable[Node], scope: Scope) -> Claim | None:
        """Return the first claim that one of them may be null; ``None`` when all are sure."""


def _call(look: Look, call: Node, scope: Scope) -> Claim:
    function = scope.catalog.functions.get(call.number("funcid" if call.kind == "FUNCEXPR" else "opfuncid"))
    if function is None or call.true("funcretset") or call.true("opretset"):
        return maybe("a function may return null")
    arguments = call.items("args")
    if function.internal in never_null.BY_ARGUMENT:
        places = never_null.BY_ARGUMENT[function.internal]
        wanted = arguments if call.true("funcvariadic") else [arguments[place] for place in places]
        return look.unsure(wanted, scope) or sure(f"{function.name}() is never null")
    if not never_null.never_null(function.internal):
        return maybe(f"{function.name}() may return null")
    return look.unsure(arguments, scope) or sure(f"{function.name}() is null only for null")


def _array_operator(look: Look, expression: Node, scope: Scope) -> Claim:
    value, array = expression.items("args")
    function = scope.catalog.functions.get(expression.number("opfuncid"))
    if function is None or not never_null.never_null(function.internal) or array.kind != "ARRAYEXPR":
        return maybe("an array may hold null")
    return look.unsure([value, *array.items("elements")], scope) or sure("a comparison with values")


def _boolean(look: Look, expression: Node, scope: Scope) -> Claim:
    return look.unsure(expression.items("args"), scope) or sure("a condition over values")


def _same(look: Look, expression: Node, scope: Scope) -> Claim:
    return look.of(expression["arg"], scope)


def _coalesce(look: Look, expression: Node, scope: Scope) -> Claim:
    claims = [look.of(argument, scope) for argument in expression.items("args")]
    found = next((claim for claim in claims if claim.not_null), None)
    name = "COALESCE" if expression.kind == "COALESCEEXPR" else "GREATEST or LEAST"
    return claims[-1] if found is None else sure(f"{name} with what is not null: {found.reason}")


def _case(look: Look, expression: Node, scope: Scope) -> Claim:
    for branch in expression.items("args"):
        condition = branch["expr"]
        met = scope.branch | conditions.if_true(condition, scope)
        claim = look.of(branch["result"], attrs.evolve(scope, branch=met))
        if not claim.not_null:
            return claim
    claim = look.of(expression["defresult"], scope)
    return sure("no branch of CASE is null") if claim.not_null else claim


def _aggregate(look: Look, call: Node, scope: Scope) -> Claim:
    function = scope.catalog.functions.get(call.number("aggfnoid"))
    name = function.name if function and function.internal else None
    if name == "count":
        return sure("count() is never null")
    if name not in _AGGREGATES or call.number("agglevelsup") or call["aggfilter"] or call["aggkind"] != "n":
        return maybe("an aggregate may be null")
    if scope.grouping_sets() or not scope.query.items("groupClause"):
        return maybe(f"{name}() of no rows is null")
    if name in _COLLECTING:
        return sure(f"{name}() of a group has an element")
    inner = attrs.evolve(scope, grouped=False)
    arguments = [target["expr"] for target in call.items("args") if not target.true("resjunk")]
    return look.unsure(arguments, inner) or sure(f"{name}() of values of a group")


def _window(look: Look, call: Node, scope: Scope) -> Claim:
    function = scope.catalog.functions.get(call.number("winfnoid"))
    name = function.name if function and function.internal else None
    if name in _RANKS:
        return sure(f"{name}() is never null")
    clauses = scope.query.items("windowClause")
    frame = next((each for each in clauses if each["winref"] == call["winref"]), None)
    if name not in _AGGREGATES | {"first_value", "last_value"} or call["aggfilter"] or frame is None:
        return maybe("a window function may be null")
    options = frame.number("frameOptions")
    if not (options & _FROM_THIS_ROW_OR_BEFORE and options & _TO_THIS_ROW_OR_AFTER) or options & _EXCLUDE:
        return maybe("a frame may be empty")
    return look.unsure(call.items("args"), scope) or sure(f"{name}() of values of a frame")


def _constant(_look: Look, expression: Node, _scope: Scope) -> Claim:
    return maybe("NULL") if expression.true("constisnull") else sure("a constant")


def _parameter(_look: Look, expression: Node, scope: Scope) -> Claim:
    if expression["paramkind"] == "2":
        return sure("a value of the subquery")
    if scope.is_proven(conditions.parameter(expression.number("paramid"))):
        return sure("a condition excludes null")
    return maybe("a parameter may be null")


def _system_value(_look: Look, expression: Node, _scope: Scope) -> Claim:
    # CURRENT_SCHEMA is null when no schema of the search path exists.
    return maybe("CURRENT_SCHEMA may be null") if expression["op"] == "14" else sure("a value of the session")


def _always(_look: Look, expression: Node, _scope: Scope) -> Claim:
    return sure(_ALWAYS[expression.kind])


def _json(look: Look, expression: Node, scope: Scope) -> Claim:
    return look.of(expression["expr"], scope)


def _json_constructor(_look: Look, expression: Node, _scope: Scope) -> Claim:
    # 1 is JSON_OBJECT, 2 is JSON_ARRAY.
    made = expression["type"] in {"1", "2"}
    return sure("a JSON document is made") if made else maybe("a JSON function may return null")


def _row_comparison(look: Look, expression: Node, scope: Scope) -> Claim:
    both = itertools.chain(expression.items("largs"), expression.items("rargs"))
    return look.unsure(both, scope) or sure("a comparison of values")


# The server's bits for frames: UNBOUNDED PRECEDING or CURRENT ROW, UNBOUNDED FOLLOWING or CURRENT ROW, EXCLUDE.
_FROM_THIS_ROW_OR_BEFORE = 0x20 | 0x200
_TO_THIS_ROW_OR_AFTER = 0x100 | 0x400
_EXCLUDE = 0x8000 | 0x10000 | 0x20000

#: Aggregates that are null only where no row, or none but nulls, went in.
_AGGREGATES = frozenset(
    "any_value array_agg avg bit_and bit_or bool_and bool_or every json_agg json_object_agg jsonb_agg jsonb_object_agg"
    " max min string_agg sum".split()
)
#: Aggregates that take nulls in, too.
_COLLECTING = frozenset("array_agg json_agg json_object_agg jsonb_agg jsonb_object_agg".split())
_RANKS = frozenset("count cume_dist dense_rank percent_rank rank row_number".split())
_ALWAYS = {
    "ARRAYEXPR": "an array, whatever is in it",
    "BOOLEANTEST": "IS ... is true or false",
    "DISTINCTEXPR": "IS DISTINCT FROM is true or false",
    "GROUPINGFUNC": "GROUPING() is a number",
    "MERGESUPPORTFUNC": "MERGE does something",
    "NULLTEST": "IS NULL is true or false",
    "ROWEXPR": "a row, whatever is in it",
}
KINDS: dict[str, Callable[[Look, Node, Scope], Claim]] = {
    "AGGREF": _aggregate,
    "ARRAYCOERCEEXPR": _same,
    "BOOLEXPR": _boolean,
    "CASEEXPR": _case,
    "COALESCEEXPR": _coalesce,
    "COERCETODOMAIN": _same,
    "COERCEVIAIO": _same,
    "COLLATEEXPR": _same,
    "CONST": _constant,
    "CONVERTROWTYPEEXPR": _same,
    "FUNCEXPR": _call,
    "JSONCONSTRUCTOREXPR": _json_constructor,
    "JSONISPREDICATE": _json,
    "MINMAXEXPR": _coalesce,
    "NAMEDARGEXPR": _same,
    "OPEXPR": _call,
    "PARAM": _parameter,
    "RELABELTYPE": _same,
    "ROWCOMPAREEXPR": _row_comparison,
    "SCALARARRAYOPEXPR": _array_operator,
    "SQLVALUEFUNCTION": _system_value,
    "WINDOWFUNC": _window,
    **dict.fromkeys(_ALWAYS, _always),
}
