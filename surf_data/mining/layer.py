"""The mining assets, as the library's tools see them, and their data layer."""

from typing import Any, Unpack

from surf_data.data_layer import DataLayer, Transaction
from surf_data.domain import Domain, Retention
from surf_data.kernel.postgres import Executor, Observer, Session
from surf_data.mining.checkpoints import CheckpointRepository
from surf_data.mining.cycles import CycleRepository
from surf_data.mining.queries import mining_queries
from surf_data.mining.records import CycleRecord, Record
from surf_data.mining.settings import MiningKeywords, MiningSettings, load_settings
from surf_data.mining.steps import StepRepository
from surf_data.mining.table_reader import Catalog, TableReader

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

_DEFAULT_PARTITION = "archived cycles are in their default partition: surf-data maintain --domain mining"


class Repositories:
    """The repositories over the pool or over a transaction.

    Arguments:
        executor: runs the statements.
        catalog: what there is to read.
    """

    def __init__(self, executor: Executor, catalog: Catalog) -> None:
        #: What there is to read.
        self.catalog: Catalog = catalog
        #: Cycles.
        self.cycles: CycleRepository = CycleRepository(executor)
        #: Checkpoints.
        self.checkpoints: CheckpointRepository = CheckpointRepository(executor)
        #: What a step of the cycle service reads and writes.
        self.steps: StepRepository = StepRepository(executor)
        #: The views of ``dx``.
        self.tables: TableReader = TableReader(executor, catalog)

    def of(self, record: Record) -> Any:
        """Return the repository of a record's class."""
        return self.cycles if isinstance(record, CycleRecord) else self.checkpoints


class MiningTransaction(Transaction, Repositories):
    """The repositories, bound to one connection in one transaction. Created by `MiningDataLayer`."""

    def __init__(self, session: Session, catalog: Catalog) -> None:
        Transaction.__init__(self, session)
        Repositories.__init__(self, session, catalog)


class MiningDataLayer(DataLayer[MiningTransaction], Repositories):
    """Everything that the mining services need, behind one handle. Any number of threads may use it.

    Arguments:
        settings: what `surf_data.mining.settings.load_settings` returned.
        on: another data layer, whose connections are used.
        observer: called with a `QueryEvent` after every statement, and what else it describes.

    Raises:
        ConfigurationError: a URL is malformed.
        EmbeddedServerError: the embedded servers were asked for and cannot be started.
    """

    def __init__(
        self, settings: MiningSettings, *, on: DataLayer[Any] | None = None, observer: Observer | None = None
    ) -> None:
        DataLayer.__init__(self, DOMAIN, settings, on=on, observer=observer)
        Repositories.__init__(self, self.database, Catalog())
        #: The settings of the domain.
        self.mining: MiningSettings = settings

    def _bind(self, session: Session) -> MiningTransaction:
        return MiningTransaction(session, self.catalog)

    def bind(self, executor: Executor) -> Repositories:
        """Return the repositories over another executor."""
        return Repositories(executor, self.catalog)

    def _warnings(self) -> list[str]:
        return [_DEFAULT_PARTITION] if mining_queries().cycle_default_partition_rows(self.database) else []


def open(  # noqa: A001 - read as surf_data.mining.open
    database_url: str | None = None,
    redis_url: str | None = None,
    *,
    on: DataLayer[Any] | None = None,
    observer: Observer | None = None,
    **settings: Unpack[MiningKeywords],
) -> MiningDataLayer:
    """Open the data layer. What is not given here comes from ``SURF_DATA_*``, ``PGSQL_*``, ``REDIS_*`` and ``PG*``.

    Nothing is connected before it is needed, and nothing is migrated.

    Arguments:
        database_url: as in `surf_data.open`.
        redis_url: as in `surf_data.open`.
        on: another data layer, whose connections are used.
        observer: called with a `QueryEvent` after every statement, in the thread that ran it.
        settings: the other attributes of `MiningSettings`.

    Raises:
        ConfigurationError: a setting is unknown or malformed; the error names it, not its value.
        EmbeddedServerError: the embedded servers cannot be started.
    """
    loaded = load_settings(DOMAIN, on, database_url=database_url, redis_url=redis_url, **settings)
    return MiningDataLayer(loaded, on=on, observer=observer)
