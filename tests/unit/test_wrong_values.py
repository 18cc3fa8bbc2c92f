"""Whatever value a public function of the kernel and the tools is given: a result, or an error of ours without it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

import pytest

import surf_data
from surf_data import (
    DatabaseUnavailable,
    KeyRing,
    PasswordHasher,
    Secret,
    SurfDataError,
    backup,
    domain,
    migrate,
    review,
)
from surf_data.kernel import crypto, settings
from surf_data.kernel.postgres import DatabaseManager, deadline

SECRET = "planted-5c1e"
NAIVE = datetime(2025, 1, 1)  # noqa: DTZ001 - that it has no zone is the point
VALUES: dict[str, Any] = {
    "none": None, "true": True, "zero": 0, "negative": -1, "large": 10**400, "nan": float("nan"), "inf": float("inf"),
    "decimal": Decimal(1), "complex": 1j, "empty": "", "space": " ", "nul": "a\0b", "surrogate": f"{SECRET}\ud800",
    "long": SECRET + "x" * 5000, "dots": "..", "quote": "'; --", "bytes": b"\xff", "bytearray": bytearray(b"x"),
    "uuid": UUID(int=1), "object": object(), "moment": NAIVE, "days": timedelta(days=1), "list": [None],
    "dict": {"": 1}, "set": {1}, "iterator": iter(()), "function": print, "class": int,
    "folder": Path(), "file": Path("/dev/null"),
}  # fmt: skip


def nowhere(**_: Any) -> NoReturn:
    """Connect to nothing."""
    raise DatabaseUnavailable


KEYS = KeyRing(Secret(crypto.new_key()))
HASHER = PasswordHasher()


def runner(folder: Any, name: Any = "shop", **limits: Any) -> migrate.Runner:
    """Return a runner that reaches no server."""
    return migrate.Runner(nowhere, folder, name, **limits)


def pooled(**keywords: Any) -> DatabaseManager:
    """Return a database that refuses at once."""
    return DatabaseManager(settings.load({}, database_url="postgresql://127.0.0.1:1/x?sslmode=never", pool_min_size=0))


FOLDER = Path(surf_data.__file__).parents[1] / "migrations" / "lamps"
CALLS: dict[str, Callable[[Any], Any]] = {
    "load_queries folder": surf_data.load_queries,
    "load_queries namespace": lambda value: surf_data.load_queries("/nowhere", namespace=value),
    "load_queries rows": lambda value: surf_data.load_queries("/nowhere", rows=value),
    "open": lambda value: surf_data.open(value, None).close(),
    "open redis": lambda value: surf_data.open("postgresql:", value).close(),
    "open pool": lambda value: surf_data.open("postgresql:", None, pool_max_size=value).close(),
    "settings": lambda value: settings.load({}, pool_timeout=value),
    # What was typed is in the answer, to be compared with the nearest.
    "domain": lambda value: domain.find("x" if SECRET in str(value) else value),
    "domain name": lambda value: surf_data.Domain(
        name=value, title="x", schemas=(), settings=surf_data.Settings, queries="x:y"
    ),
    "runner connect": lambda value: migrate.Runner(value, FOLDER, "shop"),
    "runner folder": lambda value: runner(value).status(),
    "runner domain": lambda value: runner(FOLDER, value).status(),
    "runner wait": lambda value: runner(FOLDER, lock_wait=value),
    "runner attempts": lambda value: runner(FOLDER, attempts=value),
    "up": lambda value: runner(FOLDER).up(value),
    "down": lambda value: runner(FOLDER).down(value),
    "baseline": lambda value: runner(FOLDER).baseline(value),
    "repair": lambda value: runner(FOLDER).repair(value),
    "read_folder": migrate.read_folder,
    "new_file folder": lambda value: migrate.new_file(value, "name", dry_run=True),
    "new_file name": lambda value: migrate.new_file(FOLDER, value, dry_run=True),
    "seed": lambda value: migrate.seed(nowhere, value, "shop"),
    "reset": lambda value: migrate.reset(nowhere, value, "shop"),
    "reset domain": lambda value: migrate.reset(nowhere, FOLDER, value),
    "backup": lambda value: backup.prepare_backup(pooled(), value),
    "restore": lambda value: backup.prepare_restore(pooled(), value),
    "read_scale": review.read_scale,
    "connection": lambda value: pooled().connection("x", value).__enter__(),
    "ping": lambda value: pooled().ping(value),
    "connect": lambda value: pooled().connect(value),
    "deadline": lambda value: deadline(value).__enter__(),
    "encrypt": lambda value: KEYS.encrypt("x", value),
    "encrypt context": lambda value: KEYS.encrypt(value, "x"),
    "decrypt": lambda value: KEYS.decrypt("x", value),
    "is_newest": KEYS.is_newest,
    "is_encrypted": crypto.is_encrypted,
    "keys": KeyRing,
    "hash": HASHER.hash,
    "verify": lambda value: HASHER.verify(value, "x"),
    "verify password": lambda value: HASHER.verify(None, value),
    "matches": lambda value: HASHER.matches("x", value),
    "matches stored": lambda value: HASHER.matches(value, "x"),
    "new_api_key": surf_data.new_api_key,
    "token_digest": surf_data.token_digest,
    "email_key": surf_data.email_key,
    "checked_email": surf_data.checked_email,
    "limit_offset": lambda value: surf_data.limit_offset(value, 10),
    "limit_offset size": lambda value: surf_data.limit_offset(1, value),
    "keyset": lambda value: surf_data.keyset("last", value),
}


@pytest.mark.parametrize("call", CALLS)
def test_no_other_error_escapes(call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each value by itself: what comes out is of ours, short, alone and without the value."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name, value in VALUES.items():
        try:
            CALLS[call](value)
        except SurfDataError as error:
            _tells_nothing(name, error)
        except Exception as error:
            raise AssertionError(f"{name}: {type(error).__name__}") from error


def _tells_nothing(name: str, error: SurfDataError) -> None:
    assert len(str(error)) < 500, name
    assert SECRET not in f"{error!r} {vars(error)}", name
    assert error.__cause__ is None, name
