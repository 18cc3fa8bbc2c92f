"""Inserting records exactly once, without a transaction: each has a key before it is sent.

When the server was lost while records were under way, the same are sent again. If they are there already, their keys
say so: a key is given once.
"""

from collections.abc import Callable, Sequence
from typing import Any

from surf_data.errors import CommitUnknown, ConstraintViolation, DatabaseError
from surf_data.kernel.log_messages import error_facts, get_logger
from surf_data.kernel.postgres import retry
from surf_data.mining.records import Record

_log = get_logger("surf_data.mining.insertion")


def insert_once(repository: Any, records: Sequence[Record]) -> list[int]:
    """Insert records of one class, all or none, and set their keys.

    Arguments:
        repository: that of their class, over the pool.
        records: one or more, without keys.

    Returns:
        The keys, in order.

    Raises:
        CommitUnknown: the server stays away, and may have stored them; they have their keys, to be looked for by.
        DatabaseError: they could not be stored.
    """
    keys: list[int] = repository.reserve(len(records))
    failure = _stored(lambda: repository.store(records, keys), lambda: repository.exists(records[0], keys[0]))
    if failure is None or isinstance(failure, CommitUnknown):
        for record, key in zip(records, keys, strict=True):
            record.set_key(key)
    if failure is not None:
        # Outside any handler: nothing is chained.
        raise failure
    return keys


def _stored(store: Callable[[], object], exists: Callable[[], bool]) -> DatabaseError | None:
    """Store until it is stored, or it is known that it cannot be; return why."""
    doubt: CommitUnknown | None = None
    tries = 0
    while (failure := _failure(store)) is not None:
        if isinstance(failure, ConstraintViolation):
            # Of the records themselves, unless they were stored by the attempt before.
            return None if doubt is not None and exists() else failure
        if isinstance(failure, CommitUnknown):
            doubt = failure
        tries += 1
        # The kernel has sent again what the server has rolled back.
        if tries == retry.TRIES or not retry.is_lost(failure):
            return doubt or failure
        _log.info("trying again", extra=error_facts(failure))
        retry.pause(tries)
    return None


def _failure(store: Callable[[], object]) -> DatabaseError | None:
    try:
        store()
    except DatabaseError as error:
        return error
    return None
