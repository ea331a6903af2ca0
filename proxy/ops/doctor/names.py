"""Looks up the server's name, as the proxy does, but with a deadline and its time taken."""

from __future__ import annotations

import queue
import socket
import threading
import time

from .seen import Names

# Nobody could answer: the name server, or the way to it, is the matter and not the name.
_TEMPORARY = frozenset({socket.EAI_AGAIN, socket.EAI_FAIL, socket.EAI_SYSTEM})


def look_up(host: str, port: int, patience: float) -> Names:
    """Return the addresses in the order in which the system would use them."""
    began = time.monotonic()
    answers: queue.SimpleQueue[tuple[str, ...] | socket.gaierror] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put(tuple(str(address[0]) for *_, address in found))
        except socket.gaierror as problem:
            answers.put(problem)

    # The resolver knows no deadline: whoever waits longer than ours is left behind.
    threading.Thread(target=ask, name="look up", daemon=True).start()
    try:
        answer = answers.get(timeout=patience)
    except queue.Empty:
        return Names(host, (), f"no answer within {patience:g} s", True, patience)
    seconds = time.monotonic() - began
    if isinstance(answer, socket.gaierror):
        words = answer.strerror or str(answer)
        return Names(host, (), words, answer.errno in _TEMPORARY, seconds)
    return Names(host, answer, seconds=seconds)
