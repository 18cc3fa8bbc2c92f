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
        checkpoint.set_key(self._insert(checkpoint, None))
        return key_of(checkpoint)

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
        keys = self.reserve(len(checkpoints))
        self.store(checkpoints, keys)
        for key, checkpoint in zip(keys, checkpoints, strict=True):
            checkpoint.set_key(key)
        return keys

    def reserve(self, number: int) -> list[int]:
        """Return keys for so many new checkpoints.

        Raises:
            DatabaseError: there are none to be had.
        """
        reserved: Any = mining_queries().checkpoint_reserve(self._executor, number=number)
        return list(reserved or ())

    def store(self, checkpoints: Sequence[ProcessInfoRecord], keys: Sequence[int]) -> None:
        """Insert checkpoints under keys that `reserve` has returned, all or none; from two on by COPY.

        Raises:
            ConstraintViolation: as `insert_many`; or a checkpoint was stored under its key before.
            DatabaseError: they could not be stored.
        """
        if len(checkpoints) == 1:
            self._insert(checkpoints[0], keys[0])
            return
        rows = ((key, *checkpoint.data_to_insert_tuple()[0]) for key, checkpoint in zip(keys, checkpoints, strict=True))
        bulk.copy_in(self._executor, rows, types=("int8", *_TYPES), copy=mining_queries().checkpoint_copy)

    def exists(self, checkpoint: ProcessInfoRecord, key: int) -> bool:
        """Return whether a checkpoint of this asset is stored under a key.

        Raises:
            DatabaseError: it could not be read.
        """
        return bool(
            mining_queries().checkpoint_exists(self._executor, checkpoint_id=key, asset_guid=checkpoint.asset_guid)
        )

    def _insert(self, checkpoint: ProcessInfoRecord, key: int | None) -> int:
        stored: int = mining_queries().checkpoint_insert(self._executor, checkpoint_id=key, **_columns(checkpoint))
        return stored

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
            checkpoint.set_key(key)
        return key is not None


def _columns(checkpoint: ProcessInfoRecord) -> dict[str, Any]:
    return dict(zip(_COLUMNS, checkpoint.data_to_insert_tuple()[0], strict=True))
