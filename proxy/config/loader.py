"""The one place of this room that touches the machine: reads the file and the environment."""

from __future__ import annotations

import os
import stat

from .models import Config
from .parsing import Reading, examine, usable
from .problem import Problem

LARGEST_FILE = 1 << 20


def load(path: str | os.PathLike[str]) -> Config:
    """Read a configuration file. Raises ConfigError with every problem."""
    return usable(check(path))


def check(path: str | os.PathLike[str]) -> Reading:
    """Read a configuration file and never raise; warnings are among the problems."""
    name = os.fspath(path)
    try:
        with open(path, "rb", opener=_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return _unread(name, "is no file but a pipe or a device: a reload reads it again")
            # One byte more tells a file that is too large from one that just fits.
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        return _unread(name, f"cannot be read: {error.strerror or error}")
    if len(content) > LARGEST_FILE:
        return _unread(name, "is larger than 1 MiB: this is no configuration")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return _unread(name, "is not UTF-8 text here", line)
    return examine(text, name, os.environ)


def _at_once(path: str, flags: int) -> int:
    """Open it without waiting, as for a pipe that nobody writes to."""
    return os.open(path, flags | os.O_NONBLOCK)


def _unread(name: str, message: str, line: int = 0) -> Reading:
    return Reading(None, (Problem(name, line, 1 if line else 0, "", message),))
