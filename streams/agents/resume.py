"""Resume: what a restored stage still has to do is begun when its partition flows: only then can results come back."""

import asyncio
from collections.abc import Callable

from faust.types import TP

Inject = Callable[[TP, object], bool]

RESUME = "resume"
TRIES = 600
PAUSE_SECONDS = 0.1


def resume_later(inject: Inject, place: TP) -> "asyncio.Future[None]":
    """Inject `RESUME` into the stage of a partition as soon as the runner knows it."""
    return asyncio.ensure_future(_resume(inject, place))


async def _resume(inject: Inject, place: TP) -> None:
    for _ in range(TRIES):
        await asyncio.sleep(PAUSE_SECONDS)
        if inject(place, RESUME):
            return
