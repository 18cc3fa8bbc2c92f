"""What type checkers make of several domains. Checked by mypy and pyright, run by no program."""

from typing import Any, assert_type

import surf_data
from surf_data import DataLayer, LampsDataLayer, LampsTransaction, Transaction, mining, specify
from surf_data.lamps import LampConfig, PostgresLampRepository


def each_has_its_own() -> None:
    """Each domain's `open` returns its own data layer, and its transactions have its own repositories."""
    with surf_data.open() as data:
        assert_type(data, LampsDataLayer)
        assert_type(data.lamps, PostgresLampRepository)
        with data.transaction() as tx:
            assert_type(tx, LampsTransaction)
            assert_type(tx.lamps, PostgresLampRepository)
            with tx.transaction() as inner:
                assert_type(inner, LampsTransaction)
        assert_type(data.run(lambda tx: tx.lamps.get_all_active_lamps()), list[LampConfig])
    with specify.open() as history:
        assert_type(history, specify.SpecifyDataLayer)
        with history.transaction() as tx_specify:
            assert_type(tx_specify, specify.SpecifyTransaction)
            with tx_specify.transaction() as inner_specify:
                assert_type(inner_specify, specify.SpecifyTransaction)
    with mining.open() as assets, assets.transaction() as tx_mining:
        assert_type(tx_mining, mining.MiningTransaction)


def connections_are_shared(data: LampsDataLayer) -> None:
    """A data layer of any domain can lend its connections to one of any other."""
    history = specify.open(on=data)
    assert_type(history, specify.SpecifyDataLayer)
    assert_type(surf_data.open(on=history), LampsDataLayer)
    with data.transaction() as tx:
        assert_type(history.within(tx), specify.SpecifyTransaction)
    surf_data.open(on="data")  # type: ignore[arg-type]  # pyright: ignore


def any_domain(data: DataLayer[Any]) -> None:
    """What knows no domain takes a data layer of any."""
    assert_type(data.health(), surf_data.Health)


def of_transactions(data: DataLayer[LampsTransaction]) -> DataLayer[Transaction]:
    """A data layer is covariant in what its transactions yield."""
    return data
