"""Checkpoints in PostgreSQL: how far a process has come with an asset."""

from collections.abc import Sequence
from typing import Any

from surf_data.kernel.postgres import Executor, bulk
from surf_data.mining.cycles import key_of, refuse_key
from surf_data.mining.errors import DataAccessError
from surf_data.mining.queries import mining_queries
from surf_data.mining.records import ProcessInfoRecord, column_types

_COLUMNS = ProcessInfoRecord.get_column_names()
_TYPES = column_types(ProcessInfoRecord)


class CheckpointRepository:
    """Inserts, changes and advances checkpoints; there is one for each asset and process.

    Arguments:
        executor: runs the statements.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def insert(self, checkpoint: ProcessInfoRecord) -> int:
        """Insert a checkpoint and set its key.

        Returns:
            The key.

        Raises:
            ValidationError: it has a key.
            ConstraintViolation: the process has one for the asset.
            DatabaseError: it could not be stored.
        """
        refuse_key(checkpoint)
        key: int = mining_queries().checkpoint_insert(self._executor, **_columns(checkpoint))
        checkpoint.id = key
        return key

    def insert_many(self, checkpoints: Sequence[ProcessInfoRecord]) -> list[int]:
        """Insert several checkpoints, all or none, and set their keys.

        Returns:
            The keys, in order.

        Raises:
            ValidationError: one has a key.
            ConstraintViolation: a process has one for the asset.
            DatabaseError: they could not be stored.
        """
        for checkpoint in checkpoints:
            refuse_key(checkpoint)
        queries = mining_queries()
        with self._executor.connection() as session:
            keys = [key for (key,) in queries.checkpoint_reserve(session, number=len(checkpoints))]
            rows = [
                (key, *checkpoint.data_to_insert_tuple()[0]) for key, checkpoint in zip(keys, checkpoints, strict=True)
            ]
            bulk.copy_in(session, rows, types=("int8", *_TYPES), copy=queries.checkpoint_copy)
        for key, checkpoint in zip(keys, checkpoints, strict=True):
            checkpoint.id = key
        return keys

    def update(self, checkpoint: ProcessInfoRecord, *, missing_ok: bool = False) -> bool:
        """Store all columns of a checkpoint, whatever its time.

        Arguments:
            checkpoint: with its key.
            missing_ok: whether it is no error that there is no such checkpoint.

        Returns:
            Whether there was such a checkpoint.

        Raises:
            ValidationError: it has no key.
            DataAccessError: there is no such checkpoint.
            DatabaseError: it could not be stored.
        """
        changed: int = mining_queries().checkpoint_update(
            self._executor, checkpoint_id=key_of(checkpoint), **_columns(checkpoint)
        )
        if not changed and not missing_ok:
            raise DataAccessError("there is no checkpoint with this key and asset")
        return changed == 1

    def delete(self, checkpoint: ProcessInfoRecord) -> bool:
        """Delete a checkpoint; return whether there was one.

        Raises:
            ValidationError: it has no key.
            DatabaseError: it could not be deleted.
        """
        changed: int = mining_queries().checkpoint_delete(
            self._executor, checkpoint_id=key_of(checkpoint), asset_guid=checkpoint.asset_guid
        )
        return changed == 1

    def advance(self, checkpoint: ProcessInfoRecord) -> bool:
        """Store a checkpoint for its asset and process, unless the stored one is as late; set its key.

        Arguments:
            checkpoint: its key, if it has one, plays no part.

        Returns:
            Whether it was stored.

        Raises:
            DatabaseError: it could not be stored.
        """
        key = mining_queries().checkpoint_advance(self._executor, **_columns(checkpoint))
        if key is not None:
            checkpoint.id = key
        return key is not None


def _columns(checkpoint: ProcessInfoRecord) -> dict[str, Any]:
    return dict(zip(_COLUMNS, checkpoint.data_to_insert_tuple()[0], strict=True))
