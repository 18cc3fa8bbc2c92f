"""Lamps become configurations while they are read."""

from collections.abc import Callable, Iterator
from itertools import chain

from surf_data.kernel.postgres import Executor, in_portions
from surf_data.lamps.reference_data import ReferenceCache
from surf_data.lamps.rows import LampOfManyRow
from surf_data.lamps.types import LampConfig


def read_lamps(
    executor: Executor, reference: ReferenceCache, query: Callable[..., list[LampOfManyRow]], **parameters: object
) -> list[LampConfig]:
    """Return the configurations of the lamps that ``query`` answers with, in their order.

    Arguments:
        executor: runs the query.
        reference: knows what is the same for every lamp, or will.
        query: the query.
        **parameters: its parameters but for ``known_version``.
    """
    known = reference.current

    def take(portions: Iterator[list[LampOfManyRow]]) -> tuple[list[LampConfig], list[LampOfManyRow]]:
        """Make configurations if what they need is known, and else return the rows."""
        first = next(portions, [])
        # All of them were read at one moment, so what is true of one is true of all.
        if not first or known is None or not first[0][-1]:
            # The other version cannot be read now, which could take another connection.
            return [], [*first, *chain.from_iterable(portions)]
        configs: list[LampConfig] = []
        for rows in chain([first], portions):
            configs += map(known.lamp_config, rows)
        return configs, []

    configs, rows = in_portions(query, take)(executor, known_version=known and known.version, **parameters)
    return configs or list(reference.configs(executor, rows))
