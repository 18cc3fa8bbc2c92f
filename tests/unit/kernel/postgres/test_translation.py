"""Driver errors in our own words."""

import struct
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg import errors as driver

from surf_data.errors import (
    ConstraintViolation,
    DatabaseError,
    DatabaseUnavailable,
    LockTimeout,
    StatementTimeout,
    TransactionConflict,
    ValidationError,
)
from surf_data.kernel.postgres.translation import Translation, reason, translated

SECRET = "planted-7f3a"


def inside(translation: Translation, error: BaseException) -> None:
    """Raise ``error`` in a block of ``translation``."""
    with translation:
        raise error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (driver.UniqueViolation, ConstraintViolation),
        (driver.ForeignKeyViolation, ConstraintViolation),
        (driver.CheckViolation, ConstraintViolation),
        (driver.NotNullViolation, ConstraintViolation),
        (driver.ExclusionViolation, ConstraintViolation),
        (driver.SerializationFailure, TransactionConflict),
        (driver.DeadlockDetected, TransactionConflict),
        (driver.StatementCompletionUnknown, DatabaseError),
        (driver.LockNotAvailable, LockTimeout),
        (driver.ObjectInUse, DatabaseError),
        (driver.QueryCanceled, StatementTimeout),
        (driver.AdminShutdown, DatabaseUnavailable),
        (driver.CrashShutdown, DatabaseUnavailable),
        (driver.CannotConnectNow, DatabaseUnavailable),
        (driver.IdleSessionTimeout, DatabaseUnavailable),
        (driver.IdleInTransactionSessionTimeout, DatabaseUnavailable),
        (driver.ProtocolViolation, DatabaseUnavailable),
        (driver.ConnectionFailure, DatabaseUnavailable),
        (driver.TooManyConnections, DatabaseUnavailable),
        (driver.DiskFull, DatabaseError),
        (driver.SyntaxError, DatabaseError),
        (driver.NumericValueOutOfRange, DatabaseError),
        (driver.InsufficientPrivilege, DatabaseError),
        (driver.ReadOnlySqlTransaction, DatabaseError),
        (driver.FeatureNotSupported, DatabaseError),
    ],
)
def test_each_class_of_errors_has_its_own(error: type[psycopg.Error], kind: type[DatabaseError]) -> None:
    """The SQLSTATE decides what a caller catches; it and the driver's name for it are in the message."""
    told = translated(error(SECRET), "lamps.lamp_insert")
    assert kind is type(told)
    assert f"lamps.lamp_insert failed: {error.__name__} (SQLSTATE {error.sqlstate})" == str(told)
    assert ("lamps.lamp_insert", error.sqlstate) == (told.query, told.sqlstate)


@pytest.mark.parametrize(
    "error",
    [
        driver.UndefinedTable,
        driver.UndefinedColumn,
        driver.UndefinedFunction,
        driver.UndefinedObject,
        driver.InvalidSchemaName,
    ],
)
def test_what_an_old_schema_lacks(error: type[psycopg.Error]) -> None:
    """What a statement of a domain lacks is answered with the command that migrates; of others nothing is known."""
    hint = "; is the schema up to date? surf-data migrate up --domain lamps"
    assert str(translated(error(SECRET), "lamps.lamp_insert")).endswith(f"(SQLSTATE {error.sqlstate}){hint}")
    for query in ("board.lamp_insert", "lamp_insert", "kernel.session_ping", None):
        assert "migrate" not in str(translated(error(SECRET), query))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (psycopg.OperationalError, "connection lost"),
        (driver.ConnectionTimeout, "timed out"),
        (driver.CancellationTimeout, "timed out"),
    ],
)
@pytest.mark.parametrize("said", [SECRET, "FEHLER: Passwort-Authentifizierung fehlgeschlagen", ""])
def test_a_lost_connection_has_a_reason(error: type[psycopg.Error], said: str, words: str) -> None:
    """The class of the driver's error decides, and its text does not."""
    told = translated(error(said), "a")
    assert words == reason(error(said))
    assert (DatabaseUnavailable, f"a failed: {words}", None) == (type(told), str(told), told.sqlstate)


@pytest.mark.parametrize(
    "error",
    [
        psycopg.ProgrammingError(SECRET),
        psycopg.DataError(SECRET),
        psycopg.InterfaceError(SECRET),
        UnicodeEncodeError("utf-8", SECRET, 0, 1, SECRET),
    ],
    ids=lambda error: type(error).__name__,
)
def test_other_failures_are_named(error: Exception) -> None:
    """What fails on our side is reported by its kind alone."""
    told = translated(error, None)
    assert (DatabaseError, type(error).__name__) == (type(told), str(told))


def test_nothing_of_the_driver_travels_along(refused: Callable[..., Any]) -> None:
    """A translated error has neither cause nor context, and no frame of its traceback holds the driver's error."""
    error = refused(lambda: inside(Translation("a"), driver.UniqueViolation(SECRET)), ConstraintViolation)
    assert SECRET not in repr([error, error.args, vars(error), getattr(error, "__notes__", [])])
    frame = error.__traceback__
    while frame is not None:
        if "surf_data" in frame.tb_frame.f_code.co_filename and "tests" not in frame.tb_frame.f_code.co_filename:
            assert SECRET not in repr(frame.tb_frame.f_locals)
        frame = frame.tb_next


@pytest.mark.parametrize(
    "error",
    [
        UnicodeEncodeError("utf-8", SECRET, 0, 1, SECRET),
        OverflowError(SECRET),
        RecursionError(SECRET),
        ValueError(SECRET),
        struct.error(SECRET),
    ],
    ids=lambda error: type(error).__name__,
)
def test_values_may_fail_where_values_are_handled(error: Exception, refused: Callable[..., Any]) -> None:
    """What binding a parameter or reading a row raises is translated there, and goes through elsewhere."""
    told = refused(lambda: inside(Translation("a", values=True), error), DatabaseError)
    assert f"a failed: {type(error).__name__}" == str(told)
    with pytest.raises(type(error)) as caught:
        inside(Translation("a"), error)
    assert error is caught.value


@pytest.mark.parametrize(
    "error", [ValidationError("x"), AssertionError("x"), KeyboardInterrupt()], ids=["ours", "assertion", "ctrl"]
)
def test_other_errors_go_through(error: BaseException) -> None:
    """Our own errors, programming errors and interrupts leave a block as they are."""
    with pytest.raises(type(error)) as caught:
        inside(Translation("a", values=True), error)
    assert error is caught.value
