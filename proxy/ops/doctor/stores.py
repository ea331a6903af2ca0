"""Looks at the shared store as an instance does: runs the very script there, on a thing of its own
that is gone again some seconds later.
"""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from statistics import median
from typing import Any, Final
from urllib.parse import urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    NoPermissionError,
    OutOfMemoryError,
    RedisError,
    ResponseError,
)
from redis.retry import Retry

from proxy.store.engine import SCRIPT

from .seen import Store

QUESTIONS: Final = 7  # whose median is told
WAIT: Final = 3.0  # seconds
NOBODY: Final = 1  # milliseconds of lease, hold and recovery: the trial keeps nothing


def look_at_store(url: str | None, *, patience: float = WAIT) -> Store | None:
    """Tell what answers there; None where none is configured."""
    if url is None:
        return None
    place = _place(url)
    redis: Any = Redis.from_url(
        url,
        socket_timeout=patience,
        socket_connect_timeout=patience,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )
    with redis:
        try:
            seconds = _ask(redis)
        except (RedisError, OSError) as problem:
            return Store(
                place,
                problem=str(problem) or type(problem).__name__,
                is_there=isinstance(problem, ResponseError),
                is_denied=isinstance(problem, AuthenticationError | NoPermissionError),
                is_full=isinstance(problem, OutOfMemoryError),
                **(_about(redis) if isinstance(problem, ResponseError) else {}),
            )
        return Store(place, seconds=seconds, **_about(redis))


def _ask(redis: Any) -> float:
    """Run the script as the only instance that needs the only one of a thing; return how long it
    takes."""
    settle = redis.register_script(SCRIPT)
    key, took = f"ftpweir:doctor:{{{secrets.token_hex(8)}}}", []
    for serial in range(QUESTIONS):
        began = time.monotonic()
        settle(keys=[key], args=["doctor", serial + 1, NOBODY, 0, NOBODY, 1, 0, 0, 1, 1.0])
        took.append(time.monotonic() - began)
    return median(took)


def _about(redis: Any) -> dict[str, Any]:
    """Return what it tells of itself; a user with few rights may not ask."""
    told: dict[str, Any] = {}
    with suppress(RedisError, OSError):
        info = redis.info()
        told = {
            "engine": "Valkey" if "valkey_version" in info else "Redis",
            "version": str(info.get("valkey_version") or info.get("redis_version", "")),
            "is_replica": info.get("role") == "slave",
            "eviction": str(info.get("maxmemory_policy", "")),
            "memory_limit": int(info.get("maxmemory", 0)),
        }
    with suppress(RedisError, OSError):
        seconds, micro = redis.time()
        told["clock_ahead"] = seconds + micro / 1e6 - time.time()
    return told


def _place(url: str) -> str:
    """Return where it is, without user and password."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    host = parts.hostname or "localhost"
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{parts.port or 6379}"
