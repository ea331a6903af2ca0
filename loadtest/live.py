"""The progress of a run in the terminal: one line that moves. Without a terminal, nothing."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from .conduct import News


class Live:
    """A live bar; a context manager."""

    def __init__(self, console: Console, limit: int | None) -> None:
        self._limit = limit
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TextColumn("{task.fields[words]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def tell(self, news: News) -> None:
        """Show how far it is."""
        if news.target not in self._tasks:
            self._tasks[news.target] = self._progress.add_task(
                news.target, total=news.planned, words=""
            )
        words = f"[red]{news.failed} failed[/] " if news.failed else ""
        if news.counted is not None:
            allowed = f"/{self._limit}" if self._limit is not None else ""
            words += f"firewall {news.counted}{allowed}, {news.sessions} sessions"
        done = news.deeds + news.failed
        self._progress.update(
            self._progress.task_ids[list(self._tasks).index(news.target)],
            completed=done,
            total=max(news.planned, done),
            words=words,
        )
