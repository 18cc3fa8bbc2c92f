"""What the domain says of itself to the library's tools."""

from surf_data.domain import Domain, Retention
from surf_data.mining.settings import MiningSettings

DOMAIN = Domain(
    name="mining",
    title="Cycles of mining assets",
    schemas=("mining", "dx"),
    settings=MiningSettings,
    queries="surf_data.mining.queries:mining_queries",
    retention=(
        # Copied by then, so that nothing is lost; open cycles have no such date, and stay.
        Retention(table="mining.asset_cycles", by="finalized_date", keep_days=90),
        Retention(table="mining.final_cycles", by="completed_date", keep_days=730, partition="month"),
    ),
)
