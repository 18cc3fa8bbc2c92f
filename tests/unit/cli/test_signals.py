"""Signals that wait for what must not be lost."""

import signal
from typing import Any

import pytest

from surf_data.cli import signals


def test_a_signal_that_comes_while_handlers_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for the end of the block, as any other in it."""
    install, done = signal.signal, []

    def interrupted(number: signal.Signals, handler: Any) -> Any:
        before = install(number, handler)
        if not done:
            done.append("sent")
            signal.raise_signal(number)
        return before

    number = next(iter(signals._SIGNALS))
    before = signal.signal(number, signal.default_int_handler)
    monkeypatch.setattr(signals.signal, "signal", interrupted)
    try:
        with pytest.raises(KeyboardInterrupt), signals.deferred():
            done.append("made")
    finally:
        install(number, before)
    assert done == ["sent", "made"]
