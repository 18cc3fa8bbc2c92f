"""Pauses between attempts: twice as long each time, half of it random, and never beyond the caller's deadline."""

import math
import random
import time

import attrs


@attrs.frozen
class Backoff:
    """How long to pause after a failed attempt: callers that failed together do not come back together."""

    #: Seconds of the first pause, at the most; each one is at least half as long.
    first: float
    #: Seconds of any pause, at the most.
    longest: float = math.inf

    def seconds(self, attempts: int) -> float:
        """Return how long to pause after so many attempts, 1 or more."""
        # Beyond that a float might have no room for it.
        whole = min(self.first * 2.0 ** min(attempts - 1, 64), self.longest)
        return whole * random.uniform(0.5, 1)  # noqa: S311 - jitter, no secret

    def pause(self, attempts: int, deadline: float = math.inf) -> None:
        """Pause after so many attempts.

        Arguments:
            attempts: how many have failed, 1 or more.
            deadline: when the pause has to end, by ``time.monotonic()``.
        """
        time.sleep(max(0.0, min(self.seconds(attempts), deadline - time.monotonic())))
