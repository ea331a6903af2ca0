"""Standard output, with an end in words where it takes no more: a full disk is no fault of ours."""

from __future__ import annotations

import io
import sys
from typing import Any

import click


class CannotPrint(click.ClickException):
    """Standard output took no more; told on standard error, exit code 1."""

    def __init__(self, problem: OSError) -> None:
        super().__init__(f"cannot write the output: {problem.strerror or problem}")


class Commands(click.Group):
    """A group of commands that print."""

    def main(self, *arguments: Any, **more: Any) -> Any:
        """Run the command that the arguments name."""
        # Only what this process was begun with: whoever took its place knows what to do.
        if type(sys.stdout) is io.TextIOWrapper:
            sys.stdout = watched(sys.stdout)
        return super().main(*arguments, **more)


def watched(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """Return a stream to the same place that raises CannotPrint where that raises an OSError."""
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Watched(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
    )


class _Watched(io.FileIO):
    _is_lost = False

    def write(self, data: Any, /) -> int:
        """Write, until it fails once: what is left in buffers then goes nowhere."""
        if self._is_lost:
            return len(data)
        try:
            return super().write(data)
        except BrokenPipeError:
            raise  # whoever read has read enough
        except OSError as problem:
            self._is_lost = True
            raise CannotPrint(problem) from None
