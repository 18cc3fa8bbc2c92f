"""Sends messages in a thread of its own: a channel that hangs costs no query anything."""

import queue
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from surf_data.kernel import forking
from surf_data.kernel.log_messages import get_logger
from surf_data.kernel.monitoring.channels import Channel, Message

#: Messages that may wait; when there are more, the oldest is dropped.
MAX_WAITING = 100
#: Seconds before each further try of a message that did not arrive.
PAUSES = (1.0, 5.0, 30.0)

_log = get_logger(__name__)


class Dispatcher:
    """Takes messages and sends each by every channel. Thread-safe; a forked child has a thread of its own.

    Arguments:
        channels: where messages go.
        pauses: seconds before each further try.
    """

    def __init__(self, channels: Sequence[Channel], pauses: Sequence[float] = PAUSES) -> None:
        self._channels = tuple(channels)
        self._pauses = tuple(pauses)
        self.reset_after_fork()
        forking.register(self)

    def reset_after_fork(self) -> None:
        """In a forked child: begin without messages and without a thread."""
        self._lock = threading.Lock()
        self._threads: dict[Channel, tuple[threading.Thread, queue.Queue[Message | None]]] = {}
        self._closing = threading.Event()
        #: Messages that did not arrive, by channel.
        self.failed: dict[str, int] = {}
        #: Messages that arrived, by channel.
        self.sent: dict[str, int] = {}
        #: Messages that were dropped because too many waited.
        self.dropped: int = 0

    def send(self, message: Message) -> None:
        """Take a message; returns at once. After `close` it is dropped."""
        with self._lock:
            queues = [self._queue(channel) for channel in self._channels]
        for waiting in queues:
            self._put(waiting, message)

    def close(self, timeout: float = 5.0) -> None:
        """Wait until what was taken is sent, for so many seconds at the most. Idempotent."""
        with self._lock:
            threads, self._threads = dict(self._threads), {}
            self._channels = ()
        ends = time.monotonic() + timeout
        for thread, waiting in threads.values():
            self._put(waiting, None)
            thread.join(max(0.0, ends - time.monotonic()))
        self._closing.set()

    def _queue(self, channel: Channel) -> "queue.Queue[Message | None]":
        if channel not in self._threads:
            waiting: queue.Queue[Message | None] = queue.Queue(MAX_WAITING)
            name = f"surf_data-alerts-{channel.name}"
            thread = threading.Thread(target=self._run, args=(channel, waiting), name=name, daemon=True)
            self._threads[channel] = (thread, waiting)
            thread.start()
        return self._threads[channel][1]

    def _put(self, waiting: "queue.Queue[Message | None]", message: Message | None) -> None:
        """Add a message, or the end; the oldest that waits makes room for it."""
        while True:
            with suppress(queue.Full):
                waiting.put_nowait(message)
                return
            # Empty: its thread has taken it meanwhile.
            with suppress(queue.Empty):
                waiting.get_nowait()
                with self._lock:
                    self.dropped += 1
                _log.warning("alert dropped: too many wait")

    def _run(self, channel: Channel, waiting: "queue.Queue[Message | None]") -> None:
        while (message := waiting.get()) is not None:
            arrived = self._try(channel, message)
            counts = self.sent if arrived else self.failed
            with self._lock:
                counts[channel.name] = counts.get(channel.name, 0) + 1

    def _try(self, channel: Channel, message: Message) -> bool:
        pauses = iter(self._pauses)
        while not self._arrives(channel, message):
            pause = next(pauses, None)
            if pause is None or self._closing.wait(pause):
                return False
        return True

    @staticmethod
    def _arrives(channel: Channel, message: Message) -> bool:
        problem = "refused"
        try:
            if channel.send(message):
                return True
        except Exception as error:  # noqa: BLE001 - whatever a channel raises, the next one has its turn
            problem = type(error).__name__
        # The class alone: what a channel's error says may hold its URL.
        _log.warning("alert not sent", extra={"channel": channel.name, "error": problem})
        return False
