"""What operators do with an open data layer, in place of the command line."""

import surf_data
from surf_data.lamps import DOMAIN


def test_a_data_layer_migrates_and_maintains_its_domain(migrated_url: str) -> None:
    """The owner of a schema needs nothing but the data layer to migrate it and to maintain all of its tables."""
    with surf_data.open(migrated_url, pool_min_size=0) as owner:
        assert owner.migrations.up() == []
        tables = [done.table for done in owner.maintain()]
    assert sorted(tables) == sorted(policy.table for policy in DOMAIN.retention)
