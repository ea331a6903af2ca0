"""Real servers that tests share: each kind is started when first asked for, and kept to the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TypeAlias

import pytest

from tests.support.backend import Backend

Servers: TypeAlias = Callable[[type[Backend]], Backend]


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Return the running server of a kind, without any limit; files in it are everybody's."""
    running: dict[type[Backend], Backend] = {}
    with ExitStack() as stack:

        def server(kind: type[Backend]) -> Backend:
            if kind not in running:
                running[kind] = stack.enter_context(kind())
            return running[kind]

        yield server
