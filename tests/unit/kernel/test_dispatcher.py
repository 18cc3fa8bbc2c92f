"""The thread that sends alerts: what waits for it is bounded, and it ends."""

import threading
from collections.abc import Iterator

import pytest

from surf_data.kernel.monitoring import Dispatcher, Message
from surf_data.kernel.monitoring.dispatcher import MAX_WAITING


class Gate:
    """A channel that waits until it is opened."""

    name = "gate"

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()
        self.sent: list[str] = []

    def send(self, message: Message) -> bool:
        """Note a message once the gate is open."""
        self.entered.set()
        self.opened.wait(60)
        self.sent.append(message.title)
        return True


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Return a channel that is opened at the end."""
    made = Gate()
    yield made
    made.opened.set()


def _message(number: int) -> Message:
    return Message(title=str(number), body="x", severity="info")


def test_the_thread_of_a_full_channel_ends(gate: Gate) -> None:
    """Closing makes room for the end of what waits; the thread sends the rest once its channel answers, and ends."""
    dispatcher = Dispatcher([gate])
    dispatcher.send(_message(0))
    assert gate.entered.wait(60)
    for number in range(1, MAX_WAITING + 2):
        dispatcher.send(_message(number))
    assert dispatcher.dropped == 1
    [(thread, _)] = dispatcher._threads.values()
    dispatcher.close(0)
    assert (dispatcher.dropped, thread.is_alive()) == (2, True)
    gate.opened.set()
    thread.join(60)
    assert not thread.is_alive()
    assert gate.sent == ["0", *map(str, range(3, MAX_WAITING + 2))]
    dispatcher.close()
