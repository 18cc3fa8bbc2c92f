"""Where a query would run on a cluster: on one shard, on all, on any node, on the coordinator, or nowhere."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import attrs

from surf_data.review.analysis.catalog import Catalog
from surf_data.review.analysis.facts import Facts, Outcome
from surf_data.review.analysis.nodes import Node
from surf_data.review.analysis.scope import Scope
from surf_data.review.distribution.layout import Layout
from surf_data.review.distribution.reading import Reading, parameter
from surf_data.review.distribution.refusals import refused_reads, refused_writes

#: Where a query runs.
Kind = Literal["one shard", "all shards", "reference", "local", "refused"]


@attrs.frozen(kw_only=True)
class Verdict:
    """Where a query runs, and why."""

    kind: Kind
    #: What decides the shard, or why none does; empty where there is nothing to say.
    reason: str = ""

    def __str__(self) -> str:
        joined = " by " if self.kind == "one shard" else ": "
        return f"{self.kind}{joined}{self.reason}" if self.reason else self.kind


def verdicts(outcomes: Iterable[Outcome], catalog: Catalog, layout: Layout) -> dict[str, Verdict]:
    """Return where each query runs that can be analysed, by its full name; nothing where no table is in shards.

    Arguments:
        outcomes: the queries.
        catalog: the schema.
        layout: where its tables are.
    """
    return {
        each.query.name: verdict(each.tree, each.command, each.query.order, catalog, layout)
        for each in outcomes
        if layout and isinstance(each, Facts)
    }


def verdict(tree: Node, command: str, names: Sequence[str], catalog: Catalog, layout: Layout) -> Verdict:
    """Return where a query runs.

    Arguments:
        tree: the query, as the server understood it.
        command: what it does, as `Facts.command` has it.
        names: its parameters by their numbers.
        catalog: the schema.
        layout: where the tables are.
    """
    reading = Reading(Scope(query=tree, catalog=catalog), layout)
    whole = any(use.relation in layout.references for use in reading.uses)
    if not reading.distributed and not whole:
        return Verdict(kind="local")
    if command == "COPY" and reading.distributed:
        return Verdict(kind="all shards", reason="COPY takes each row to the shard that it belongs to, or from it")
    known = [reading.values(use) for use in reading.distributed]
    values = _common(reading)
    refused = next(refused_writes(reading, layout), None)
    if refused is None and not values:
        refused = next(refused_reads(reading), None)
    if refused is not None:
        return Verdict(kind="refused", reason=refused)
    if not reading.distributed:
        return Verdict(kind="reference")
    named = {parameter(number): f":{name}" for number, name in enumerate(names, 1)}
    if values:
        return Verdict(kind="one shard", reason=", ".join(sorted(named.get(each, "a constant") for each in values)))
    if all(known):
        told = sorted({named.get(min(each), "a constant") for each in known})
        return Verdict(kind="one shard", reason=f"{' and '.join(told)}, for each of its tables")
    return Verdict(kind="all shards", reason="; ".join(_open(reading, catalog)))


def _common(reading: Reading) -> set[str]:
    """Return the values that all distributed tables have in their distribution columns, if they are of one group."""
    groups = {use.distributed.group for use in reading.distributed if use.distributed is not None}
    known = [reading.values(use) for use in reading.distributed]
    return set.intersection(*known) if len(groups) == 1 else set()


def _open(reading: Reading, catalog: Catalog) -> Iterator[str]:
    """Yield which tables' shard is not decided, each once."""
    return iter(
        dict.fromkeys(
            f"nothing says one {use.distributed.column} of {catalog.relation_name(use.relation)}"
            for use in reading.distributed
            if use.distributed is not None and not reading.values(use)
        )
    )
