"""How queries would run at a declared scale."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import attrs

from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.review.analysis.facts import Facts, Outcome
from surf_data.review.planning.catalog_reader import StorageCatalog
from surf_data.review.planning.estimates import Missing, fitting
from surf_data.review.planning.explain import Planned, explain
from surf_data.review.planning.plans import Unplanned
from surf_data.review.planning.scale import Scale
from surf_data.review.planning.simulate import simulate
from surf_data.review.progress import OnStep, counted
from surf_data.review.rules import Suppression
from surf_data.review.workbench import ScratchSchema


@attrs.frozen
class QueryPlans:
    """How queries would run; nothing without a scale."""

    #: What is accepted where the scale stands.
    accepted: tuple[Suppression, ...] = ()
    #: Where the scale stands; ``None`` without one.
    file: str | None = None
    #: The plans of each query: for any values first, then for those of each example.
    by_query: Mapping[str, Sequence[Planned]] = attrs.field(factory=dict)
    _missing: tuple[Missing, ...] = ()

    @classmethod
    def of(
        cls,
        schema: ScratchSchema,
        queries: Collection[QuerySource],
        scale: Scale | None,
        on_step: OnStep,
        *,
        is_own: bool = True,
    ) -> "QueryPlans":
        """Plan queries at a scale. Nothing can be run in the database afterwards.

        Arguments:
            schema: the schema, for this alone.
            queries: the queries.
            scale: the scale, if there is one.
            on_step: called before each query.
            is_own: whether it was written for this schema. Of another's, only what fits is taken.

        Raises:
            ConfigurationError: the scale does not fit the schema.
            DatabaseError: the files of the server cannot be lengthened.
        """
        if scale is None or schema.data is None:
            # What is accepted has nothing to do with sizes.
            return cls(() if scale is None else scale.accepted)
        if not is_own:
            scale = fitting(StorageCatalog.read(schema.connection), scale)
        missing = simulate(schema.connection, scale, schema.data)
        planned: dict[str, list[Planned]] = {}
        for each in explain(schema.connection, counted(on_step, "planning the queries", queries)):
            planned.setdefault(each.query, []).append(each)
        return cls(scale.accepted, scale.file, planned, missing)

    @property
    def planned(self) -> list[Planned] | None:
        """All plans; ``None`` without a scale."""
        return None if self.file is None else [each for plans in self.by_query.values() for each in plans]

    def unplanned(self, outcomes: Iterable[Outcome]) -> Iterator[tuple[QuerySource, str]]:
        """Yield why a query, or an example of it, cannot be planned, where nothing else says so."""
        for outcome in outcomes:
            if isinstance(outcome, Facts) and outcome.command != "COPY":
                for each in self.by_query.get(outcome.query.name, ()):
                    if isinstance(each, Unplanned):
                        yield outcome.query, each.reason

    def guessed(self, outcomes: Iterable[Outcome]) -> str | None:
        """Return what the scale leaves open of the tables that the queries use; ``None`` if nothing."""
        used = {access.table for outcome in outcomes if isinstance(outcome, Facts) for access in outcome.tables}
        guessed = [str(each) for each in self._missing if each.table in used]
        return f"Not declared in {self.file}, and so guessed: {', '.join(guessed)}." if guessed else None
