"""The connection with Redis or Valkey, and the one script that is run there.

Never interprets what it carries, and never waits longer than its patience: who asks has clients of
its own waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from .shared import Unreachable

SCRIPT: Final = files(__package__).joinpath("settle.lua").read_text(encoding="utf-8")
PATIENCE: Final = 0.5  # seconds: a round trip takes less than one thousandth of that


class Engine:
    """One store. Calls come one after the other, from one task."""

    def __init__(self, url: str) -> None:
        # Its own retries (ten, in later versions) would outlast everybody's patience.
        self._redis: Any = Redis.from_url(
            url,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
        self._settle = self._redis.register_script(SCRIPT)

    async def settle(
        self, keys: Sequence[str], arguments: Sequence[str | float]
    ) -> list[tuple[int, ...]]:
        """Run the script; return one row of numbers for each key. Unreachable if that fails."""
        try:
            try:
                rows = await self._settle(keys=list(keys), args=list(arguments))
            finally:
                _heed_cancellation()
            found = [tuple(int(number) for number in row) for row in rows]
        except (RedisError, OSError, TimeoutError, TypeError, ValueError) as problem:
            raise Unreachable(str(problem) or type(problem).__name__) from None
        if len(found) != len(keys):
            raise Unreachable(f"{len(found)} answers to {len(keys)} questions")
        return found

    async def close(self) -> None:
        """Hang up."""
        await self._redis.aclose()


def _heed_cancellation() -> None:
    """Be cancelled, if we were: redis-py loses a cancellation that comes while it connects."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
