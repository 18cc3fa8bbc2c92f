"""Several data layers on the same connections."""

from uuid import UUID

import pytest

import surf_data
from surf_data import ConfigurationError, DataLayer, lamps
from surf_data.data_layer import load_settings


def test_a_data_layer_on_another_uses_its_connections(data: surf_data.LampsDataLayer) -> None:
    """A second data layer opens no connections, and closing it leaves those of the first alone."""
    with lamps.open(on=data) as second:
        assert (second.database, second.redis) == (data.database, data.redis)
        assert second.lamps.get_all_active_lamps() == []
    assert data.lamps.get_all_active_lamps() == []


def test_one_transaction_may_span_two_data_layers(data: surf_data.LampsDataLayer, lamp_id: UUID) -> None:
    """What two data layers do in one transaction is rolled back together."""
    with lamps.open(on=data) as second, pytest.raises(ZeroDivisionError), data.transaction() as tx:
        assert second.within(tx).lamps.update_lamp_status(lamp_id, "inactive")
        assert tx.lamps.get_lamp_configuration(lamp_id) is None
        raise ZeroDivisionError
    assert data.lamps.get_lamp_configuration(lamp_id) is not None


@pytest.mark.parametrize("keywords", [{"database_url": "dbname=x"}, {"redis_url": "redis://x"}, {"pool_max_size": 3}])
def test_what_the_other_decides_is_refused(data: surf_data.LampsDataLayer, keywords: dict[str, object]) -> None:
    """A setting that would have no effect is an error and not passed over."""
    [name] = keywords
    with pytest.raises(ConfigurationError, match=f"{name} does not go with on"):
        lamps.open(on=data, **keywords)


def test_a_domain_without_a_transaction_of_its_own(data: surf_data.LampsDataLayer) -> None:
    """A data layer must say what its transactions yield; until then it has none."""
    bare: DataLayer[object] = DataLayer(lamps.DOMAIN, load_settings(surf_data.Settings, lamps.DOMAIN, data), on=data)
    assert bare.health().overall.reason is None
    with pytest.raises(NotImplementedError), bare.transaction():
        pass
