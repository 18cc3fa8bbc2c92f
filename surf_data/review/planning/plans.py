"""How PostgreSQL would run a query: its plan, as values that can be walked, compared and read."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from surf_data.kernel.postgres.query_source import QuerySource

# What has a field of its own, or says nothing that the tree does not show.
_FIELDS = frozenset(
    {
        "Node Type",
        "Schema",
        "Relation Name",
        "Index Name",
        "Startup Cost",
        "Total Cost",
        "Plan Rows",
        "Plan Width",
        "Plans",
    }
)
# What a reader of the tree does not miss: it is in the first line of a node, or goes without saying.
_UNTOLD = frozenset(
    {
        "Alias",
        "Command",
        "CTE Name",
        "Function Name",
        "Inner Unique",
        "Join Type",
        "Operation",
        "Output",
        "Parallel Aware",
        "Parent Relationship",
        "Partial Mode",
        "Scan Direction",
        "Single Copy",
        "Strategy",
        "Subplan Name",
    }
)
_INDENT = "  "
# What a step returns that is run before the others; up to PostgreSQL 16 it has a number, as parameters have.
_RETURNED = re.compile(r"\(returns (?P<numbers>[^)]*)\)")
_PARAMETER = re.compile(r"(?<!:):[A-Za-z_]\w*")
# A number that an object has in this database alone, or several; those of PostgreSQL's own have fewer digits.
_NUMBER = re.compile(r"(?<=')\{?[1-9][0-9]{4}[0-9,]*\}?(?='::(?:oid|reg[a-z]+))")


@attrs.frozen(kw_only=True)
class PlanNode:
    """One step of a plan."""

    #: PostgreSQL's name for it: ``Seq Scan``, ``Index Scan``, ``Hash Join``, ``Sort``, ``ModifyTable``.
    kind: str
    #: The table that it reads or writes, with its schema.
    relation: str | None
    #: The index that it reads.
    index: str | None
    #: Cost until its first row, in the planner's units: 1 is the reading of a page in sequence.
    startup_cost: float
    #: Cost until its last row, with that of its children.
    total_cost: float
    #: How many rows the planner expects of it, each time it runs.
    rows: float
    #: Bytes of a row.
    width: int
    #: What else is known, by PostgreSQL's names: ``Filter``, ``Index Cond``, ``Sort Key``, ``Operation``. Lists are
    #: joined by commas, and what is not so is left out.
    details: Mapping[str, str]
    #: The steps whose rows it takes.
    children: tuple["PlanNode", ...]

    def nodes(self) -> Iterator["PlanNode"]:
        """Yield this step and all below it, each before its children."""
        yield self
        for child in self.children:
            yield from child.nodes()

    @property
    def own_cost(self) -> float:
        """What the step costs without those below it; 0 where it ends them early."""
        return max(self.total_cost - sum(child.total_cost for child in self.children), 0.0)

    def lines(self, depth: int = 0, *, figures: bool = True) -> Iterator[str]:
        """Yield this step and all below it as text.

        Arguments:
            depth: how far it is indented.
            figures: whether costs, rows and widths are among it.
        """
        before = _INDENT * depth
        told = f"  (cost {self.startup_cost:,.2f}..{self.total_cost:,.2f}, rows {self.rows:,.0f}, width {self.width:,})"
        yield f"{before}{self.title()}{told if figures else ''}"
        for label, text in self.told():
            yield f"{before}{_INDENT * 2}{label}: {text}"
        for child in self.children:
            yield from child.lines(depth + 1, figures=figures)

    def told(self) -> Iterator[tuple[str, str]]:
        """Yield what a reader wants to know beside the title, by PostgreSQL's names: conditions, keys, filters."""
        return ((label, text) for label, text in self.details.items() if label not in _UNTOLD)

    def title(self) -> str:
        """Return what it does, and with what, as EXPLAIN's first line of a step has it."""
        told = self.details
        words = ["Parallel"] if "Parallel Aware" in told else []
        words += [told[label] for label in ("Partial Mode",) if told.get(label, "Simple") != "Simple"]
        words.append(told.get("Operation", self.kind) if self.kind == "ModifyTable" else self.kind)
        qualities = [
            text
            for label in ("Join Type", "Strategy", "Scan Direction", "Command")
            if (text := told.get(label, "")) not in {"", "Inner", "Plain", "Forward"}
        ]
        if qualities:
            words.append(f"({', '.join(qualities)})")
        if self.index is not None:
            words += ["using", self.index]
        on = self.relation or told.get("CTE Name") or told.get("Function Name")
        if on is not None:
            words += ["on", on]
            alias = told.get("Alias", on)
            words += [alias] if alias != on.rpartition(".")[2] else []
        role = told.get("Subplan Name")
        return " ".join(words if role is None else [f"{role}:", *words])


@attrs.frozen(kw_only=True)
class Plan:
    """How PostgreSQL would run a query."""

    #: The name of the query.
    query: str
    #: The values for which it is planned, as SQL, by parameter; empty for the plan that serves all values.
    example: Mapping[str, str]
    #: The step that gives the result.
    root: PlanNode

    @property
    def cost(self) -> float:
        """What all of it costs, in the planner's units: 1 is the reading of a page in sequence."""
        return self.root.total_cost

    def nodes(self) -> Iterator[PlanNode]:
        """Yield all steps, each before its children."""
        return self.root.nodes()

    @property
    def dearest(self) -> PlanNode:
        """The step that costs most by itself."""
        return max(self.nodes(), key=lambda node: node.own_cost)

    def shape(self) -> list[str]:
        """Return how it is built, without what it costs, as lines of text: equal for plans that do the same."""
        return list(self.root.lines(figures=False))

    def is_built_like(self, other: "Plan") -> bool:
        """Return whether another plan does the same, whatever either calls its parameters.

        It may be of another database, where the same objects have other numbers.
        """
        mine, others = ([_PARAMETER.sub(":", _NUMBER.sub("", line)) for line in plan.shape()] for plan in (self, other))
        return mine == others

    def __str__(self) -> str:
        """Return the plan as an indented tree."""
        return "\n".join(self.root.lines())


@attrs.frozen(kw_only=True)
class Unplanned:
    """A query that PostgreSQL does not plan."""

    #: The name of the query.
    query: str
    #: As for `Plan`.
    example: Mapping[str, str]
    #: Why, in words to act on.
    reason: str


def read_plan(document: Mapping[str, Any], query: QuerySource | None = None) -> PlanNode:
    """Return a step and all below it.

    Arguments:
        document: ``Plan`` as ``EXPLAIN (FORMAT JSON)`` writes it.
        query: what is planned; the steps have the names of its parameters. ``None`` where there are none.
    """
    if query is None:
        return _read(document, str)
    returned = frozenset(_returned(document))
    return _read(document, lambda text: query.named(text, returned))


def _returned(document: Mapping[str, Any]) -> Iterator[str]:
    found = _RETURNED.search(document.get("Subplan Name", ""))
    if found:
        yield from found["numbers"].split(",")
    for child in document.get("Plans", ()):
        yield from _returned(child)


def _read(document: Mapping[str, Any], named: Callable[[str], str]) -> PlanNode:
    relation, schema = document.get("Relation Name"), document.get("Schema")
    return PlanNode(
        kind=document["Node Type"],
        relation=f"{schema}.{relation}" if relation and schema else relation,
        index=document.get("Index Name"),
        startup_cost=document["Startup Cost"],
        total_cost=document["Total Cost"],
        rows=document["Plan Rows"],
        width=document["Plan Width"],
        details={label: named(_text(value)) for label, value in document.items() if label not in _FIELDS and value},
        children=tuple(_read(child, named) for child in document.get("Plans", ())),
    )


def _text(value: Any) -> str:
    if value is True:
        return "yes"
    if isinstance(value, dict):
        return "; ".join(f"{label}: {_text(each)}" for label, each in value.items())
    if isinstance(value, list):
        # Of grouping sets, each within its own brackets.
        return ", ".join(f"({_text(each)})" if isinstance(each, (dict, list)) else str(each) for each in value)
    return str(value)
