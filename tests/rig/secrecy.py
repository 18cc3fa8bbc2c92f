"""Secrets that tests plant, and where they are looked for: in all that a test logs, raises, shows and prints."""

import logging
import secrets
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

import surf_data
from surf_data import SurfDataError

#: What every planted secret contains. It is in no source file, so a traceback shows it only where a value is shown.
MARK = f"planted{secrets.token_hex(8)}"


def planted(what: str) -> str:
    """Return a secret."""
    return f"{MARK}-{what}"


#: The role and its password that a data layer logs in with to a server of the test's own, as an application does.
LOGIN = f"surf_service:{planted('login')}"


class Watch(logging.Handler):
    """Notes where planted secrets come to light while it watches.

    It hears every logger, at every level, and knows every error of this library, whether anybody sees it or not.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        #: Where a secret was found, a line each.
        self.found: list[str] = []
        #: The secrets that do not contain `MARK`, because they were not generated here.
        self.others: set[str] = set()
        self._errors: list[SurfDataError] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Look at a log record: its message, its facts and what was raised."""
        self.look(f"the log of {record.name}", f"{record.getMessage()} {vars(record)!r}")
        if record.exc_info and record.exc_info[1]:
            self.look_at_error(f"the log of {record.name}", record.exc_info[1])

    def look(self, place: str, text: str) -> None:
        """Look at a text."""
        if any(secret in text for secret in (MARK, *self.others)):
            self.found.append(place)

    def look_at_error(self, place: str, error: BaseException) -> None:
        """Look at an error, and at all errors that it carries."""
        for each in _family(error):
            shown = [str(each), repr(each), repr(each.args), repr(vars(each)), repr(getattr(each, "__notes__", ()))]
            shown += traceback.format_exception(each, chain=False)
            self.look(f"{place}: {type(each).__name__}", "\n".join(shown))

    def look_at_data(self, data: surf_data.LampsDataLayer) -> None:
        """Look at what a data layer and its parts show of themselves."""
        parts: list[Any] = [data, data.lamps, data.users, data.sessions, data.activity, data.cache]
        shown = [text for part in (*parts, data.database, data.redis) for text in (str(part), repr(part), vars(part))]
        self.look("a representation", repr([*shown, data.stats()]))

    def remember(self, error: SurfDataError) -> None:
        """Look at an error later, when all is known of it."""
        self._errors.append(error)

    def look_back(self) -> None:
        """Look at the errors that were made."""
        for error in self._errors:
            self.look_at_error("an error", error)
        self._errors.clear()


def _family(error: BaseException) -> Iterator[BaseException]:
    seen, waiting = set[int](), [error]
    while waiting:
        each = waiting.pop()
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            # Also what `raise ... from None` hides from view.
            waiting += [carried for carried in (each.__cause__, each.__context__) if carried]


@pytest.fixture(autouse=True)
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Watch each test where this is imported, and fail it if a secret comes to light."""
    watching = Watch()
    made = SurfDataError.__init__

    def make(error: SurfDataError, message: str | None = None) -> None:
        made(error, message)
        watching.remember(error)

    monkeypatch.setattr(SurfDataError, "__init__", make)
    # Also those loggers that were set to a higher level.
    loggers = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    levels = {logger: logger.level for logger in loggers}
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    logging.root.addHandler(watching)
    yield watching
    logging.root.removeHandler(watching)
    for logger, level in levels.items():
        logger.setLevel(level)
    watching.look_back()
    assert sorted({*watching.found}) == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Fail a test that has printed a secret, itself or by a process of its own."""
    report: pytest.TestReport = yield
    text = "\n".join([report.longreprtext, *(text for _, text in report.sections)])
    if MARK in text:
        report.outcome = "failed"
        report.sections = []
        report.longrepr = f"a secret is in what {report.nodeid} prints"
    return report
