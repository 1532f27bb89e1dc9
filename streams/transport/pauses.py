"""Pauses: how long the event loop kept everything waiting at worst, as whoever waits for an alert would see it.

A task asks to be woken every few milliseconds and notes by how much it was late: whatever holds the loop (a chunk,
a tick, a snapshot, garbage collection) is in it.
"""

import asyncio

PERIOD_SECONDS = 0.005
STRETCH_SECONDS = 60.0
USUAL_PERIODS = 20
"""What is usual goes by the last tenth of a second."""


class Pauses:
    """The longest pause of the last one to two minutes.

    Attributes:
        usual_seconds: mean of the last few, weighted; a loop that has little to do is under a millisecond late.

    """

    def __init__(self) -> None:
        self.usual_seconds = 0.0
        self._began = 0.0
        self._now = 0.0
        self._before = 0.0

    @property
    def longest_seconds(self) -> float:
        """The longest pause of the last one to two minutes."""
        return max(self._now, self._before)

    def note(self, at_seconds: float, pause_seconds: float) -> None:
        """Take in a pause that ended at this time."""
        passed = at_seconds - self._began
        if passed >= STRETCH_SECONDS:
            self._before = self._now if passed < 2 * STRETCH_SECONDS else 0.0
            self._now, self._began = 0.0, at_seconds
        self._now = max(self._now, pause_seconds)
        self.usual_seconds += (pause_seconds - self.usual_seconds) / USUAL_PERIODS

    async def watch(self) -> None:
        """Note the pauses of the running loop until cancelled."""
        loop = asyncio.get_running_loop()
        self._began = loop.time()
        while True:
            due = loop.time() + PERIOD_SECONDS
            await asyncio.sleep(PERIOD_SECONDS)
            now = loop.time()
            self.note(now, max(0.0, now - due))
