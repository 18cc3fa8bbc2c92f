"""Lamps in PostgreSQL."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, cast
from uuid import UUID

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.kernel.postgres import Executor, Json
from surf_data.lamps.lamp_reader import read_lamps
from surf_data.lamps.queries import lamp_queries
from surf_data.lamps.reference_data import ReferenceCache
from surf_data.lamps.registration import Registration
from surf_data.lamps.types import LampConfig

#: What `PostgresLampRepository.update_lamp_status` takes for in use and for out of use; case does not count.
LAMP_STATUSES: Mapping[str, bool] = {
    "active": True,
    "enabled": True,
    "online": True,
    "inactive": False,
    "disabled": False,
    "offline": False,
}

#: The most lamps that one `PostgresLampRepository.get_lamp_configurations` reads.
MAX_LAMP_IDS = 100_000


class PostgresLampRepository:
    """Reads and registers lamps.

    Arguments:
        database: runs the statements.
        reference: keeps what is the same for every lamp.
    """

    def __init__(self, database: Executor, reference: ReferenceCache | None = None) -> None:
        self._database = database
        self._reference = reference or ReferenceCache()

    def get_lamp_configuration(self, lamp_id: str | UUID) -> LampConfig | None:
        """Return what a lamp is configured to do.

        Returns:
            The configuration; ``None`` when the lamp is unknown or not active.

        Raises:
            ValidationError: ``lamp_id`` is not a UUID.
            DatabaseError: it could not be read.
        """
        row = lamp_queries().lamp_configuration(self._database, lamp_id=validation.uuid("lamp_id", lamp_id))
        if row is None:
            return None
        return self._reference.get(self._database, row).lamp_config(row)

    def get_lamp_configurations(self, lamp_ids: Iterable[str | UUID]) -> list[LampConfig]:
        """Return what several lamps are configured to do, in one round trip.

        Arguments:
            lamp_ids: up to 100,000 lamps.

        Returns:
            The configurations in the order of ``lamp_ids``; unknown and inactive lamps are left out, and a lamp that
            is named twice is there twice.

        Raises:
            ValidationError: one of ``lamp_ids`` is not a UUID, or there are too many.
            DatabaseError: they could not be read.
        """
        if isinstance(lamp_ids, (str, UUID)) or not isinstance(lamp_ids, Iterable):
            raise validation.invalid("lamp_ids", "must be a list of UUIDs")
        wanted = _checked(lamp_ids)
        query = lamp_queries().lamp_configurations
        configs = read_lamps(self._database, self._reference, query, lamp_ids=wanted) if wanted else []
        # By number: Python's UUIDs are slow to hash and to compare.
        found = {config.lamp_id.int: config for config in configs}
        return [config for lamp_id in wanted if (config := found.get(lamp_id.int))]

    def register_new_lamp(self, lamp_data: Mapping[str, Any]) -> bool:
        """Register a lamp with its user, and log that, in one transaction.

        Arguments:
            lamp_data: ``lamp_id`` (UUID or text), ``email``, ``name``, ``password_hash`` (text of 1 to 255
                characters each) and ``location_index`` (0 or more); ``brightness`` (0 to 100 per cent, 100 when left
                out). Other keys are refused.

        Returns:
            ``True``.

        Raises:
            ValidationError: the data is refused; ``User already registered`` or ``Lamp already registered``.
            DatabaseError: it could not be stored; then nothing of it is.
        """
        registration = Registration.from_mapping("lamp_data", lamp_data)
        details = {"email": registration.email, "location": registration.location_index}
        with self._database.transaction() as transaction:
            registration.insert(transaction)
            lamp_queries().activity_insert(
                transaction,
                lamp_id=registration.lamp_id,
                activity_type="registration",
                status="success",
                details=Json(validation.json_text("details", details)),
                ip_address=None,
                user_agent=None,
            )
        return True

    def get_all_active_lamps(self) -> list[LampConfig]:
        """Return every active lamp, the ones heard of last first, those never heard of last.

        Raises:
            DatabaseError: they could not be read.
        """
        return read_lamps(self._database, self._reference, lamp_queries().lamp_active_list)

    def iter_active_lamps(self, batch_size: int = 1000) -> Iterator[LampConfig]:
        """Yield every active lamp in the order of their ids, in constant memory.

        A connection is held, in a transaction, until the iterator is exhausted or closed.

        Arguments:
            batch_size: lamps fetched per round trip, 1 to 100,000.

        Raises:
            ValidationError: ``batch_size`` is out of range.
            DatabaseError: they could not be read.
        """
        batch_size = validation.integer("batch_size", batch_size, minimum=1, maximum=100_000)
        return self._active_lamps(batch_size)

    def _active_lamps(self, batch_size: int) -> Iterator[LampConfig]:
        # One connection for both queries: a second checkout by the same thread could wait for itself.
        with (
            self._database.connection() as connection,
            lamp_queries().lamp_active_stream_cursor(connection) as rows,
        ):
            rows.batch_size = batch_size
            yield from self._reference.configs(connection, rows)

    def update_lamp_status(self, lamp_id: str | UUID, status: str) -> bool:
        """Set whether a lamp is in use, and that it was heard of now.

        Arguments:
            lamp_id: the lamp, active or not.
            status: ``active``, ``enabled`` or ``online``; ``inactive``, ``disabled`` or ``offline``.

        Returns:
            ``False`` when the lamp is unknown.

        Raises:
            ValidationError: ``lamp_id`` is not a UUID or ``status`` is none of these.
            DatabaseError: it could not be stored.
        """
        lamp_id = validation.uuid("lamp_id", lamp_id)
        is_active = LAMP_STATUSES.get(validation.text("status", status, maximum=20).strip().casefold())
        if is_active is None:
            raise validation.invalid("status", f"must be one of {', '.join(LAMP_STATUSES)}")
        changed: int = lamp_queries().lamp_status_update(self._database, lamp_id=lamp_id, is_active=is_active)
        return changed == 1


def _checked(lamp_ids: Iterable[object]) -> list[UUID]:
    given = list(islice(lamp_ids, MAX_LAMP_IDS + 1))
    if len(given) <= MAX_LAMP_IDS and set(map(type, given)) == {UUID}:
        # Nothing is to be converted, and one after the other would take four times as long.
        return cast("list[UUID]", given)
    checked: list[UUID] = []
    for position, lamp_id in enumerate(given):
        if position == MAX_LAMP_IDS:
            raise validation.invalid("lamp_ids", f"must not be more than {MAX_LAMP_IDS}")
        try:
            checked.append(validation.uuid("", lamp_id))
        except ValidationError as error:
            problem = validation.nested(f"lamp_ids[{position}]", error)
            break
    else:
        return checked
    raise problem
